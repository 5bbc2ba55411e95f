/** Ed25519 of schema/ed25519.ts under workerd, for the tests that run vectors there. Never deployed. */
import { fromHex, toHex } from '../../schema/bytes.ts';
import { signerOf, verifies } from '../../schema/ed25519.ts';

/**
 * What is asked: a signature to verify, or a seed and a message to sign. All in hexadecimal. `unchecked` asks WebCrypto
 * alone.
 */
export type Question =
  | {
      readonly key: string;
      readonly signature: string;
      readonly message: string;
      readonly unchecked?: boolean;
    }
  | { readonly seed: string; readonly message: string };

/** Whether it verifies, or the public key and the signature in hexadecimal. */
async function answer(question: Question): Promise<unknown> {
  const message = fromHex(question.message);
  if ('key' in question) {
    const [key, signature] = [fromHex(question.key), fromHex(question.signature)];
    if (!question.unchecked) return verifies(key, signature, message);
    const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
    return crypto.subtle.verify('Ed25519', imported, signature, message);
  }
  const signer = await signerOf(fromHex(question.seed));
  return { key: toHex(signer.publicKey), signature: toHex(await signer.sign(message)) };
}

// biome-ignore lint/style/noDefaultExport: Workers ask for it.
export default {
  async fetch(request: Request): Promise<Response> {
    const questions = (await request.json()) as Question[];
    return Response.json(await Promise.all(questions.map(answer)));
  },
};
