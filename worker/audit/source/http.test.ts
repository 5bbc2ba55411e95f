/** Servers that mean harm, or are broken: each is a clear error after bounded time and memory, and accuses nobody. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { auditFiles } from '../../../test/audit/files.ts';
import { surveyAt } from './http.ts';
import { Incomplete, linesOf, readBytes, readText } from './source.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const quick = { sleep: async () => undefined, patienceMs: 200, longestMs: 400 };

/** What reading an address comes to. */
async function failure(url: string, mostBytes = 1000): Promise<Incomplete> {
  const error = await readBytes(surveyAt(url, quick), '/log/checkpoint', mostBytes).catch((e: unknown) => e);
  if (error instanceof Incomplete) return error;
  throw new Error(`it was read: ${String(error)}`);
}

describe('a hostile server', () => {
  it('that sends without end is cut off', async () => {
    let sentBytes = 0;
    const url = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sentBytes += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const { message } = await failure(url);
    expect(message).toMatch(/goes on after 1000 bytes/);
    expect(sentBytes).toBeLessThan(64 * 1024 * 1024);
  });

  it('that packs much into little is cut off, too', async () => {
    const packed = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
    );
    expect((await failure(url)).message).toMatch(/goes on after 1000 bytes/);
  });

  it('that sends one line without end is cut off', async () => {
    const url = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      response.write('short\n');
      more();
    });
    const lines: string[] = [];
    const read = async () => {
      for await (const line of linesOf(surveyAt(url, quick), '/log/rows/0', 100_000)) lines.push(line);
    };
    await expect(read()).rejects.toThrow(/goes on after 100000 bytes in one line/);
    expect(lines).toEqual(['short']);
  });

  it('that says nothing is given up', async () => {
    let attempts = 0;
    const url = await serve(() => attempts++);
    expect((await failure(url)).message).toMatch(/said nothing for 0.2 s/);
    expect(attempts).toBe(4);
  });

  it('that stops in the middle is given up', async () => {
    const url = await serve((_, response) => response.write('half'));
    expect((await failure(url)).message).toMatch(/said nothing for 0.2 s/);
  });

  it('that drips is given up', async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write('.'), 20);
      response.once('close', () => clearInterval(timer));
    });
    expect((await failure(url)).message).toMatch(/not answered to its end within 0.4 s/);
  });

  it('that sends on and on is not followed', async () => {
    let attempts = 0;
    const url = await serve((request, response) => {
      attempts++;
      response.writeHead(302, { location: `${request.url}/again` }).end();
    });
    expect((await failure(url)).message).toMatch(/sends on to \/log\/checkpoint\/again \(302\).*--url/);
    expect(attempts).toBe(1);
  });

  it('that is too busy is asked again, and then heard', async () => {
    let attempts = 0;
    const url = await serve((_, response) => {
      attempts++;
      response.writeHead(attempts < 3 ? 503 : 200).end('at last');
    });
    expect(await readText(surveyAt(url, quick), '/log/checkpoint', 1000)).toBe('at last');
  });

  it('that says when to come again is waited for, but not for long', async () => {
    const waitedMs: number[] = [];
    const source = (url: string) =>
      surveyAt(url, {
        ...quick,
        sleep: async (ms) => {
          waitedMs.push(ms);
        },
      });
    const patient = await serve((_, response) => {
      response.writeHead(waitedMs.length < 1 ? 429 : 200, { 'retry-after': '7' }).end('at last');
    });
    expect(await readText(source(patient), '/log/checkpoint', 1000)).toBe('at last');
    const lazy = await serve((_, response) => response.writeHead(503, { 'retry-after': '86400' }).end());
    await expect(readText(source(lazy), '/log/checkpoint', 1000)).rejects.toThrow(/answered 503/);
    expect(waitedMs).toEqual([7000]);
  });

  it('that breaks off between lines is asked again, and each line is given once', async () => {
    let attempts = 0;
    const url = await serve((_, response) => {
      response.write('one\ntwo\n');
      if (++attempts < 3) setTimeout(() => response.destroy(), 50);
      else response.end('three\nno end');
    });
    const lines: string[] = [];
    for await (const line of linesOf(surveyAt(url, quick), '/log/rows/0', 100)) lines.push(line);
    expect(lines).toEqual(['one', 'two', 'three', 'no end\uffff']);
    expect(attempts).toBe(3);
  });

  it('that refuses is quoted on one line', async () => {
    const url = await serve((_, response) =>
      response.writeHead(401).end(`no\n\u001b[31m${'!'.repeat(5000)}`),
    );
    const { message } = await failure(url);
    expect(message).toMatch(/^http:\S+ answered 401\. It says: no \[31m!+$/);
    expect(message.length).toBeLessThan(500);
  });

  it('that is not UTF-8 is not read as text', async () => {
    const url = await serve((_, response) => response.end(Buffer.from([0xc3, 0x28])));
    await expect(readText(surveyAt(url, quick), '/log/checkpoint', 1000)).rejects.toThrow(/is not UTF-8/);
  });

  it('that is not there is said to be so', async () => {
    const url = await serve(() => undefined);
    await Promise.all(ends.splice(0).map((end) => end()));
    expect((await failure(url)).message).toMatch(/could not be read: .*ECONNREFUSED/);
  });

  it('that answers everything with a page is no survey', async () => {
    const url = await serve((_, response) => response.end('<!doctype html><title>Log in</title>'));
    const report = await auditFiles(new Map(), null, { source: surveyAt(url, quick) });
    expect(report.lacking).toEqual([expect.stringMatching(/\/log\/key names no key of a log/)]);
    expect(report.tally.findings()).toEqual([]);
  });
});

it('shows the token of an auditor to the rows only', async () => {
  const seen: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.end('x');
  });
  const source = surveyAt(`${url}/`, { ...quick, token: 'secret-of-an-auditor' });
  for (const address of ['/log/rows/0', '/log/checkpoint', '/v1/statistics?by=driver'])
    await readBytes(source, address, 10);
  expect(seen).toEqual(['Bearer secret-of-an-auditor', undefined, undefined]);
});
