/** What an audit reads before it walks the log: all of it must be under the checkpoint that is read after it. */
import { parseVerifierKey, type Verifier } from '../../schema/log/note.ts';
import { type Head, headsOfWitnesses, openHead, type TrustedWitness } from './heads.ts';
import { type Edition, readEdition, readTables, type Tables } from './published.ts';
import { type Receipt, readReceipt } from './receipts.ts';
import { Incomplete, readText, type Source } from './source/source.ts';
import type { Tally } from './tally.ts';

/** What of an audit's input is read here. */
export interface Wanted {
  readonly source: Source;
  readonly witnesses: readonly TrustedWitness[];
  /** The newest checkpoint of the run before. */
  readonly lastNote: string | null;
  /** Receipts with their names. */
  readonly receipts: readonly { readonly name: string; readonly text: string }[];
  /** One more edition to rebuild. */
  readonly edition: number | null;
}

/** The key that a survey says is its log's. Throws Incomplete. */
export async function keyOf(source: Source): Promise<Verifier> {
  const text = await readText(source, '/log/key', 2000);
  try {
    const verifier = await parseVerifierKey(text.replace(/\n$/, ''));
    if (verifier.type === 1) return verifier;
    throw new Error('It is the key of a witness.');
  } catch (error) {
    throw new Incomplete(
      `${source.name}/log/key names no key of a log: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** Everything that is read before the walk, and judged after it. */
export interface Prepared {
  readonly key: Verifier;
  readonly heads: readonly Head[];
  readonly receipts: readonly Receipt[];
  readonly tables: Tables;
  /** The edition of the tables first. */
  readonly editions: readonly Edition[];
}

/** Reads it. Throws Incomplete; what is wanting and can be done without goes to `lacking`. */
export async function prepare(
  input: Wanted,
  key: Verifier,
  tally: Tally,
  lacking: string[],
): Promise<Prepared> {
  const { source, edition } = input;
  const receipts: Receipt[] = [];
  for (const { name, text } of input.receipts) {
    const receipt = await readReceipt(name, text, key, tally);
    if (receipt !== null) receipts.push(receipt);
  }
  const tables = await readTables(source);
  const numbers = [tables.edition, tables.edition - 1, edition ?? 0].filter(
    (n, i, all) => n > 0 && all.indexOf(n) === i,
  );
  const editions: Edition[] = [];
  for (const number of numbers) editions.push(await readEdition(source, number, key, tally));
  const heads = [
    ...(await headOfLastRun(input.lastNote, key, lacking)),
    ...(await headsOfWitnesses(input.witnesses, key, lacking)),
    ...editions.flatMap(({ head }) => head ?? []),
    ...receipts.flatMap(({ head }) => head ?? []),
  ];
  return { key, heads, receipts, tables, editions };
}

async function headOfLastRun(note: string | null, key: Verifier, lacking: string[]): Promise<Head[]> {
  if (note === null) return [];
  try {
    return [await openHead('your last run', note, key)];
  } catch (error) {
    lacking.push(`The state is not of this log: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}
