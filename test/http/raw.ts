/** Connections on which a test writes bytes by itself, for requests that no client would make. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An answer as it came over a connection. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A connection to a server, with everything that came over it. */
export interface RawConnection {
  readonly socket: Socket;
  readonly received: () => string;
  /** What had come when the server closed the connection. */
  readonly ended: Promise<string>;
}

/** Opens a connection. An error of the connection ends it. */
export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const received = () => Buffer.concat(chunks).toString('latin1');
  const ended = new Promise<string>((done) => socket.once('close', () => done(received())));
  await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail));
  return { socket, received, ended };
}

/** The first answer in what came. Throws where there is none. */
export function parseRaw(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no answer came, but ${JSON.stringify(text.slice(0, 200))}`);
  const headers = new Headers(
    lines.map((line): [string, string] => [line.split(':', 1)[0] ?? '', line.replace(/^[^:]*:\s*/, '')]),
  );
  return { status, headers, body: rest.join('\r\n\r\n') };
}

/** Sends bytes and gives the answer, once the server has closed the connection or been quiet for a while. */
export async function askRaw(url: string, bytes: string | Uint8Array, quietMs = 500): Promise<RawAnswer> {
  const { socket, received, ended } = await openRaw(url);
  socket.setTimeout(quietMs, () => socket.destroy());
  socket.write(bytes);
  await ended;
  return parseRaw(received());
}

/** Sends text byte by byte, with a pause after each, until it is sent or the connection has ended. */
export async function drip({ socket }: RawConnection, text: string, pauseMs: number): Promise<void> {
  for (const byte of Buffer.from(text)) {
    if (!socket.writable) return;
    socket.write(Uint8Array.of(byte));
    await sleep(pauseMs);
  }
}
