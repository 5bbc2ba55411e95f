/** Every example of the API's description, sent as it stands there to each runtime, and what comes back held against it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ticket } from '../../schema/wire.ts';
import { openApi } from '../../worker/openapi/document.ts';
import type { Operation } from '../../worker/openapi/operation.ts';
import { operations } from '../../worker/openapi/operations.ts';
import { responseAt } from '../../worker/openapi/response.ts';
import type { OpenApi } from '../../worker/openapi/types.ts';
import { enrol, post, receiptOf, takeTicket } from './client.ts';
import { type Contract, contractOf, type Described } from './contract.ts';
import { exampleAddresses, operator, sentAtMs } from './examples.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { sampleMachine, sampleProfile, seal } from './samples.ts';

const metricsToken = 'a token that opens the metrics'.replaceAll(' ', '-');

/** The nonce that the examples' ticket has. */
function nonceOf({ document }: Contract): string {
  const issued = responseAt(document, '/v1/tickets', 'post', 201)?.response.content['application/json'];
  const { tickets } = (issued?.example ?? { tickets: [] }) as { tickets: Ticket[] };
  return tickets[0]?.nonce ?? '';
}

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let contract: Contract;

  beforeAll(async () => {
    runtime = await startRuntime(name, { operators: [operator.publicHex], metricsToken });
    await runtime.setClock(sentAtMs - Date.now());
    contract = contractOf((await (await fetch(`${runtime.url}/openapi.json`)).json()) as OpenApi);
  });
  afterAll(() => runtime.stop());

  async function send(described: Described, path: string, init: RequestInit) {
    const response = await fetch(runtime.url + path, init);
    const answer = {
      status: response.status,
      contentType: response.headers.get('content-type'),
      text: init.method === 'HEAD' ? '' : await response.text(),
    };
    return { answer, fault: init.method === 'HEAD' ? null : contract.faultOf(described, answer) };
  }

  /** The same document wherever it runs, so the operations are known before it does. */
  const rows = Object.entries(operations) as [string, Operation][];
  const described = (id: string) => {
    const found = contract.operations.find(({ operation }) => operation.operationId === id);
    if (found === undefined) throw new Error(`the document does not describe ${id}`);
    return found;
  };

  async function isAdmittedOnce(id: string, { address }: Operation): Promise<void> {
    const operation = described(id);
    const body = JSON.stringify(operation.operation.requestBody?.content['application/json']?.example);
    for (const status of [201, 200]) {
      const { answer, fault } = await send(operation, address, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect([answer.status, fault, answer.text]).toEqual([status, null, answer.text]);
    }
    if (id !== 'issueTickets') return;
    // A server draws nonces at random: its ticket gets the one of the examples.
    const renamed = await runtime.database.execute({
      sql: 'update tickets set nonce = ?',
      args: [nonceOf(contract)],
    });
    expect(renamed.rowsAffected).toBe(1);
  }

  const taking = rows.filter(([, { takes }]) => takes);
  // What is withdrawn cannot be shown any more.
  const atTheEnd = (id: string) => id === 'withdrawData';

  it.each(taking.filter(([id]) => !atTheEnd(id)))('%s admits its example, once', isAdmittedOnce);

  it.each(rows.filter(([, { takes }]) => !takes))('%s answers its examples as described', async (id, row) => {
    await runtime.tick();
    const operation = described(id);
    const content = responseAt(contract.document, operation.address, 'get', 200)?.response.content ?? {};
    const secret: Record<string, string> =
      id === 'getMetrics' ? { authorization: `Bearer ${metricsToken}` } : {};
    for (const path of exampleAddresses(row)) {
      for (const accept of Object.keys(content)) {
        const { answer, fault } = await send(operation, path, { headers: { accept, ...secret } });
        expect([path, answer.status, fault]).toEqual([path, 200, null]);
      }
      expect((await send(operation, path, { method: 'HEAD', headers: secret })).answer).toMatchObject({
        status: 200,
        text: '',
      });
      expect((await send(operation, path, { method: 'OPTIONS' })).answer.status).toBe(204);
    }
  });

  it('a report of a real machine is answered as described: withheld', async () => {
    const profile = sampleProfile('nvme', { population: 'metal', lab_machine: null });
    const machine = sampleMachine('real', profile);
    await enrol(runtime.url, machine);
    const ticket = await takeTicket(runtime.url, machine, 'real');
    const body = { ...machine.report(ticket, 'captured', sentAtMs), population: 'metal' };
    const { report_id } = receiptOf(await post(runtime.url, 'report', seal('report', body, machine.key)));
    for (const [id, path] of [
      ['getReport', `/v1/reports/${report_id}`],
      ['getReportPage', `/reports/${report_id}`],
    ] as const) {
      const { answer, fault } = await send(described(id), path, { headers: { accept: 'text/html' } });
      expect([answer.status, fault, answer.contentType]).toEqual([
        200,
        null,
        expect.stringContaining('json'),
      ]);
      expect(JSON.parse(answer.text)).toMatchObject({ report_id, population: 'metal' });
      expect(answer.text).not.toContain(machine.key.publicHex);
      expect(answer.text).not.toContain('nvme');
    }
  });

  it('describes itself alike on every runtime', () => {
    expect(contract.document).toEqual(JSON.parse(JSON.stringify(openApi())));
  });

  it.each(taking.filter(([id]) => atTheEnd(id)))('%s admits its example, once', isAdmittedOnce);

  it.each([
    ['GET', '/v1/nothing', 'NoSuchAddress', 404],
    ['POST', '/', 'NoSuchMethod', 405],
    ['DELETE', '/v1/reports', 'NoSuchMethod', 405],
  ] as const)('%s %s is answered as described for all addresses', async (method, path, which, status) => {
    const response = await fetch(runtime.url + path, { method });
    const answer = {
      status: response.status,
      contentType: response.headers.get('content-type'),
      text: await response.text(),
    };
    expect([answer.status, contract.faultOfGeneral([which], answer)]).toEqual([status, null]);
  });
});

describe('the contract', () => {
  const contract = contractOf({
    openapi: '3.1.1',
    info: {},
    servers: [],
    tags: [],
    paths: {
      '/a/{b}': {
        get: {
          operationId: 'getA',
          tags: [],
          summary: '',
          responses: {
            200: {
              description: '',
              content: {
                'application/json': {
                  schema: {
                    type: 'object',
                    properties: { n: { $ref: '#/components/schemas/N' } },
                    required: ['n'],
                    additionalProperties: false,
                  },
                },
              },
            },
          },
        },
      },
    },
    components: { schemas: { N: { type: 'integer' } }, responses: {}, headers: {} },
  });
  const [getA] = contract.operations;
  const json = 'application/json; charset=utf-8';

  it.each([
    [200, json, '{"n":1}', null],
    [200, 'Application/JSON', '{"n":1}', null],
    [200, json, '{"n":1.5}', /must be integer/],
    [200, json, '{"n":1,"m":1}', /additional properties/],
    [200, json, '{}', /required property 'n'/],
    [200, json, '{"n":', /not JSON/],
    [200, 'text/html', '{"n":1}', /text\/html is not described/],
    [200, null, '{"n":1}', /none is not described/],
    [201, json, '{"n":1}', /status 201 is not described/],
    [500, json, '{"n":1}', /status 500 is not described/],
  ])('holds %s %s %s against the document', (status, contentType, text, fault) => {
    const found = contract.faultOf(getA as Described, { status, contentType, text });
    if (fault === null) expect(found).toBeNull();
    else expect(found).toMatch(fault);
  });
});
