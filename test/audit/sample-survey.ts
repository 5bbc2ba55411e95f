/**
 * A survey that signs whatever it is told, as files: for tests of the rules, which the server would refuse to break.
 * Its teller knows how to tell the truth; a test changes one thing of it.
 */
import { concat, fromHex, sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { classify } from '../../schema/classify/classify.ts';
import { type Envelope, hashInput, type PayloadKind, payloadType } from '../../schema/envelope.ts';
import { signCheckpoint } from '../../schema/log/checkpoint.ts';
import type { RowOf } from '../../schema/log/row.ts';
import { encodeBundle, tilePath, tilesOf, tileWidth } from '../../schema/log/tile.ts';
import { rootOf } from '../../schema/log/tree.ts';
import type { Profile } from '../../schema/profile.ts';
import { findScenario } from '../../schema/scenario.ts';
import type { EntryKind } from '../../schema/vocabulary.ts';
import { limits, type ReportBody, type Ticket } from '../../schema/wire.ts';
import { labelsOf } from '../../worker/admit/report.ts';
import { queries } from '../../worker/audit/published.ts';
import { createRebuild } from '../../worker/audit/rebuild.ts';
import { statisticsHash } from '../../worker/edition/publish.ts';
import { aboutNobody, type Draft, draftEntry, type SignedRequest } from '../../worker/log/draft.ts';
import { type LogIdentity, logIdentity } from '../../worker/log/identity.ts';
import { reportRowOf, type Terms, ticketRowOf } from '../../worker/log/rows.ts';
import { statisticsVersion } from '../../worker/statistics/cell.ts';
import { instant } from '../../worker/time.ts';
import { type Fate, type KeyPair, type SampleMachine, seal, simpleScenario } from '../http/samples.ts';

/** Who signs for sample surveys. */
export const log: LogIdentity = await logIdentity(new Uint8Array(32).fill(9), 'sample.test/log');

/** One entry to be: what is signed is what is given. */
export type Told = {
  readonly [K in EntryKind]: {
    readonly kind: K;
    readonly row: RowOf[K];
    readonly request: SignedRequest | null;
    readonly atMs: number;
    /** The contents were taken away. */
    readonly isGone?: boolean;
    /** The request is not shown. */
    readonly isHidden?: boolean;
  };
}[EntryKind];

/** When sample surveys begin. */
export const beginsMs = Date.parse('2026-11-20T00:00:00.000Z');

/** A request as the server keeps it. */
export async function requestOf(kind: PayloadKind, envelope: Envelope): Promise<SignedRequest> {
  const [signed] = envelope.signatures;
  if (signed === undefined) throw new Error('the envelope has no signature');
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
  const payload = bytes(envelope.payload);
  const hash = toHex(await sha256(hashInput(kind, fromHex(signed.keyid), payload)));
  return { kind, key: signed.keyid, payload, signature: bytes(signed.sig), hash };
}

/** The request of a body that a key signs. */
export function signedBy(kind: PayloadKind, body: object, key: KeyPair): Promise<SignedRequest> {
  return requestOf(kind, seal(kind, body, key));
}

/** The truth about an enrolment. */
export async function enrolment(machine: SampleMachine, atMs: number): Promise<Told> {
  const row = {
    machine: machine.key.publicHex,
    owner: machine.owner.publicHex,
    population: (JSON.parse(machine.profileText) as Profile).population,
  };
  return { kind: 'enrol', row, request: await signedBy('enrol', machine.enrol(), machine.key), atMs };
}

/** The truth about the tickets of one request. */
export async function tickets(
  machine: SampleMachine,
  name: string,
  atMs: number,
  ids: readonly string[] = [simpleScenario],
  changes: Partial<Terms> = {},
): Promise<Told[]> {
  const hash = toHex(await sha256(utf8(name)));
  const body = machine.tickets(hash.slice(0, 32), ids);
  const request = await signedBy('tickets', body, machine.key);
  return Promise.all(
    ids.map(async (id) => {
      const scenario = findScenario('standard/1', id);
      if (scenario === null) throw new Error(`there is no scenario ${id}`);
      const { crash_point, crash_type, load, mitigation, set_up, in_flight_min } = scenario;
      const terms: Terms = {
        nonce: toHex(await sha256(utf8(`${name} ${id}`))).slice(0, 32),
        root: machine.key.publicHex,
        owner: machine.owner.publicHex,
        control: false,
        profile_sha256: machine.profileSha256,
        population: (JSON.parse(machine.profileText) as Profile).population,
        scenario_set: 'standard/1',
        ...{ crash_point, crash_type, load, mitigation, set_up, in_flight_min },
        mechanism: 'kdump',
        environment: 'instrumented',
        issued_at_ms: atMs,
        arm_by_ms: atMs + limits.armWithinMs,
        report_by_ms: atMs + limits.reportWithinMs,
        ...changes,
      };
      const row = ticketRowOf(terms, JSON.parse(machine.profileText) as Profile);
      return { kind: 'ticket', row, request, atMs } satisfies Told;
    }),
  );
}

/** A ticket's row as the ticket that travels. */
function ticketOf(told: Told, machine: SampleMachine): Ticket {
  if (told.kind !== 'ticket') throw new Error(`a ${told.kind} is no ticket`);
  const { nonce, scenario, mechanism, environment, control, issued_at, arm_by, report_by } = told.row;
  return {
    ...{ nonce, scenario, mechanism, environment, control, issued_at, arm_by, report_by },
    machine: machine.key.publicHex,
    profile_sha256: machine.profileSha256,
    log_index: 0,
  };
}

/** The truth about an armed note. */
export async function armedNote(machine: SampleMachine, ticket: Told, atMs: number): Promise<Told> {
  const body = machine.armed(ticketOf(ticket, machine), atMs);
  const row = { nonce: body.nonce, armed_at: body.armed_at };
  return { kind: 'armed', row, request: await signedBy('armed', body, machine.key), atMs };
}

/** The truth about a report; `first` is the index of the one that it amends. */
export async function reportOn(
  machine: SampleMachine,
  ticket: Told,
  fate: Fate,
  atMs: number,
  changes: object = {},
  first: number | null = null,
): Promise<Told> {
  const travelling = ticketOf(ticket, machine);
  const body = { ...machine.report(travelling, fate, atMs), ...changes } as ReportBody;
  const outcome = classify(body.evidence, body.scenario, body.mechanism);
  const terms = { report_by_ms: Date.parse(travelling.report_by), control: travelling.control };
  const row = reportRowOf(body, first, outcome, labelsOf(body, terms, outcome, atMs));
  return { kind: 'report', row, request: await signedBy('report', body, machine.key), atMs };
}

/** Salts follow from the index, so that a longer survey begins with the shorter one. */
async function draftOf(told: Told, index: number): Promise<Draft> {
  let drawn = 0;
  const random = (count: number) =>
    new Uint8Array(count).map((_, i) => (index >> (8 * (i % 4))) + i + 16 * drawn++);
  return draftEntry({ random }, told.kind, told.row, told.request, aboutNobody, told.atMs);
}

function lineOf(draft: Draft, index: number, { isGone = false, isHidden = false }: Told): string {
  const { request } = draft;
  const isShown = request !== null && !isGone && !isHidden;
  const envelope = isShown
    ? {
        payload: Buffer.from(request.payload).toString('base64'),
        payloadType: payloadType(request.kind),
        signatures: [{ keyid: request.key, sig: Buffer.from(request.signature).toString('base64') }],
      }
    : null;
  return `${JSON.stringify({
    log_index: index,
    row: isGone ? null : draft.row,
    row_salt: isGone ? null : draft.row_salt,
    envelope,
    envelope_salt: isShown ? draft.envelope_salt : null,
  })}\n`;
}

/** The files of a survey whose log has these entries, and whose one edition is of before them. */
export async function surveyOf(entries: readonly Told[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const drafts = await Promise.all(entries.map(draftOf));
  const hashes: Uint8Array[][] = [drafts.map(({ leaf_hash }) => fromHex(leaf_hash))];
  const size = drafts.length;
  for (const { level, index, width } of tilesOf(size)) {
    if (typeof level !== 'number') continue;
    hashes[level] ??= await Promise.all(
      Array.from({ length: Math.floor((hashes[level - 1] ?? []).length / tileWidth) }, (_, i) =>
        rootOf((hashes[level - 1] ?? []).slice(i * tileWidth, (i + 1) * tileWidth)),
      ),
    );
    const from = index * tileWidth;
    files.set(
      `log/${tilePath(level, index, width)}`,
      concat(...(hashes[level] ?? []).slice(from, from + width)),
    );
    if (level > 0) continue;
    const here = drafts.slice(from, from + width);
    files.set(`log/${tilePath('entries', index, width)}`, encodeBundle(here.map(({ entry }) => utf8(entry))));
    const lines = here.map((draft, i) => lineOf(draft, from + i, entries[from + i] as Told));
    files.set(`log/rows/${index}`, utf8(lines.join('')));
  }
  const root = await rootOf(hashes[0] ?? []);
  files.set('log/key', utf8(`${log.verifierKey}\n`));
  files.set('log/checkpoint', utf8(await signCheckpoint({ origin: log.name, size, root }, log)));
  for (const [address, answer] of await published()) files.set(address, utf8(`${JSON.stringify(answer)}\n`));
  return files;
}

/** One edition of an empty log. */
async function published(): Promise<[string, object][]> {
  const { store, close } = await createRebuild();
  const manifest = {
    number: 1,
    log_size: 0,
    cut_off: instant(beginsMs),
    statistics_version: statisticsVersion,
    statistics_sha256: await statisticsHash(store, { log_size: 0, cut_off_ms: beginsMs }),
    checkpoint: await signCheckpoint({ origin: log.name, size: 0, root: await rootOf([]) }, log),
    published_at: instant(beginsMs),
  };
  close();
  const tables = queries.map(({ by, population }): [string, object] => [
    `v1/statistics/by=${by.join(',')}&population=${population}`,
    { edition: 1, population, by, cells: [], note: '' },
  ]);
  return [['v1/editions/1', manifest], ...tables];
}
