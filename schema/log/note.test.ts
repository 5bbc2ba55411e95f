/** What a note must look like, and whose signatures on it count. Notes of other programs are in test/vectors. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { concat, toBase64, utf8 } from '../bytes.ts';
import { type Signer, signerOf } from '../ed25519.ts';
import { cosign } from './cosignature.ts';
import {
  decodeNote,
  formatNote,
  formatSignature,
  formatVerifierKey,
  keyId,
  maxNoteLength,
  maxSignatureCount,
  type NoteSignature,
  openNote,
  parseNote,
  parseVerifierKey,
  type Verifier,
} from './note.ts';

const text = 'dumps.example/log\n3\n\nmore\n';
const line = (name: string, bytes: Uint8Array) => `— ${name} ${toBase64(bytes)}\n`;
const anySignature = line('a.example', new Uint8Array(68));

let log: Signer;
let witness: Signer;
let logKey: Verifier;
let witnessKey: Verifier;
let signature: NoteSignature;
let cosignature: NoteSignature;

beforeAll(async () => {
  [log, witness] = [await signerOf(new Uint8Array(32).fill(1)), await signerOf(new Uint8Array(32).fill(2))];
  logKey = await parseVerifierKey(await formatVerifierKey('log.example', log.publicKey));
  witnessKey = await parseVerifierKey(await formatVerifierKey('witness.example', witness.publicKey, 4));
  signature = { name: 'log.example', keyId: logKey.keyId, bytes: await log.sign(utf8(text)) };
  cosignature = await cosign(text, 'witness.example', 1_700_000_000, witness);
});

describe('the form of a note', () => {
  it('is a text, an empty line and signatures', () => {
    const note = formatNote(text, [signature, cosignature]);
    expect(note.startsWith(`${text}\n— log.example `)).toBe(true);
    expect(parseNote(note)).toEqual({ text, signatures: [signature, cosignature] });
  });

  it('keeps every text that can be signed', () => {
    const lines = fc.array(fc.string({ unit: 'grapheme' }).filter((l) => [...l].every((c) => c >= ' ')));
    fc.assert(
      fc.property(lines, (lines) => {
        const text = `${lines.join('\n')}\n`;
        expect(parseNote(formatNote(text, [signature]))).toEqual({ text, signatures: [signature] });
      }),
    );
  });

  it.each([
    ['nothing', '', 'does not end with a newline'],
    ['no final newline', `a\n\n${anySignature}`.slice(0, -1), 'does not end with a newline'],
    ['no empty line', `a\n${anySignature}`, 'no empty line'],
    ['no text', `\n${anySignature}`, 'no empty line'],
    ['no signature', 'a\n\n', 'no signature'],
    ['a tab', `a\tb\n\n${anySignature}`, 'control character'],
    ['a carriage return', `a\r\n\n${anySignature}`, 'control character'],
    ['a null character', `a\0\n\n${anySignature}`, 'control character'],
    ['half a surrogate pair', `a\ud800\n\n${anySignature}`, 'surrogate'],
    ['a hyphen for the dash', `a\n\n${anySignature.replace('—', '-')}`, 'Line 1 of the signatures'],
    [
      'a line of text between the signatures',
      `a\n\n${anySignature}b\n${anySignature}`,
      'Line 2 of the signatures',
    ],
    ['two spaces', `a\n\n${anySignature.replace('— ', '—  ')}`, 'Line 1 of the signatures'],
    [
      'something after the signature',
      `a\n\n${anySignature.replace('\n', ' x\n')}`,
      'Line 1 of the signatures',
    ],
    ['no name', `a\n\n${line('', new Uint8Array(68))}`, 'a name that no key can have'],
    ['a name with a plus', `a\n\n${line('a+b', new Uint8Array(68))}`, 'a name that no key can have'],
    [
      'a name with a no-break space',
      `a\n\n${line('a\u00a0b', new Uint8Array(68))}`,
      'a name that no key can have',
    ],
    [
      'a name with an ideographic space',
      `a\n\n${line('a\u3000b', new Uint8Array(68))}`,
      'a name that no key can have',
    ],
    [
      'a name with a next-line character',
      `a\n\n${line('a\u0085b', new Uint8Array(68))}`,
      'a name that no key can have',
    ],
    ['base64 without padding', 'a\n\n— a AAAAAAA\n', 'not canonical base64'],
    ['base64 with stray bits', 'a\n\n— a AAAAAAB=\n', 'not canonical base64'],
    ['base64 for URLs', 'a\n\n— a AAAA_-8=\n', 'not canonical base64'],
    ['a key id without a signature', 'a\n\n— a AAAAAA==\n', 'shorter than a key id'],
    ['too many signatures', `a\n\n${anySignature.repeat(maxSignatureCount + 1)}`, '101 signatures'],
    ['too much text', `${'a'.repeat(maxNoteLength)}\n\n${anySignature}`, 'characters long'],
  ])('has %s: refused', (_, note, message) => {
    expect(() => parseNote(note)).toThrow(message);
  });

  it('takes as many signatures as it says', () => {
    expect(parseNote(`a\n\n${anySignature.repeat(maxSignatureCount)}`).signatures).toHaveLength(
      maxSignatureCount,
    );
  });

  it('takes signatures of unknown length', () => {
    const long = line('pq.example', new Uint8Array(4 + 2428));
    expect(parseNote(`a\n\n${long}`).signatures[0]?.bytes).toHaveLength(2428);
  });

  it.each<[string, string, NoteSignature[]]>([
    [
      'a text that does not end with a newline',
      'a',
      [{ name: 'a', keyId: new Uint8Array(4), bytes: new Uint8Array(64) }],
    ],
    ['no signature', 'a\n', []],
    ['an unfit name', 'a\n', [{ name: 'a b', keyId: new Uint8Array(4), bytes: new Uint8Array(64) }]],
    ['a control character', 'a\x01\n', [{ name: 'a', keyId: new Uint8Array(4), bytes: new Uint8Array(64) }]],
  ])('is not made of %s', (_, text, signatures) => {
    expect(() => formatNote(text, signatures)).toThrow(RangeError);
  });

  it('is UTF-8, in which a byte order mark is text', () => {
    const note = formatNote(`\ufeff${text}`, [signature]);
    expect(decodeNote(utf8(note))).toBe(note);
    expect(() => decodeNote(Uint8Array.of(0x61, 0xff, 0x0a))).toThrow('not UTF-8');
  });
});

describe('whatever stands in a note', () => {
  const alphabet = fc.constantFrom(
    '\n',
    '\n\n',
    '— ',
    '— a.example ',
    'a',
    ' ',
    '+',
    '=',
    'AAAAAAAA',
    anySignature,
  );
  const hostile = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: alphabet, maxLength: 20 }));

  it('is read as it would be written, or refused in words', () => {
    fc.assert(
      fc.property(hostile, (note) => {
        let parsed: ReturnType<typeof parseNote>;
        try {
          parsed = parseNote(note);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: (The note|Line \d+ of|The signature of) .+\.$/s);
          return;
        }
        expect(formatNote(parsed.text, parsed.signatures)).toBe(note);
      }),
      { numRuns: 2000 },
    );
  });

  it('is one valid note only: no change of a character leaves the signature valid', async () => {
    const note = formatNote(text, [signature]);
    const change = fc.tuple(
      fc.nat(note.length - 1),
      fc.constantFrom('', '\n', 'a', 'B', '+', '/', '=', ' ', '—', '\0'),
    );
    await fc.assert(
      fc.asyncProperty(change, async ([at, replacement]) => {
        const changed = note.slice(0, at) + replacement + note.slice(at + 1);
        fc.pre(changed !== note);
        await expect(openNote(changed, [logKey])).rejects.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe('an opened note', () => {
  it('says which known keys signed, when, and who else did', async () => {
    const opened = await openNote(formatNote(text, [signature, cosignature]), [logKey, witnessKey]);
    expect(opened).toEqual({
      text,
      verified: [
        { ...logKey, timestampSeconds: null },
        { ...witnessKey, timestampSeconds: 1_700_000_000 },
      ],
      unknown: [],
    });
    const half = await openNote(formatNote(text, [signature, cosignature]), [logKey]);
    expect(half.verified).toEqual([{ ...logKey, timestampSeconds: null }]);
    expect(half.unknown).toEqual([cosignature]);
  });

  it('counts each key once, a cosigner with its latest time', async () => {
    const later = await cosign(text, 'witness.example', 1_700_000_060, witness);
    const note = formatNote(text, [cosignature, signature, later, signature, cosignature]);
    const { verified } = await openNote(note, [logKey, witnessKey]);
    expect(verified.map((v) => v.timestampSeconds)).toEqual([1_700_000_060, null]);
  });

  it('is refused if no known key signed', async () => {
    await expect(openNote(formatNote(text, [signature]), [witnessKey])).rejects.toThrow('by a known key');
    await expect(openNote(formatNote(text, [signature]), [])).rejects.toThrow('by a known key');
  });

  it("passes over a signature with a known key's name or id, but not both", async () => {
    const strangers = [
      { ...signature, name: 'other.example' },
      { ...signature, keyId: new Uint8Array(4) },
    ];
    const opened = await openNote(formatNote(text, [...strangers, signature]), [logKey]);
    expect(opened.unknown).toEqual(strangers);
    expect(opened.verified).toHaveLength(1);
  });

  it('is refused for one bad signature under a known name and id, beside a good one', async () => {
    const bad = { ...signature, bytes: await log.sign(utf8(`${text}more\n`)) };
    await expect(openNote(formatNote(text, [signature, bad]), [logKey])).rejects.toThrow(
      'log.example is not',
    );
    const short = { ...cosignature, bytes: cosignature.bytes.subarray(1) };
    await expect(openNote(formatNote(text, [signature, short]), [logKey, witnessKey])).rejects.toThrow(
      'witness.example is not',
    );
  });

  it('is refused where two known keys answer to one name and id', async () => {
    const twin = { ...logKey, key: witness.publicKey };
    await expect(openNote(formatNote(text, [signature]), [logKey, twin])).rejects.toThrow(
      'Two of the known keys',
    );
  });

  it('does not take a signature for a cosignature, nor a cosignature for a signature', async () => {
    const asCosigner = await parseVerifierKey(await formatVerifierKey('log.example', log.publicKey, 4));
    const plain = { ...signature, keyId: asCosigner.keyId };
    await expect(openNote(formatNote(text, [plain]), [asCosigner])).rejects.toThrow('log.example is not');
    const cosigned = await cosign(text, 'log.example', 1, log);
    const asPlain = { ...cosigned, keyId: logKey.keyId, bytes: cosigned.bytes.subarray(8) };
    await expect(openNote(formatNote(text, [asPlain]), [logKey])).rejects.toThrow('log.example is not');
  });
});

describe('a verifier key', () => {
  it('is read back', async () => {
    for (const type of [1, 4] as const) {
      const vkey = await formatVerifierKey('log.example/2026', log.publicKey, type);
      expect(await parseVerifierKey(vkey)).toEqual({
        name: 'log.example/2026',
        keyId: await keyId('log.example/2026', type, log.publicKey),
        key: log.publicKey,
        type,
      });
    }
  });

  it('fits one name and one key: no change of a character leaves it valid', async () => {
    const vkey = await formatVerifierKey('log.example', log.publicKey);
    for (let at = 0; at < vkey.length; at++) {
      for (const replacement of ['', 'a', '0', '+', ' ', '=']) {
        const changed = vkey.slice(0, at) + replacement + vkey.slice(at + 1);
        if (changed !== vkey) await expect(parseVerifierKey(changed)).rejects.toThrow(Error);
      }
    }
  });

  it.each([
    ['another type', 2, 'of type 2'],
    ['no type and no key', -1, 'of type undefined'],
  ])('of %s is refused', async (_, type, message) => {
    const material = type < 0 ? new Uint8Array(0) : concat(Uint8Array.of(type), log.publicKey);
    await expect(parseVerifierKey(`a+00000000+${toBase64(material)}`)).rejects.toThrow(
      type < 0 ? 'not a verifier key' : message,
    );
  });

  it('of a point of small order is refused, to read and to write', async () => {
    const identity = new Uint8Array(32);
    identity[0] = 1;
    const id = Buffer.from(await keyId('a', 1, identity)).toString('hex');
    const vkey = `a+${id}+${toBase64(concat(Uint8Array.of(1), identity))}`;
    await expect(parseVerifierKey(vkey)).rejects.toThrow('small-order');
    await expect(formatVerifierKey('a', identity)).rejects.toThrow('small-order');
  });

  it('is refused in words, whatever it is', async () => {
    const unit = fc.constantFrom('a', '+', '0', ' ', '=', '\n', 'AQ', '00000000', '—');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.string({ unit })), async (vkey) => {
        await expect(parseVerifierKey(vkey)).rejects.toThrow(Error);
      }),
      { numRuns: 500 },
    );
  });
});

it('a line of signature is what the note has', () => {
  expect(formatNote(text, [signature])).toBe(`${text}\n${formatSignature(signature)}`);
});
