/** The request of C2SP tlog-witness: its example, and everything that is none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from '../bytes.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { parseNote } from './note.ts';
import { formatAddCheckpoint, maxProofLines, originHash, parseAddCheckpoint } from './witness.ts';

const hash = toBase64(new Uint8Array(32).fill(7));

/** The example of the specification, section add-checkpoint. */
const example = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`;

describe('a request', () => {
  it('is that of the specification', () => {
    const request = parseAddCheckpoint(example);
    expect([request.oldSize, request.proof.length]).toEqual([20852014, 4]);
    const { text, signatures } = parseNote(request.note);
    expect(signatures).toHaveLength(2);
    expect(parseCheckpoint(text)).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163 });
    expect(formatAddCheckpoint(request)).toBe(example);
  });

  it('is read back', () => {
    const proof = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: maxProofLines });
    fc.assert(
      fc.property(fc.maxSafeNat(), proof, fc.string(), (oldSize, proof, note) => {
        const request = { oldSize, proof, note };
        expect(parseAddCheckpoint(formatAddCheckpoint(request))).toEqual(request);
      }),
    );
  });

  it.each([
    ['', 'no empty line'],
    ['old 1\n', 'no empty line'],
    ['\n\n', 'first line'],
    ['1\n\nnote\n', 'first line'],
    ['old\n\nnote\n', 'first line'],
    ['old 01\n\nnote\n', 'first line'],
    ['old  1\n\nnote\n', 'first line'],
    ['old -1\n\nnote\n', 'first line'],
    ['old 9007199254740992\n\nnote\n', 'first line'],
    ['Old 1\n\nnote\n', 'first line'],
    ['old 1\r\n\nnote\n', 'first line'],
    [`old 1\n${hash}\nAAAA\n\nnote\n`, 'Line 2 of the proof'],
    [`old 1\n${hash} \n\nnote\n`, 'Line 1 of the proof'],
    [`old 1\n${`${hash}\n`.repeat(64)}\nnote\n`, '64 lines of proof'],
  ])('is not %j', (body, message) => {
    expect(() => parseAddCheckpoint(body)).toThrow(message);
  });

  it('is refused in words, whatever it is', () => {
    const unit = fc.constantFrom('\n', 'old ', '0', '1', hash, '=', ' ');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit })), (body) => {
        try {
          expect(formatAddCheckpoint(parseAddCheckpoint(body))).toBe(body);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: (The|Line \d+) .+\.$/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

it('a log is named by the hash of its origin', async () => {
  // printf %s dumps.example/log | sha256sum
  expect(await originHash('dumps.example/log')).toBe(
    '175a107923abd51f766a321bad97576ad0b48758d23413f0665897eb0b24a6cb',
  );
});
