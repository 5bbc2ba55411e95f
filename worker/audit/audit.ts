/**
 * Audits a survey with no trust in its server: everything that it shows is checked against what its log has signed,
 * and everything that it computes is computed again. The order matters: what is published is read first and the newest
 * checkpoint after it, so that all of it must be under that checkpoint; then the entries are walked once.
 */
import { toHex } from '../../schema/bytes.ts';
import { formatVerifierKey, type Verifier } from '../../schema/log/note.ts';
import { createEntries, type Entries } from './entries.ts';
import { checkCosignatures, compareHead, type Head, newestHead } from './heads.ts';
import { createJudge, type Judge } from './judge.ts';
import { keyOf, type Prepared, prepare, type Wanted } from './prepare.ts';
import { createRebuild, type Rebuild } from './rebuild.ts';
import { judgeReceipt } from './receipts.ts';
import { judgeCheckpoints, judgeEdition, judgeTables, judgeVersion } from './recompute.ts';
import { Incomplete, type Source } from './source/source.ts';
import { createTally, type Tally } from './tally.ts';
import { checkTree, checkUpperTiles } from './tree/check.ts';
import { createWalk } from './tree/walk.ts';

export interface AuditInput extends Wanted {
  /** A copy of an earlier run: shows whose contents were withdrawn since. */
  readonly earlier: Source | null;
  /** The log's key; null takes the one that the survey names. */
  readonly key: Verifier | null;
  readonly witnessesNeeded: number;
  /** Public keys in hexadecimal whose decisions are an operator's. */
  readonly operators: ReadonlySet<string>;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly progress: (done: number, total: number) => void;
}

export interface AuditReport {
  readonly source: string;
  /** The log's verifier key; null where it could not be had. */
  readonly key: string | null;
  readonly isFirstUse: boolean;
  readonly head: Head | null;
  /** Whether the entries are those of the head: then it is worth to be remembered. */
  readonly isTreeRight: boolean;
  readonly tally: Tally;
  /** What could not be checked, and what to do. Where there is any, the audit is incomplete. */
  readonly lacking: readonly string[];
}

/** What is known so far, also where the audit has to end early. */
interface Known {
  key: Verifier | null;
  head: Head | null;
  isTreeRight: boolean;
}

/** Audits. Never throws for what a survey may do. */
export async function audit(input: AuditInput): Promise<AuditReport> {
  const tally = createTally();
  const lacking: string[] = [];
  const known: Known = { key: input.key, head: null, isTreeRight: false };
  try {
    known.key ??= await keyOf(input.source);
    await auditUnder(input, known.key, known, tally, lacking);
  } catch (error) {
    if (!(error instanceof Incomplete)) throw error;
    lacking.push(error.message);
  }
  return {
    source: input.source.name,
    key: known.key && (await formatVerifierKey(known.key.name, known.key.key)),
    isFirstUse: input.key === null,
    head: known.head,
    isTreeRight: known.isTreeRight,
    tally,
    lacking,
  };
}

async function auditUnder(
  input: AuditInput,
  key: Verifier,
  known: Known,
  tally: Tally,
  lacking: string[],
): Promise<void> {
  const { source, witnesses, witnessesNeeded } = input;
  const prepared = await prepare(input, key, tally, lacking);
  const first = await newestHead(source, key, tally);
  if (first === null) return;
  known.head = first;
  const rebuild = await createRebuild();
  try {
    const wanted = new Set(prepared.heads.map(({ checkpoint }) => checkpoint.size));
    const walk = createWalk(source, wanted);
    const judge = createJudge({
      tally,
      rebuild,
      deciders: { log: toHex(key.key), operators: input.operators },
      readBefore: first.checkpoint.size,
    });
    const entries = createEntries({
      ...{ walk, judge, tally },
      earlier: input.earlier,
      wanted: new Set(prepared.receipts.map(({ promise }) => promise.log_index)),
      progress: input.progress,
    });
    const reached = await walkAll(input, { key, prepared, first, wanted, judge, entries }, tally);
    if (reached === null) return;
    known.head = reached.newest;
    judge.end();
    await checkCosignatures(reached.newest, witnesses, witnessesNeeded, tally);
    known.isTreeRight = await checkTree(walk, reached.newest, entries.wellFormed(), tally);
    if (!known.isTreeRight) return;
    await checkUpperTiles(source, walk, reached.newest, tally);
    for (const head of [...prepared.heads, ...reached.before])
      compareHead(head, reached.newest, walk.rootAt(head.checkpoint.size), tally);
    for (const receipt of prepared.receipts) {
      const place = entries.places.get(receipt.promise.log_index);
      judgeReceipt(receipt, reached.newest, place, input.now(), tally, lacking);
    }
    await judgePublished(prepared, judge, rebuild, tally);
  } finally {
    rebuild.close();
  }
}

/** How often, and how long in between, a live survey is asked for what must still come. */
const patience = { attempts: 5, pauseMs: 2_000 };

interface Underway {
  readonly key: Verifier;
  readonly prepared: Prepared;
  readonly first: Head;
  readonly wanted: Set<number>;
  readonly judge: Judge;
  readonly entries: Entries;
}

/**
 * Walks to the first head, and on to newer ones while something is open that a live survey may still show: contents
 * that went away while they were read, whose withdrawal comes next, or a tree that a witness has seen already. Null
 * where the walk had to stop; then that is found.
 */
async function walkAll(
  { source, sleep }: AuditInput,
  { key, prepared, first, wanted, judge, entries }: Underway,
  tally: Tally,
): Promise<{ readonly newest: Head; readonly before: readonly Head[] } | null> {
  const before: Head[] = [];
  let newest = first;
  const goOn = async () => {
    wanted.add(newest.checkpoint.size);
    return entries.to(newest.checkpoint.size);
  };
  if (!(await goOn())) return null;
  const isOpen = () =>
    judge.uncovered() > 0 ||
    prepared.heads.some(({ checkpoint }) => checkpoint.size > newest.checkpoint.size);
  for (let attempt = 0; source.isLive && isOpen() && attempt < patience.attempts; attempt++) {
    await sleep(patience.pauseMs);
    const next = await newestHead(source, key, tally);
    if (next === null) return null;
    if (next.checkpoint.size <= newest.checkpoint.size) continue;
    before.push(newest);
    newest = next;
    if (!(await goOn())) return null;
  }
  return { newest, before };
}

async function judgePublished(
  { editions, tables }: Prepared,
  judge: Judge,
  rebuild: Rebuild,
  tally: Tally,
): Promise<void> {
  await rebuild.flush();
  judgeCheckpoints(editions, tally);
  for (const edition of editions) await judgeEdition(edition, judge, rebuild.store, tally);
  const [shown] = editions;
  if (shown === undefined) return;
  judgeVersion(shown, tally);
  await judgeTables(tables, shown, judge, rebuild.store, tally);
}
