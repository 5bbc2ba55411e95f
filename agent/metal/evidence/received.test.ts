/** A dump that went to another machine counts by the word of that machine, under the same ticket; and by nothing less. */
import { describe, expect, it, test } from 'vitest';
import { classify } from '../../../schema/classify/classify.ts';
import { type Envelope, envelope } from '../../../schema/envelope.ts';
import { openFinding, receiverFault } from '../../../schema/finding.ts';
import { findScenario } from '../../../schema/scenario.ts';
import { type ReportBody, reportBody } from '../../../schema/wire.ts';
import { kdump, listing } from '../../../test/fixtures/dumps/fixture.ts';
import { armedAt, crashTree } from '../../../test/fixtures/metal/crash-trees.ts';
import { bytesSource } from '../../dump/source.ts';
import { keyPairOf } from '../../link/keys.ts';
import { listingText } from '../../trial/listing-text.ts';
import { gatherEvidence } from './gather.ts';
import { amendedBy, findingOn, openReceived, plantedIn, signFinding, trialFileText } from './received.ts';

const keyOf = (seed: number) => keyPairOf(new Uint8Array(32).fill(seed));
const machine = keyOf(1);
const receiver = keyOf(2);
const nowMs = Date.parse(armedAt) + 3600_000;
const scenario = findScenario('standard/1', 'direct/panic/idle/none');
if (scenario === null) throw new Error('there is no first scenario');

async function finding(bytes: Uint8Array = kdump, key = receiver): Promise<Envelope> {
  const planted = plantedIn(trialFileText(listingText(listing)));
  return signFinding(await findingOn(bytesSource(bytes), planted, key.name, nowMs), key);
}

/** The first report on a trial whose dump went over NFS. */
async function firstReport(change: Partial<ReportBody> = {}): Promise<ReportBody> {
  const made = crashTree('debian');
  made.write('/etc/default/kdump-tools', 'USE_KDUMP=1\nNFS="server:/crash"\n');
  const evidence = await gatherEvidence({
    tree: made.tree,
    root: made.root,
    armed: {
      boot_id: 'a',
      armed_at: armedAt,
      listing,
      watchdog: { present: false, timeout_ms: 0 },
      beacon: { kind: 'none' },
      crash_before: [],
    },
    bootId: 'b',
    nowMs,
  });
  return reportBody.parse({
    version: '1.2',
    machine: machine.name,
    nonce: listing.nonce,
    profile_sha256: 'cd'.repeat(32),
    population: 'metal',
    scenario: { set: 'standard/1', ...scenario },
    mechanism: 'kdump',
    environment: 'stock',
    triggered_by: 'crashpoint',
    sysctls: {},
    agent_version: '0.1.0',
    emulator: null,
    armed_at: armedAt,
    reported_at: new Date(nowMs).toISOString(),
    evidence,
    outcome: scenario && classify(evidence, scenario, 'kdump'),
    amends: null,
    ...change,
  });
}

const hash = 'ab'.repeat(32);

test('the finding amends the report, which is then verified', async () => {
  const first = await firstReport();
  expect(first.outcome).toMatchObject({ result: 'failed', verdict: 'unverifiable' });
  const amended = amendedBy(first, hash, await openReceived(await finding()), nowMs);
  expect(amended.outcome).toMatchObject({
    result: 'captured',
    verdict: 'verified',
    reached: { proven: 'dump_written' },
  });
  expect(amended).toMatchObject({ amends: { report_hash: hash, reason: 'dump-found' } });
  expect(amended.evidence.crash_log).toContain('Kernel panic - not syncing');
  expect(await receiverFault(amended)).toBeNull();
  expect(await receiverFault(first)).toBeNull();
});

test('what is not a dump is found not to be one, and that is signed, too', async () => {
  const amended = amendedBy(
    await firstReport(),
    hash,
    await openReceived(await finding(Buffer.alloc(5000))),
    nowMs,
  );
  expect(amended.outcome).toMatchObject({ result: 'failed', verdict: 'unreadable' });
  expect(await receiverFault(amended)).toBeNull();
});

describe('the server refuses', () => {
  const withReceiver = async (change: (e: ReportBody, word: Envelope) => object) => {
    const word = await finding();
    const amended = amendedBy(await firstReport(), hash, await openReceived(word), nowMs);
    return receiverFault(reportBody.parse({ ...amended, ...change(amended, word) }));
  };
  const inEvidence = (e: ReportBody, change: object) => ({ evidence: { ...e.evidence, ...change } });
  const receivedAs = (e: ReportBody, change: object) =>
    e.version === '1.2' ? inEvidence(e, { after_reboot: { ...e.evidence.after_reboot, ...change } }) : {};

  it.each<[string, RegExp, (e: ReportBody, word: Envelope) => object]>([
    [
      'another finding than was signed',
      /not what the receiver found/,
      (e) => inEvidence(e, { dump: { ...e.evidence.dump, log_lines: 1 } }),
    ],
    ['a finding without its dump', /not what the receiver found/, (e) => inEvidence(e, { dump: null })],
    ['the word on another trial', /it is of trial/, () => ({ nonce: '0'.repeat(32) })],
    ['a word on a dump that is here', /not elsewhere/, (e) => receivedAs(e, { dump_state: 'complete' })],
    [
      'changed bytes',
      /not signed by key/,
      (e, word) =>
        receivedAs(e, {
          receiver: {
            ...word,
            payload: Buffer.from(
              Buffer.from(word.payload, 'base64').toString().replace('1.0', '1.1'),
            ).toString('base64'),
          },
        }),
    ],
    [
      'another payload type',
      /payloadType is/,
      (e, word) => receivedAs(e, { receiver: { ...word, payloadType: 'application/json' } }),
    ],
    ['no JSON', /no signed JSON/, (e, word) => receivedAs(e, { receiver: { ...word, payload: 'AAAA' } })],
    [
      'a key of small order',
      /has a form that is not accepted/,
      (e, word) =>
        receivedAs(e, {
          receiver: {
            ...word,
            signatures: [{ keyid: `01${'00'.repeat(31)}`, sig: word.signatures[0]?.sig }],
          },
        }),
    ],
  ])('%s', async (_, words, change) => {
    expect(await withReceiver(change)).toMatch(words);
  });

  it('the word of the machine itself', async () => {
    const own = await openReceived(await finding(kdump, machine));
    const first = await firstReport();
    if (first.version !== '1.2' || !first.evidence.after_reboot) throw new Error('not after a reboot');
    const after_reboot = { ...first.evidence.after_reboot, receiver: own.envelope };
    const report = { ...first, evidence: { ...first.evidence, dump: own.body.dump, after_reboot } };
    expect(await receiverFault(report)).toMatch('cannot vouch for its own dump');
  });
});

describe('the agent does not even sign', () => {
  it.each<[string, Partial<ReportBody>, string]>([
    ['another trial', { nonce: 'f'.repeat(32) }, 'it is of trial'],
    ["the receiver's own", { machine: receiver.name }, 'cannot vouch for its own dump'],
    ['an amendment', { amends: { report_hash: hash, reason: 'dump-found' } }, 'it amends one itself'],
  ])('%s', async (_, change, words) => {
    const received = await openReceived(await finding());
    const first = { ...(await firstReport()), ...change } as ReportBody;
    expect(() => amendedBy(first, hash, received, nowMs)).toThrow(words);
  });

  it('an unusable word', async () => {
    const word = await finding();
    await expect(openReceived({ ...word, payload: 'e30=' })).rejects.toThrow('cannot be used');
    expect(() => plantedIn('{"version":1,"listing":"{}"}')).toThrow('verify-dump --export');
  });
});

test('nothing that may be in an envelope makes the opening throw', async () => {
  for (const payload of ['e30=', '', '====', 'bnVsbA==', Buffer.from('[1]').toString('base64')]) {
    const word = { payload, payloadType: 'application/vnd.dumpsurvey.finding.v1+json', signatures: [] };
    expect(await openFinding(word)).toHaveProperty('fault');
  }
  expect(envelope.safeParse(await finding()).success).toBe(true);
});
