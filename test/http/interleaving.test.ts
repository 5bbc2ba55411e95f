/**
 * Any interleaving of enrolments, tickets, armed notes, reports, retries, duplicates, rotations and withdrawals leaves
 * the log append-only, every proof valid and every count right.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBase64, fromHex, toHex, utf8 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import { parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { openNote, parseVerifierKey } from '../../schema/log/note.ts';
import { leafHash, rootOf, verifyConsistency, verifyInclusion } from '../../schema/log/tree.ts';
import type { StatisticsAnswer } from '../../schema/statistics.ts';
import type { Receipt, Ticket } from '../../schema/wire.ts';
import { paths } from './client.ts';
import { type InProcess, origin, startInProcess } from './in-process.ts';
import {
  type Fate,
  keyPair,
  requestId,
  rotation,
  type SampleMachine,
  sampleMachine,
  seal,
  simpleScenario,
  withdrawal,
} from './samples.ts';

/** Changes of keys are taken near the time of their signature, and samples are signed just now. */
const nowMs = Date.now();
const machineCount = 3;

/** One thing that somebody does. `which` chooses a machine, and `trial` one of its tickets. */
type Step =
  | {
      readonly act: 'enrol' | 'tickets' | 'rotate' | 'withdraw';
      readonly which: number;
      readonly trial: number;
    }
  | { readonly act: 'armed' | 'report'; readonly which: number; readonly trial: number; readonly fate: Fate };

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.oneof(
    { weight: 2, arbitrary: fc.constant('enrol' as const) },
    { weight: 3, arbitrary: fc.constant('tickets' as const) },
    { weight: 6, arbitrary: fc.constant('armed' as const) },
    { weight: 12, arbitrary: fc.constant('report' as const) },
    { weight: 1, arbitrary: fc.constant('rotate' as const) },
    { weight: 1, arbitrary: fc.constant('withdraw' as const) },
  ),
  which: fc.nat(machineCount - 1),
  trial: fc.nat(5),
  fate: fc.constantFrom<Fate>('captured', 'device', 'hang'),
});

/** What is done at the same time. Each is sent twice where `twice` says so. */
const round = fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 12 }), twice: fc.boolean() });

/** A machine with the keys that it goes through, and what it knows. */
interface Actor {
  readonly machine: SampleMachine;
  readonly next: ReturnType<typeof keyPair>;
  tickets: Ticket[];
  isRotated: boolean;
  isWithdrawn: boolean;
}

interface World {
  readonly survey: InProcess;
  readonly actors: readonly Actor[];
  /** The report that each ticket has, as it was first acknowledged. */
  readonly reported: Map<string, { readonly fate: Fate; readonly actor: Actor; readonly receipt: Receipt }>;
}

async function send(survey: InProcess, path: string, envelope: Envelope) {
  const response = await survey.fetch(
    new Request(origin + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(envelope),
    }),
  );
  return { status: response.status, json: (await response.json()) as unknown };
}

/** Does one step, and remembers what was acknowledged. Refusals are as good as any answer, but for the server's own. */
async function take(world: World, { act, which, trial, ...rest }: Step): Promise<void> {
  const { survey, reported } = world;
  const actor = world.actors[which];
  if (actor === undefined) return;
  const { machine, next } = actor;
  const key = actor.isRotated ? next : machine.key;
  const post = async (path: string, envelope: Envelope) => {
    const answer = await send(survey, path, envelope);
    expect([path, answer.status < 500 ? 'answered' : answer]).toEqual([path, 'answered']);
    return answer;
  };
  const ticket = actor.tickets[trial % Math.max(1, actor.tickets.length)];
  if (act === 'enrol') {
    await post(paths.enrol, seal('enrol', machine.enrol(), machine.key));
  } else if (act === 'tickets') {
    const body = machine.tickets(requestId(`${which} ${trial}`), [simpleScenario, simpleScenario], {
      machine: key.publicHex,
    });
    const answer = await post(paths.tickets, seal('tickets', body, key));
    const { tickets = [] } = answer.json as { tickets?: Ticket[] };
    const known = new Set(actor.tickets.map(({ nonce }) => nonce));
    actor.tickets = [...actor.tickets, ...tickets.filter(({ nonce }) => !known.has(nonce))];
  } else if (act === 'armed' && ticket !== undefined) {
    const body = { ...machine.armed(ticket, nowMs), machine: key.publicHex };
    await post(paths.armed, seal('armed', body, key));
  } else if (act === 'report' && ticket !== undefined && 'fate' in rest) {
    const body = machine.report(ticket, rest.fate, nowMs, { machine: key.publicHex });
    const answer = await post(paths.report, seal('report', body, key));
    if (answer.status !== 201) return;
    // One report for one ticket, whatever was sent at the same time.
    expect(reported.has(ticket.nonce)).toBe(false);
    reported.set(ticket.nonce, { fate: rest.fate, actor, receipt: answer.json as Receipt });
  } else if (act === 'rotate') {
    const answer = await post(paths.rotate, rotation('machine', machine.key, next));
    if (answer.status === 201) actor.isRotated = true;
  } else if (act === 'withdraw') {
    const answer = await post(paths.withdraw, withdrawal(key, 'machine', machine.key.publicHex));
    if (answer.status === 201) actor.isWithdrawn = true;
  }
}

async function getJson<T>({ fetch }: InProcess, path: string): Promise<T> {
  const response = await fetch(new Request(origin + path));
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as T;
}

async function entriesOf({ services }: InProcess): Promise<string[]> {
  const { rows } = await services.store.client.execute(
    'select log_index, entry from log_entries order by log_index',
  );
  expect(rows.map(({ log_index }) => Number(log_index))).toEqual(rows.map((_, i) => i));
  return rows.map(({ entry }) => String(entry));
}

async function signedHead(survey: InProcess) {
  const response = await survey.fetch(new Request(`${origin}/log/checkpoint`));
  const verifier = await parseVerifierKey(survey.services.signer.verifierKey);
  return parseCheckpoint((await openNote(await response.text(), [verifier])).text);
}

/** The counts that the acknowledged reports should give. */
function expectedCounts(world: World) {
  const counted = [...world.reported.values()].filter(({ actor }) => !actor.isWithdrawn);
  return {
    trials: counted.length,
    captured: counted.filter(({ fate }) => fate === 'captured').length,
  };
}

it('the log only grows, proofs hold, and counts are right', async () => {
  let withdrawals = 0;
  let rotations = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(round, { minLength: 1, maxLength: 6 }),
      fc.nat(1_000_000),
      async (rounds, run) => {
        const owner = keyPair(`owner ${run}`);
        const survey = await startInProcess({
          now: () => nowMs,
          random: (count) => crypto.getRandomValues(new Uint8Array(count)),
          referenceOwners: new Set([owner.publicHex]),
          controlShare: 0,
        });
        const actors = Array.from({ length: machineCount }, (_, i) => ({
          machine: sampleMachine(`interleaved ${i}`, undefined, `owner ${run}`),
          next: keyPair(`next of interleaved ${i}`),
          tickets: [],
          isRotated: false,
          isWithdrawn: false,
        }));
        const world: World = { survey, actors, reported: new Map() };
        try {
          for (const actor of actors)
            await take(world, { act: 'enrol', which: actors.indexOf(actor), trial: 0 });
          let before = await entriesOf(survey);
          let head = await signedHead(survey);
          for (const { steps, twice } of rounds) {
            await Promise.all([...steps, ...(twice ? steps : [])].map((one) => take(world, one)));
            await survey.publish();

            const entries = await entriesOf(survey);
            expect(entries.slice(0, before.length)).toEqual(before);
            before = entries;
            const next = await signedHead(survey);
            expect(next.size).toBe(entries.length);
            const leaves = await Promise.all(entries.map((entry) => leafHash(utf8(entry))));
            expect(toHex(next.root)).toBe(toHex(await rootOf(leaves)));
            const { proof } = await getJson<{ proof: string[] }>(
              survey,
              `/log/consistency?from=${head.size}&to=${next.size}`,
            );
            const consistent = {
              fromSize: head.size,
              fromRoot: head.root,
              toSize: next.size,
              toRoot: next.root,
            };
            expect(await verifyConsistency({ ...consistent, proof: proof.map(fromBase64) })).toBe(true);
            head = next;

            const by = await getJson<StatisticsAnswer>(
              survey,
              '/v1/statistics?by=driver&population=lab&role=dump_target',
            );
            const { trials, captured } = by.cells[0] ?? { trials: 0, captured: 0 };
            expect({ trials, captured }).toEqual(expectedCounts(world));
          }
          for (const { receipt } of world.reported.values()) {
            expect(before[receipt.log_index]).toBe(receipt.entry);
            const shown = await getJson<{ leaf_hash: string; proof: string[] }>(
              survey,
              `/log/inclusion?index=${receipt.log_index}&size=${head.size}`,
            );
            const included = {
              leafHash: fromHex(shown.leaf_hash),
              index: receipt.log_index,
              size: head.size,
              root: head.root,
              proof: shown.proof.map(fromBase64),
            };
            expect(await verifyInclusion(included)).toBe(true);
          }
          withdrawals += actors.filter(({ isWithdrawn }) => isWithdrawn).length;
          rotations += actors.filter(({ isRotated }) => isRotated).length;
        } finally {
          await survey.stop();
        }
      },
    ),
    { numRuns: 20 },
  );
  expect(withdrawals).toBeGreaterThan(0);
  expect(rotations).toBeGreaterThan(0);
}, 300_000);
