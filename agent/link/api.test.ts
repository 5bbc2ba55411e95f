/** The client against a server that answers as servers do: busy, refusing, garbled, not at all. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Envelope } from '../../schema/envelope.ts';
import { problem } from '../../schema/problem.ts';
import { type ApiOptions, apiAt, Refused, type SentKind, Unreachable, Unusable } from './api.ts';

const report: Envelope = {
  payload: 'e30=',
  payloadType: 'application/vnd.dumpsurvey.report.v1+json',
  signatures: [{ keyid: 'ab'.repeat(32), sig: 'QQ==' }],
};
const logged = {
  log_index: 7,
  admitted_at: '2026-11-23T15:26:53.000Z',
  entry: '{}',
  row: '{}',
  row_salt: 'ab'.repeat(16),
  envelope_salt: 'cd'.repeat(16),
  promise: report,
  checkpoint: 'a note',
};
const receipt = { report_id: '7', ...logged };

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A clock that sleeping moves. */
function clock(patienceMs: number): ApiOptions & { readonly pauses: number[] } {
  const pauses: number[] = [];
  return {
    pauses,
    patienceMs,
    now: () => pauses.reduce((sum, ms) => sum + ms, 0),
    sleep: async (ms) => {
      pauses.push(ms);
    },
  };
}

type Answer = readonly [status: number, body: string];

/** A server that gives these answers in turn, the last one for ever, and what it was asked. */
async function answering(...answers: Answer[]) {
  const asked: {
    method: string | undefined;
    url: string | undefined;
    type: string | undefined;
    body: string;
  }[] = [];
  const url = await serve((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const [status, text] = answers[Math.min(asked.length, answers.length - 1)] ?? [500, ''];
      asked.push({ method: request.method, url: request.url, type: request.headers['content-type'], body });
      response.writeHead(status).end(text);
    });
  });
  return { url, asked };
}

describe('a request', () => {
  it.each<[SentKind, string, object]>([
    ['report', '/v1/reports', receipt],
    ['tickets', '/v1/tickets', { tickets: [], checkpoint: 'a note' }],
    ['armed', '/v1/armed', { nonce: '0'.repeat(32), ...logged }],
    [
      'enrol',
      '/v1/machines',
      {
        log_index: 3,
        checkpoint: 'a note',
        machine: 'ab'.repeat(32),
        owner: 'ab'.repeat(32),
        profile_sha256: 'ab'.repeat(32),
        labels: ['enrolled'],
      },
    ],
  ])('%s goes to %s and gives the answer', async (method, path, answer) => {
    const { url, asked } = await answering([201, JSON.stringify(answer)]);
    expect(await apiAt(url, clock(0))[method](report)).toEqual(answer);
    expect(asked).toEqual([
      { method: 'POST', url: path, type: 'application/json', body: JSON.stringify(report) },
    ]);
  });

  it('is sent again, with the same bytes and growing pauses, until a busy server takes it', async () => {
    const busy: Answer = [503, JSON.stringify(problem('store-busy', 'Wait.'))];
    const { url, asked } = await answering(busy, busy, [502, '<html>'], [200, JSON.stringify(receipt)]);
    const options = clock(60_000);
    expect(await apiAt(url, options).report(report)).toEqual(receipt);
    expect(options.pauses).toEqual([200, 400, 800]);
    expect(new Set(asked.map(({ body }) => body)).size).toBe(1);
    expect(asked).toHaveLength(4);
  });

  it.each([408, 425, 429, 500, 502, 503, 504])(
    'that is answered %i for ever ends with patience',
    async (status) => {
      const { url } = await answering([status, '']);
      const options = clock(20_000);
      await expect(apiAt(url, options).report(report)).rejects.toThrow(
        `/v1/reports: the survey answered ${status}. Try again later.`,
      );
      expect(options.now()).toBeLessThanOrEqual(20_000);
      expect(Math.max(...options.pauses)).toBe(5000);
    },
  );

  it('that no server takes ends with patience, not at once', async () => {
    const url = await serve(() => {});
    server?.close();
    const options = clock(1000);
    const error = await apiAt(url, options)
      .report(report)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Unreachable);
    expect((error as Error).message).toMatch(/\/v1\/reports: fetch failed \(.*ECONNREFUSED.*Try again later/);
    expect(options.pauses).toEqual([200, 400]);
  });

  it('is sent again where the connection breaks before the answer', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      if (++requests === 1) request.socket.destroy();
      else response.end(JSON.stringify(receipt));
    });
    expect(await apiAt(url, clock(1000)).report(report)).toEqual(receipt);
  });

  it('that is never answered is given up, and sent again', async () => {
    const url = await serve(() => {});
    const options = { ...clock(1000), requestTimeoutMs: 50 };
    await expect(apiAt(url, options).report(report)).rejects.toThrow(/\/v1\/reports: .*timeout/);
    expect(options.pauses).toEqual([200, 400]);
  });

  it('whose answer never ends is given up, and sent again', async () => {
    const url = await serve((_, response) => {
      response.write('{');
      const timer = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(timer));
    });
    const options = { ...clock(0), requestTimeoutMs: 50 };
    await expect(apiAt(url, options).report(report)).rejects.toThrow(Unreachable);
  });

  it('whose answer has no end of bytes is given up at once', async () => {
    let written = 0;
    const url = await serve((_, response) => {
      const more = () => {
        while (written < 1 << 30 && response.write('x'.repeat(1 << 16))) written += 1 << 16;
      };
      response.on('drain', more);
      more();
    });
    await expect(apiAt(url, clock(60_000)).report(report)).rejects.toThrow(Unusable);
    expect(written).toBeLessThan(1 << 26);
  });
});

describe('what the survey says of itself', () => {
  const index = {
    name: 'Dump Survey',
    log: { origin: 'survey.test/log', verifier_key: 'survey.test/log+00000000+AQ==' },
    payload_versions: { report: ['1.0', '1.1'] },
  };
  const proof = ['q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s='];
  const hashes = [new Uint8Array(32).fill(0xab)];
  it.each<[string, (api: ReturnType<typeof apiAt>) => Promise<unknown>, string, string, unknown]>([
    [
      'the index, without what an agent does not need',
      (api) => api.index(),
      '/v1',
      JSON.stringify(index),
      { log: index.log, payload_versions: index.payload_versions },
    ],
    ['the checkpoint', (api) => api.checkpoint(), '/log/checkpoint', 'a note\n', 'a note\n'],
    [
      'a consistency proof',
      (api) => api.consistency(3, 7),
      '/log/consistency?from=3&to=7',
      JSON.stringify({ from: 3, to: 7, proof }),
      hashes,
    ],
    [
      'a tile',
      (api) => api.tile('tile/0/000.p/1'),
      '/log/tile/0/000.p/1',
      'x',
      expect.objectContaining({ length: 1 }),
    ],
  ])('%s', async (_, ask, path, body, answer) => {
    const { url, asked } = await answering([503, ''], [200, body]);
    expect(await ask(apiAt(url, clock(1000)))).toEqual(answer);
    expect(asked.map(({ method, url }) => [method, url])).toEqual([
      ['GET', path],
      ['GET', path],
    ]);
  });

  it.each([
    ['hashes of another length', { from: 3, to: 7, proof: ['q6s='] }],
    ['what is no base64', { from: 3, to: 7, proof: ['nonsense'] }],
    ['a thousand hashes', { from: 3, to: 7, proof: Array.from({ length: 1000 }, () => proof[0]) }],
    ['no hashes', { from: 3, to: 7 }],
  ])('a proof of %s is none', async (_, body) => {
    const { url } = await answering([200, JSON.stringify(body)]);
    await expect(apiAt(url, clock(60_000)).consistency(3, 7)).rejects.toThrow(Unusable);
  });
});

describe('a refusal', () => {
  it('is an error at once, with what the problem document says', async () => {
    const said = problem('report-too-late', 'The report of 1.1. is too late.');
    const { url, asked } = await answering([410, JSON.stringify(said)]);
    const error = await apiAt(url, clock(60_000))
      .report(report)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({ status: 410, type: '/problems/report-too-late' });
    expect((error as Error).message).toContain(said.detail);
    expect((error as Error).message).toContain(said.action);
    expect(asked).toHaveLength(1);
  });

  it.each<[string, number, string]>([
    ['a page of a proxy', 403, `<html>${'Forbidden. '.repeat(100)}</html>`],
    ['JSON of another kind', 404, '{"message":"not found"}'],
    ['nothing', 401, ''],
    ['a redirection that leads nowhere', 304, ''],
  ])('by somebody in between (%s) is one too', async (_, status, body) => {
    const { url } = await answering([status, body]);
    const error = await apiAt(url, clock(60_000))
      .report(report)
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'Refused', status, type: 'unknown' });
    expect((error as Error).message.length).toBeLessThan(300);
  });
});

describe('an answer that is not understood', () => {
  it('is no receipt: text that is no JSON is asked for again until patience ends', async () => {
    const { url, asked } = await answering([200, '<html>Welcome to the hotel</html>']);
    await expect(apiAt(url, clock(500)).report(report)).rejects.toThrow('/v1/reports: the answer is no JSON');
    expect(asked.length).toBeGreaterThan(1);
  });

  it.each([
    ['of other fields', '{}'],
    ['with a checkpoint of megabytes', JSON.stringify({ ...receipt, checkpoint: 'x'.repeat(3 << 20) })],
    ['with a checkpoint of too many bytes', JSON.stringify({ ...receipt, checkpoint: 'x'.repeat(20_001) })],
    ['with a field more', JSON.stringify({ ...receipt, note: '' })],
    ['with another type', JSON.stringify({ ...receipt, log_index: '7' })],
  ])('is no receipt: JSON %s ends it at once', async (_, body) => {
    const { url, asked } = await answering([200, body]);
    await expect(apiAt(url, clock(60_000)).report(report)).rejects.toThrow(Unusable);
    expect(asked).toHaveLength(1);
  });
});
