/** Reads request bodies up to a limit, whatever Content-Length claims. */
import { concat } from '../../schema/bytes.ts';
import { bodyMaxBytes } from '../../schema/wire.ts';
import { Refusal } from '../refusal.ts';

/** The bytes of a body. Throws the `too-large` refusal as soon as it is known; the rest is not kept. */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const claimed = request.headers.get('content-length');
  if (claimed !== null && Number(claimed) > bodyMaxBytes) {
    throw new Refusal(
      'too-large',
      `Content-Length is ${claimed.slice(0, 20)}; ${bodyMaxBytes} bytes are allowed.`,
    );
  }
  if (request.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let byteCount = 0;
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    byteCount += value.length;
    if (byteCount > bodyMaxBytes) {
      reader.cancel().catch(() => undefined);
      throw new Refusal('too-large', `The body has more than ${bodyMaxBytes} bytes.`);
    }
    parts.push(value);
  }
}
