/** The control file of the crash module, fed with what it should refuse. */
import type { Lab } from '../../agent/lab/provision.ts';
import { crashPoints } from '../../schema/crash-point.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { corpus, corpusFiles, guestNonce, plants } from './corpus.ts';
import { exercise } from './exercise.ts';
import {
  everything,
  type Health,
  harmless,
  healthFaults,
  healthOf,
  load,
  readLog,
  slabsOf,
} from './module-health.ts';
import { refusalIn, refusals } from './refusals.ts';

/** What one input came to. */
export interface Fed {
  readonly text: Buffer;
  /** Whether the write failed. */
  readonly failed: boolean;
  /** What the module said that it refused. */
  readonly refusals: readonly string[];
}

export interface FuzzReport {
  readonly inputs: number;
  /** The inputs that were fed one after the other. */
  readonly fed: readonly Fed[];
  /** Those of them that the module should have taken, by number from 1. */
  readonly plantings: readonly number[];
  /** Inputs that three writers fed while others read, armed and disarmed; writes of all of them that failed. */
  readonly storm: {
    readonly fed: number;
    readonly failed: number;
    readonly refused: number;
    readonly armed: number;
    readonly reads: number;
    readonly unread: readonly string[];
  };
  /** How many refusals of both the log has, those of a form that no source has, and the forms that did not occur. */
  readonly refusals: number;
  readonly unknown: readonly string[];
  readonly unseen: readonly string[];
  /** Addresses of code that is gone and that has left objects in slabs. */
  readonly orphans: readonly string[];
  readonly health: Health;
  readonly wallMs: number;
}

/** What the module refused behind each marker in the log. */
function refusalsByInput(log: readonly string[]): Map<number, string[]> {
  const found = new Map<number, string[]>();
  let current: string[] = [];
  for (const line of log) {
    const number = / exercise: input (\d+)$/.exec(line)?.[1];
    const refusal = refusalIn(line);
    if (refusal !== null) current.push(refusal);
    if (number === undefined) continue;
    current = [];
    found.set(Number(number), current);
  }
  return found;
}

function judged(said: readonly string[]) {
  const forms = [...refusals()];
  const seen = (pattern: RegExp) => said.some((text) => pattern.test(text));
  return {
    refusals: said.length,
    unknown: said.filter((text) => !forms.some(([, pattern]) => pattern.test(text))),
    unseen: forms.filter(([, pattern]) => !seen(pattern)).map(([format]) => format),
  };
}

/** The numbers of the plantings of which the nonce is not the planted one. */
function plantingsIn(inputs: readonly Buffer[]): number[] {
  let planted = guestNonce;
  return inputs.flatMap((text, i) => {
    const nonce = plants(text);
    if (nonce === null || nonce === planted) return [];
    planted = nonce;
    return [i + 1];
  });
}

/** Feeds the control file with inputs that should be refused: three quarters in turn, the others in a storm. */
export function fuzzModule(lab: Lab, count: number, seed: number): Promise<FuzzReport> {
  const startedAt = performance.now();
  const inputs = corpus(count, seed);
  const inTurn = Math.floor((count * 3) / 4);
  const options = { withinMs: 180_000 + count * 400, files: corpusFiles(inputs) };
  return exercise(lab, everything, options, async (guest) => {
    const { must } = guest;
    const orphansIn = await slabsOf(guest);
    const arming = await harmless(guest);
    for (const point of namesOf(crashPoints)) await must(`echo "${arming(point)}" >>/tmp/armings`);
    await must(load);
    await must(`order plant nonce=${guestNonce}`);
    const statuses: string[] = [];
    for (let from = 1; from <= inTurn; from += 250)
      statuses.push(...(await must(`feed ${from} ${Math.min(from + 249, inTurn)}`)));
    const log = await must(readLog);
    const stormed = await must(`storm ${inTurn + 1} ${count}`);
    await must('rmmod crashpoint');
    const wholeLog = await must(readLog);
    const said = refusalsByInput(log);
    const later = wholeLog.slice(log.length);
    return {
      inputs: count,
      fed: inputs.slice(0, inTurn).map((text, i) => ({
        text,
        failed: statuses[i] !== `${i + 1} 0`,
        refusals: said.get(i + 1) ?? [],
      })),
      plantings: plantingsIn(inputs.slice(0, inTurn)),
      storm: {
        fed: stormed.filter((line) => /^\d+ \d/.test(line)).length,
        failed: stormed.filter((line) => /^\w+ [1-9]/.test(line)).length,
        refused: later.filter((line) => /crashpoint: (refused|not fired): /.test(line)).length,
        armed: stormed.filter((line) => line === 'arm 0').length,
        reads: stormed.filter((line) => line === 'read').length,
        unread: stormed.filter((line) => !/^(\w+ \d+|read)$/.test(line)),
      },
      ...judged(wholeLog.map(refusalIn).filter((text) => text !== null)),
      orphans: await orphansIn(),
      health: await healthOf(guest),
      wallMs: performance.now() - startedAt,
    };
  });
}

/** What a report of a fuzz shows to be wrong. */
export function fuzzFaults(report: FuzzReport): string[] {
  const { storm, plantings } = report;
  const wrong = report.fed.flatMap(({ text, failed, refusals: said }, i) => {
    const right = failed !== plantings.includes(i + 1) && said.length === (failed ? 1 : 0);
    if (right) return [];
    const shown = JSON.stringify(text.toString('latin1').slice(0, 200));
    return [`input ${i + 1} ${failed ? 'failed' : 'was taken'}, with ${said.length} refusals: ${shown}`];
  });
  return [
    ...wrong,
    ...report.unknown.map((text) => `no source has this refusal: ${text}`),
    ...(storm.failed === storm.refused
      ? []
      : [`${storm.failed} writes failed, ${storm.refused} were refused`]),
    ...storm.unread.map((text) => `reading failed: ${text}`),
    ...report.orphans.map((address) => `code that is gone left an object in a slab: ${address}`),
    ...healthFaults(report.health),
  ];
}
