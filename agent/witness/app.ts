/** The HTTP interface of a witness: every route. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { toBase64 } from '../../schema/bytes.ts';
import { decodeNote } from '../../schema/log/note.ts';
import type { WatchedLog, Witness } from './witness.ts';

/** The longest request that is read: 63 lines of proof, and a note with 16 signatures of the longest kind. */
export const maxBodyBytes = 128 * 1024;

function describeLog({ origin, hash, held, hasSplitView }: WatchedLog): string {
  const lines = [`log         ${origin}`];
  if (held) {
    const { size, root } = held.checkpoint;
    lines.push(
      `size        ${size}`,
      `root        ${toBase64(root)}`,
      `cosigned    ${new Date(held.timestampSeconds * 1000).toISOString()}`,
      `checkpoint  /checkpoint/${hash}`,
    );
  } else {
    lines.push('size        nothing cosigned yet');
  }
  if (hasSplitView) lines.push('WARNING     this log signed another root for a size that was cosigned here');
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * The routes. `onError` is told of failures of this machine, which are answered with 500: nothing was given out.
 */
export function createWitnessApp(witness: Witness, onError: (error: unknown) => void): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
  });
  app.get('/', (c) =>
    c.text(
      `Dump Survey witness\n\nkey         ${witness.vkey}\n\n${witness.logs().map(describeLog).join('\n')}`,
    ),
  );
  app.get('/checkpoint/:hash', (c) => {
    const held = witness.logs().find(({ hash }) => hash === c.req.param('hash'))?.held;
    return held ? c.text(held.note) : c.text('This witness has cosigned no checkpoint of that log.\n', 404);
  });
  app.post(
    '/add-checkpoint',
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (c) => c.text(`A request has at most ${maxBodyBytes} bytes.\n`, 413, { Connection: 'close' }),
    }),
    async (c) => {
      let text: string;
      try {
        text = decodeNote(new Uint8Array(await c.req.arrayBuffer()));
      } catch {
        return c.text('The request could not be read as UTF-8.\n', 400);
      }
      const { status, contentType, body } = await witness.addCheckpoint(text);
      return c.body(body, status, { 'Content-Type': contentType });
    },
  );
  app.all('/add-checkpoint', (c) => c.text('Checkpoints are sent with POST.\n', 405, { Allow: 'POST' }));
  app.notFound((c) => c.text('There is /, /add-checkpoint and /checkpoint/<SHA-256 of an origin>.\n', 404));
  app.onError((error, c) => {
    // A client that goes away while its body is read is no failure of this machine, and hears no answer.
    if ('code' in error && error.code === 'ECONNRESET') return c.text('The request was cut off.\n', 400);
    onError(error);
    return c.text('This witness could not keep its state, and has signed nothing out.\n', 500);
  });
  return app;
}
