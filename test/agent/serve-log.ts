/** A survey over HTTP that has nothing but a sample log: honest, but for what a suite makes it say instead. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LoggedKind } from '../../agent/link/admitted.ts';
import { toBase64 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import { problem } from '../../schema/problem.ts';
import type { SampleLog } from './sample-log.ts';

/** What is answered instead, by the path: any value as JSON, a text or bytes as they are, or `silence`. */
export type Instead = (
  honest: () => Promise<unknown>,
  search: URLSearchParams,
) => Promise<unknown> | typeof silence;
export const silence = Symbol('no answer');

const kinds: Readonly<Record<string, LoggedKind>> = {
  '/v1/armed': 'armed',
  '/v1/reports': 'report',
  '/v1/rotations': 'rotate',
  '/v1/withdrawals': 'withdraw',
};

export interface HostileServer {
  readonly url: string;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** Makes the answers at a path others than honest ones; null makes them honest again. */
  readonly set: (path: string, instead: Instead | null) => void;
  /** Replaces the log. */
  readonly show: (log: SampleLog) => void;
  readonly stop: () => Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}

/** Starts it. What it does not have is answered 404 with a problem document. */
export async function serveLog(first: SampleLog): Promise<HostileServer> {
  let log = first;
  const asked: string[] = [];
  const others = new Map<string, Instead>();

  async function honest({ pathname, searchParams }: URL, body: string): Promise<unknown> {
    const kind = kinds[pathname];
    if (kind) {
      const answer = await log.admit(kind, JSON.parse(body) as Envelope);
      return kind === 'report' ? { report_id: String(answer.log_index), ...answer } : answer;
    }
    if (pathname === '/v1') return log.index();
    if (pathname === '/log/checkpoint') return log.checkpoint();
    if (pathname.startsWith('/log/tile/')) return log.tile(pathname.slice('/log/'.length));
    if (pathname !== '/log/consistency') return null;
    const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to'))];
    if (to > log.size()) return null;
    return { from, to, proof: (await log.consistency(from, to)).map(toBase64) };
  }

  const server: Server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://survey.test');
    asked.push(url.pathname);
    const body = await bodyOf(request);
    const instead = others.get(url.pathname);
    const answer = instead
      ? await instead(() => honest(url, body), url.searchParams)
      : await honest(url, body);
    if (answer === silence) return;
    if (answer === null) {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify(problem('not-found', `There is nothing at ${url.pathname}.`)));
    } else if (typeof answer === 'string' || answer instanceof Uint8Array) response.end(answer);
    else response.end(JSON.stringify(answer));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    set: (path, instead) => (instead ? others.set(path, instead) : others.delete(path)),
    show: (next) => {
      log = next;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
