/**
 * Posts many different bodies, each once, over kept connections. The requests are made up before the clock starts,
 * and of an answer only its status and length are looked at: the client must cost less than the bare server.
 */
import { connect } from 'node:net';

/** How many connections post at the same time. */
const connections = 16;

function requestOf(url: URL, body: string): Buffer {
  const head = [
    `POST ${url.pathname} HTTP/1.1`,
    `host: ${url.host}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** The status of the answer that a text begins with, and how long it is; null while a part of it is missing. */
function answerIn(text: string): { readonly status: number; readonly length: number } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  if (length === undefined) throw new Error(`an answer does not tell its length:\n${text.slice(0, end)}`);
  const whole = end + 4 + Number(length);
  return text.length < whole ? null : { status: Number(text.slice(9, 12)), length: whole };
}

/** Posts over one connection, one request after the other. */
function postInTurn(url: URL, requests: readonly Buffer[]): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect(Number(url.port), url.hostname);
    let [sent, text] = [0, ''];
    const next = () => {
      const request = requests[sent++];
      if (request) socket.write(request);
      else {
        socket.destroy();
        done();
      }
    };
    const giveUp = (why: string | Error) => {
      socket.destroy();
      fail(why instanceof Error ? why : new Error(why));
    };
    socket.setNoDelay(true).setEncoding('latin1').on('connect', next).on('error', giveUp);
    socket.on('end', () => giveUp(`the server closed a connection after ${sent} requests`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const answer = answerIn(text);
      if (answer === null) return;
      if (answer.status !== 201) giveUp(`a post was answered: ${text}`);
      text = text.slice(answer.length);
      next();
    });
  });
}

/** Posts every body to an address and gives how many a second were answered. Throws where one is not answered 201. */
export async function postAll(address: string, bodies: readonly string[]): Promise<number> {
  const url = new URL(address);
  const requests = bodies.map((body) => requestOf(url, body));
  const shares = Array.from({ length: connections }, (_, i) =>
    requests.filter((_, j) => j % connections === i),
  );
  const startedAt = performance.now();
  await Promise.all(shares.map((share) => postInTurn(url, share)));
  return bodies.length / ((performance.now() - startedAt) / 1000);
}
