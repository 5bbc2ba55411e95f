/** Reads the body of an answer up to a limit: a server must not fill this machine's memory. */

/** The bytes of a body, or null where it has more than `maxBytes`; of those no more than the limit was ever held. */
export async function readBounded(answer: Response, maxBytes: number): Promise<Uint8Array | null> {
  if (answer.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let byteCount = 0;
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts);
    byteCount += value.length;
    if (byteCount > maxBytes) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    parts.push(value);
  }
}
