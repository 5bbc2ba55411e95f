/** Profiles of both versions, on both runtimes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Profile } from '../../schema/profile.ts';
import { enrol, get, post, problemOf, receiptOf, takeTicket } from './client.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { sampleMachine, sampleProfile, seal, wholeProfile } from './samples.ts';

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  beforeAll(async () => {
    runtime = await startRuntime(name);
    ({ url } = runtime);
  });
  afterAll(() => runtime.stop());

  it('both are named as admitted', async () => {
    expect((await get(url, '/v1')).json).toMatchObject({ profile_versions: ['1.0', '1.1'] });
  });

  it.each<[string, Profile]>([
    ['1.0', sampleProfile('virtio_blk')],
    ['1.1', wholeProfile('virtio_blk')],
  ])(
    'one of %s is taken, gets tickets, and is shown with a report as it was told',
    async (version, profile) => {
      const machine = sampleMachine(`of ${version}`, profile);
      await enrol(url, machine);
      const ticket = await takeTicket(url, machine, `of ${version}`);
      const body = machine.report(ticket, 'captured', Date.now());
      const { report_id } = receiptOf(await post(url, 'report', seal('report', body, machine.key)));
      const shown = (await get(url, `/v1/reports/${report_id}`)).json as { profile: unknown };
      expect(shown.profile).toEqual(profile);
      const page = await get(url, `/v1/reports/${report_id}`, 'text/html');
      expect([page.status, page.text.includes('virtio_blk')]).toEqual([200, true]);
    },
  );

  it.each<[string, unknown]>([
    ['fields of 1.1 that says it is 1.0', { ...wholeProfile(), version: '1.0' }],
    ['the fields of 1.0 that says it is 1.1', { ...sampleProfile(), version: '1.1' }],
    ['a disk by its name', { ...wholeProfile(), dump_stack: ['nvme0n1'] }],
    ['a version that is not known', { ...wholeProfile(), version: '1.2' }],
  ])('one with %s is refused', async (_, profile) => {
    const machine = sampleMachine('refused', profile as Profile);
    const answer = await post(url, 'enrol', seal('enrol', machine.enrol(), machine.key));
    expect([answer.status, problemOf(answer).type]).toEqual([422, '/problems/invalid-payload']);
  });
});
