/** A survey of the tests' own on this host, and what has become there of each trial. */
import { createHash, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { fromBase64, utf8 } from '../../../schema/bytes.ts';
import type { Evidence } from '../../../schema/evidence.ts';
import { parseCheckpoint } from '../../../schema/log/checkpoint.ts';
import { logEntry } from '../../../schema/log/entry.ts';
import { parseNote } from '../../../schema/log/note.ts';
import { type ReportRow, rows, type TicketRow } from '../../../schema/log/row.ts';
import { decodeBundle, tilePath, tileSizeAt, tileWidth } from '../../../schema/log/tile.ts';
import { reportBody } from '../../../schema/wire.ts';
import { type SpawnedServer, spawnServer } from '../../http/spawn.ts';

/** A trial as the survey has it. */
export interface SurveyTrial {
  readonly ticket: TicketRow;
  readonly isArmed: boolean;
  /** Every report under its ticket, first to last: more than one would be a doubled trial. */
  readonly reports: readonly { readonly row: ReportRow; readonly evidence: Evidence }[];
}

export interface Survey {
  /** As the host reaches it, and as the guest does. */
  readonly url: string;
  readonly guestUrl: string;
  /** Every ticket that was issued, in that order, with what followed. */
  readonly trials: () => Promise<SurveyTrial[]>;
  readonly stop: () => Promise<void>;
}

const contents = z.object({
  row: z.string().nullable(),
  envelope: z.object({ payload: z.string() }).nullable(),
});

/** All entries below the published checkpoint, with what only a named auditor sees. */
async function entriesOf(url: string, token: string) {
  const get = async (path: string) => {
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return answer;
  };
  const { size } = parseCheckpoint(parseNote(await (await get('/log/checkpoint')).text()).text);
  const entries: { kind: string; row: unknown; payload: string | null }[] = [];
  for (let bundle = 0; bundle * tileWidth < size; bundle++) {
    const width = tileSizeAt('entries', bundle, size);
    const tile = await get(`/log/${tilePath('entries', bundle, width)}`);
    const texts = decodeBundle(new Uint8Array(await tile.arrayBuffer()));
    const lines = (await (await get(`/log/rows/${bundle}`)).text()).trimEnd().split('\n');
    for (const [i, bytes] of texts.entries()) {
      const { kind } = logEntry.parse(JSON.parse(new TextDecoder().decode(bytes)));
      const { row, envelope } = contents.parse(JSON.parse(lines[i] ?? '{}'));
      entries.push({
        kind,
        row: row === null ? null : JSON.parse(row),
        payload: envelope && new TextDecoder().decode(fromBase64(envelope.payload)),
      });
    }
  }
  return entries;
}

async function trialsOf(url: string, token: string): Promise<SurveyTrial[]> {
  const trials = new Map<
    string,
    { ticket: TicketRow; isArmed: boolean; reports: SurveyTrial['reports'][number][] }
  >();
  for (const { kind, row, payload } of await entriesOf(url, token)) {
    if (kind === 'ticket') {
      const ticket = rows.ticket.parse(row);
      trials.set(ticket.nonce, { ticket, isArmed: false, reports: [] });
    }
    if (kind === 'armed') {
      const trial = trials.get(rows.armed.parse(row).nonce);
      if (trial) trial.isArmed = true;
    }
    if (kind === 'report' && payload !== null) {
      const report = rows.report.parse(row);
      const { evidence } = reportBody.parse(JSON.parse(payload));
      trials.get(report.nonce)?.reports.push({ row: report, evidence });
    }
  }
  return [...trials.values()];
}

/** Starts a survey on a directory of its own. It listens on this host only; a guest reaches it through QEMU. */
export async function startSurvey(data: string, env: Record<string, string> = {}): Promise<Survey> {
  const token = randomBytes(16).toString('hex');
  const auditor = createHash('sha256').update(utf8(token)).digest('hex');
  const server: SpawnedServer = await spawnServer(data, { DUMPSURVEY_AUDITORS: auditor, ...env });
  return {
    url: server.url,
    guestUrl: server.url.replace('127.0.0.1', '10.0.2.2'),
    trials: () => trialsOf(server.url, token),
    stop: async () => {
      const gone = new Promise((done) => server.child.once('close', done));
      server.child.kill('SIGTERM');
      await gone;
    },
  };
}
