import { createHash } from 'node:crypto';
import nacl from 'tweetnacl';
import { describe, expect, it, test } from 'vitest';
import { fromBase64, fromHex, utf8 } from '../../schema/bytes.ts';
import { signatureFault } from '../../schema/ed25519.ts';
import {
  envelope,
  leadingZeroBits,
  ownerStatement,
  powBits,
  preAuthEncoding,
  workInput,
} from '../../schema/envelope.ts';
import { keyPairOf } from './keys.ts';
import { findWork, ownerSignature, sign, signBody } from './sign.ts';

const machine = keyPairOf(new Uint8Array(32).fill(1));
const owner = keyPairOf(new Uint8Array(32).fill(2));

describe('an envelope', () => {
  const payload = utf8('{"a":"é","b":[1,2]}');
  const signed = sign('report', payload, machine);

  it('holds the very bytes, under the key of the signer, over the pre-authentication encoding', () => {
    expect(envelope.parse(signed)).toEqual(signed);
    expect(fromBase64(signed.payload)).toEqual(payload);
    expect(signed.payloadType).toBe('application/vnd.dumpsurvey.report.v1+json');
    const [{ keyid, sig } = { keyid: '', sig: '' }] = signed.signatures;
    expect(keyid).toBe(machine.name);
    const signature = fromBase64(sig);
    expect(signatureFault(signature)).toBeNull();
    const covered = preAuthEncoding(signed.payloadType, payload);
    expect(nacl.sign.detached.verify(covered, signature, fromHex(keyid))).toBe(true);
    expect(nacl.sign.detached.verify(payload, signature, machine.publicKey)).toBe(false);
  });

  it('is the same again, and another for another kind or key', () => {
    expect(sign('report', payload, machine)).toEqual(signed);
    const signatures = [signed, sign('armed', payload, machine), sign('report', payload, owner)];
    expect(new Set(signatures.map(({ signatures: [first] }) => first?.sig)).size).toBe(3);
  });

  it('of a body holds its JSON', () => {
    expect(fromBase64(signBody('armed', { a: 'é' }, machine).payload)).toEqual(utf8('{"a":"é"}'));
  });
});

test("an owner signs the machine's key, and nothing else can be made of it", () => {
  const signature = fromHex(ownerSignature(owner, machine));
  const verifies = (bytes: Uint8Array) => nacl.sign.detached.verify(bytes, signature, owner.publicKey);
  expect(verifies(ownerStatement(machine.publicKey))).toBe(true);
  expect(verifies(ownerStatement(owner.publicKey))).toBe(false);
  expect(verifies(machine.publicKey)).toBe(false);
});

test('findWork finds the first counter that is work enough for this key', () => {
  const bits = (counter: number) =>
    leadingZeroBits(createHash('sha256').update(workInput(machine.publicKey, counter)).digest());
  const counter = findWork(machine);
  expect(bits(counter)).toBeGreaterThanOrEqual(powBits);
  for (let earlier = 0; earlier < counter; earlier += 97) expect(bits(earlier)).toBeLessThan(powBits);
});
