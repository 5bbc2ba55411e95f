/** The text of a checkpoint, by the example of C2SP tlog-checkpoint and its rules. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../bytes.ts';
import { signerOf } from '../ed25519.ts';
import { checkpointText, parseCheckpoint, parseSize, signCheckpoint } from './checkpoint.ts';
import { formatVerifierKey, openNote, parseVerifierKey } from './note.ts';

const rootText = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
const root = fromBase64(rootText);
const example = { origin: 'example.com/behind-the-sofa', size: 20852163, root };
const text = `${example.origin}\n20852163\n${rootText}\n`;

describe('the text of a checkpoint', () => {
  it('is that of the specification', () => {
    expect(checkpointText(example)).toBe(text);
    expect(parseCheckpoint(text)).toEqual(example);
  });

  it('may go on with lines that nobody has to understand', () => {
    expect(parseCheckpoint(`${text}extension\nand another\n`)).toEqual(example);
  });

  it('is read back', () => {
    const origin = fc.string({ unit: 'grapheme', minLength: 1 }).filter((o) => [...o].every((c) => c >= ' '));
    const root = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.record({ origin, size: fc.maxSafeNat(), root }), (checkpoint) => {
        expect(parseCheckpoint(checkpointText(checkpoint))).toEqual(checkpoint);
      }),
    );
  });

  it.each([
    ['', 'does not end with a newline'],
    [text.slice(0, -1), 'does not end with a newline'],
    ['a\n1\n', 'has 2 of its three lines'],
    [`\n1\n${rootText}\n`, 'Line 1 of the checkpoint is empty'],
    [`${text}\n`, 'Line 4 of the checkpoint is empty'],
    [`${text}\nb\n`, 'Line 4 of the checkpoint is empty'],
    [text.replace('20852163', '020852163'), 'second line'],
    [text.replace('20852163', '+20852163'), 'second line'],
    [text.replace('20852163', '-1'), 'second line'],
    [text.replace('20852163', '1e3'), 'second line'],
    [text.replace('20852163', '1.0'), 'second line'],
    [text.replace('20852163', '9007199254740992'), 'second line'],
    [text.replace('20852163', '00'), 'second line'],
    [text.replace('20852163', '٣'), 'second line'],
    [text.replace('20852163', ' 1'), 'second line'],
    [text.replace(rootText, rootText.slice(0, -1)), 'third line'],
    [text.replace(rootText, 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J='), 'third line'],
    [text.replace(rootText, 'AAAA'), 'third line'],
    [text.replace('behind', 'be\thind'), 'control character'],
    [`${text}a\rb\n`, 'control character'],
    [text.replace('behind', '\udc00'), 'not Unicode'],
  ])('is not %j', (bad, message) => {
    expect(() => parseCheckpoint(bad)).toThrow(message);
  });

  it('is refused in words, whatever it is', () => {
    const unit = fc.constantFrom('\n', 'a', '0', '1', rootText, '=', ' ');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit })), (hostile) => {
        try {
          expect(hostile.startsWith(checkpointText(parseCheckpoint(hostile)))).toBe(true);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: (The|Line \d+) .*checkpoint .+\.$/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['an empty origin', { ...example, origin: '' }],
    ['an origin of two lines', { ...example, origin: 'a\nb' }],
    ['a negative size', { ...example, size: -1 }],
    ['a size beyond 2^53 - 1', { ...example, size: 2 ** 53 }],
    ['a short root', { ...example, root: root.subarray(1) }],
  ])('is not made of %s', (_, checkpoint) => {
    expect(() => checkpointText(checkpoint)).toThrow(RangeError);
  });
});

it.each<[string, number | null]>([
  ['0', 0],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['9007199254740992', null],
  ['99999999999999999999', null],
  ['', null],
  ['01', null],
  ['1\n', null],
])('the size %j is %s', (text, size) => {
  expect(parseSize(text)).toBe(size);
});

it('a signed checkpoint opens under its key, and says origin, size and root', async () => {
  const signer = { ...(await signerOf(new Uint8Array(32).fill(3))), name: example.origin };
  const note = await signCheckpoint(example, signer);
  const key = await parseVerifierKey(await formatVerifierKey(signer.name, signer.publicKey));
  const opened = await openNote(note, [key]);
  expect(parseCheckpoint(opened.text)).toEqual(example);
  expect(opened.verified).toEqual([{ ...key, timestampSeconds: null }]);
});
