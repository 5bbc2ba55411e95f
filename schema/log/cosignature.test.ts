/** Cosignatures by the layout of C2SP tlog-cosignature: what is signed is spelled out here. */
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../bytes.ts';
import { signerOf, verifies } from '../ed25519.ts';
import { cosign, verifyCosignature } from './cosignature.ts';

const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const signer = await signerOf(new Uint8Array(32).fill(4));
const time = 1679315147;
const { keyId, bytes } = await cosign(text, 'witness.example.com/w1', time, signer);

describe('a cosignature', () => {
  it('is a time and a signature over two lines and the text', async () => {
    expect(toHex(bytes.subarray(0, 8))).toBe('00000000641850cb');
    const message = utf8(`cosignature/v1\ntime 1679315147\n${text}`);
    expect(await verifies(signer.publicKey, bytes.subarray(8), message)).toBe(true);
    expect(keyId).toHaveLength(4);
  });

  it('tells its time under its key', async () => {
    expect(await verifyCosignature(text, bytes, signer.publicKey)).toBe(time);
    const first = await cosign(text, 'w', 0, signer);
    expect(await verifyCosignature(text, first.bytes, signer.publicKey)).toBe(0);
  });

  it('fits neither another text, key or time, nor another length', async () => {
    const other = (await signerOf(new Uint8Array(32).fill(5))).publicKey;
    expect(await verifyCosignature(`${text}x\n`, bytes, signer.publicKey)).toBeNull();
    expect(await verifyCosignature(text, bytes, other)).toBeNull();
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(await verifyCosignature(text, changed, signer.publicKey)).toBeNull();
    }
    for (const length of [0, 8, 64, 71])
      expect(await verifyCosignature(text, bytes.subarray(0, length), signer.publicKey)).toBeNull();
    expect(await verifyCosignature(text, new Uint8Array(73), signer.publicKey)).toBeNull();
  });

  it('of a time that no number holds is refused, even if signed', async () => {
    const signature = await signer.sign(utf8(`cosignature/v1\ntime 9007199254740993\n${text}`));
    const late = new Uint8Array([...fromHex('0020000000000001'), ...signature]);
    expect(await verifyCosignature(text, late, signer.publicKey)).toBeNull();
  });

  it.each([-1, 1.5, 2 ** 53, Number.NaN])('is not made at %d', async (seconds) => {
    await expect(cosign(text, 'w', seconds, signer)).rejects.toThrow(RangeError);
  });
});
