/** What a machine says to the survey, and which answers it takes. */
import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import { findScenario } from '../../schema/scenario.ts';
import type { Ticket, TicketsBody } from '../../schema/wire.ts';
import { machineInventory } from '../machine/inventory.ts';
import { fileTree } from '../machine/tree.ts';
import type { Api, ApiIndex } from './api.ts';
import { keyPairOf } from './keys.ts';
import type { SurveyLog } from './log.ts';
import { armedNote, askForTicket, type TicketRequest } from './survey.ts';
import { checkedSurvey } from './survey-api.ts';

const machine = keyPairOf(new Uint8Array(32).fill(1));
const nowMs = Date.parse('2026-11-24T12:00:00.000Z');
const wanted: TicketRequest = {
  request: 'ab'.repeat(16),
  profileSha256: 'cd'.repeat(32),
  set: 'standard/1',
  scenario: 'direct/panic/idle/none',
  mechanism: 'kdump',
  environment: 'instrumented',
  controls: true,
};
const scenario = findScenario(wanted.set, wanted.scenario);
if (scenario === null) throw new Error('the scenario is gone');
const ticket: Ticket = {
  nonce: 'ef'.repeat(16),
  machine: machine.name,
  profile_sha256: wanted.profileSha256,
  scenario: { set: wanted.set, ...scenario },
  mechanism: 'kdump',
  environment: 'instrumented',
  control: false,
  issued_at: '2026-11-24T11:00:00.000Z',
  arm_by: '2026-11-25T11:00:00.000Z',
  report_by: '2026-11-26T11:00:00.000Z',
  log_index: 4,
};

const bodyOf = <T>(e: Envelope) => JSON.parse(new TextDecoder().decode(fromBase64(e.payload))) as T;

/** Asks a survey of these versions that answers with this ticket. */
async function ask(answer: Ticket[], version: '1.0' | '1.1' = '1.1', controls = true) {
  const asked: TicketsBody[] = [];
  const got = await askForTicket(
    {
      version: async () => version as never,
      tickets: async (e) => {
        asked.push(bodyOf(e));
        return { tickets: answer, checkpoint: '' };
      },
    },
    machine,
    { ...wanted, controls },
    nowMs,
  ).catch((error: unknown) => error);
  return { got, asked: asked[0] };
}

describe('a request for a ticket', () => {
  it('is in the newest version that both know, and says whether it may be a control', async () => {
    const { got, asked } = await ask([ticket]);
    expect(got).toEqual(ticket);
    expect(asked).toMatchObject({ version: '1.1', controls: true, offline: false });
    expect((await ask([ticket], '1.1', false)).asked).toMatchObject({ controls: false });
    expect((await ask([ticket], '1.0')).asked).not.toHaveProperty('controls');
  });

  it('may bring a control only where that was asked for', async () => {
    const control = { ...ticket, control: true };
    expect((await ask([control])).got).toEqual(control);
    expect((await ask([control], '1.1', false)).got).toBeInstanceOf(Error);
    expect((await ask([control], '1.0')).got).toBeInstanceOf(Error);
  });

  it.each<[string, Ticket[]]>([
    ['no ticket', []],
    ['another machine’s', [{ ...ticket, machine: '12'.repeat(32) }]],
    ['one for another profile', [{ ...ticket, profile_sha256: '12'.repeat(32) }]],
    ['another scenario', [{ ...ticket, scenario: { ...ticket.scenario, crash_type: 'loop' } }]],
    ['another set-up', [{ ...ticket, scenario: { ...ticket.scenario, set_up: 'defaults' } }]],
    ['more requests in flight', [{ ...ticket, scenario: { ...ticket.scenario, in_flight_min: 9 } }]],
    ['another mechanism', [{ ...ticket, mechanism: 'fadump' }]],
    ['another environment', [{ ...ticket, environment: 'stock' }]],
  ])('is not answered by %s: the server cannot define what runs here', async (_, answer) => {
    const { got } = await ask(answer);
    expect(String(got)).toContain('the survey sent another ticket than was asked for');
  });
});

describe('the note that a trial is armed', () => {
  it('names the ticket and the time', () => {
    const note: unknown = JSON.parse(new TextDecoder().decode(armedNote(machine, ticket, nowMs)));
    expect(note).toEqual({
      version: '1.0',
      machine: machine.name,
      nonce: ticket.nonce,
      armed_at: '2026-11-24T12:00:00.000Z',
    });
  });

  it('is not made once the ticket no longer allows it', () => {
    expect(armedNote(machine, ticket, Date.parse(ticket.arm_by))).toBeInstanceOf(Uint8Array);
    expect(() => armedNote(machine, ticket, Date.parse(ticket.arm_by) + 1)).toThrow('was to be armed by');
  });
});

describe('the version of a payload', () => {
  const surveyWith = (index: () => Promise<ApiIndex>) =>
    checkedSurvey({ index } as unknown as Api, {} as SurveyLog);
  const offering = (payload_versions: ApiIndex['payload_versions']) =>
    surveyWith(async () => ({ log: { origin: '', verifier_key: '' }, payload_versions }));

  it.each<[string[], string]>([
    [['1.0'], '1.0'],
    [['1.0', '1.1'], '1.1'],
    [['1.1', '1.2'], '1.2'],
    [['1.2', '1.3'], '1.2'],
  ])('of a survey that takes %j is %s', async (report, version) => {
    expect(await offering({ report }).version('report')).toBe(version);
  });

  it.each<[string, ApiIndex['payload_versions']]>([
    ['only newer ones', { report: ['2.0'] }],
    ['none', {}],
  ])('where the survey takes %s: a person must find an agent that fits', async (_, versions) => {
    await expect(offering(versions).version('report')).rejects.toMatchObject({ name: 'Advice' });
  });

  it.each<[readonly string[] | null, string]>([
    [['1.0', '1.1'], '1.1'],
    [['1.0'], '1.0'],
    [null, '1.0'],
  ])('of a profile, for a survey that takes %j, is %s', async (offered, version) => {
    const survey = surveyWith(async () => ({
      log: { origin: '', verifier_key: '' },
      payload_versions: {},
      ...(offered && { profile_versions: [...offered] }),
    }));
    const { profile } = machineInventory(fileTree('/nowhere'), {});
    expect((await survey.profileFor(profile)).version).toBe(version);
  });

  it('is asked for once, and again where the survey could not be reached', async () => {
    let asked = 0;
    const survey = surveyWith(() => {
      if (++asked === 1) return Promise.reject(new Error('no answer'));
      return Promise.resolve({
        log: { origin: '', verifier_key: '' },
        payload_versions: { report: ['1.0'] },
      });
    });
    await expect(survey.version('report')).rejects.toThrow('no answer');
    expect(await Promise.all([survey.version('report'), survey.version('report')])).toEqual(['1.0', '1.0']);
    expect(asked).toBe(2);
  });
});
