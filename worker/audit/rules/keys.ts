/** The rules of keys: enrolments, rotations and revocations; and who may sign what is to be begun. */
import { fromHex, sha256, toHex, utf8 } from '../../../schema/bytes.ts';
import { keyFault, verifies } from '../../../schema/ed25519.ts';
import {
  leadingZeroBits,
  ownerStatement,
  powBits,
  rotationStatement,
  workInput,
} from '../../../schema/envelope.ts';
import type { RowOf } from '../../../schema/log/row.ts';
import { type Profile, profile as profileSchema } from '../../../schema/profile.ts';
import type { KeyRole } from '../../../schema/vocabulary.ts';
import type { EnrolBody } from '../../../schema/wire.ts';
import { faultOfDate } from '../../admit/date.ts';
import { parseFields } from '../../admit/fields.ts';
import type { ItemOf } from '../contents.ts';
import { type History, isLost, nameOf, raceMs } from './history.ts';
import { type Derived, type Ruling, ruling } from './ruling.ts';

/**
 * The key may begin something: it is known, the current one of its chain, and not withdrawn. `slackMs`: how long after
 * its replacement it may still come in.
 */
export function mustBeCurrent(
  rules: Ruling,
  history: History,
  role: KeyRole,
  key: string,
  atMs: number,
  slackMs = 0,
): void {
  const link = history.chains.find(role, key);
  if (link === null) {
    if (isLost(history, 'enrol', 'rotate')) rules.cannot('withdrawn');
    else rules.must(false, `a key that was enrolled before`, `${role} ${key}, whom no earlier entry enrols`);
    return;
  }
  rules.must(
    link.replacedAtMs === null || (slackMs > 0 && atMs <= link.replacedAtMs + slackMs),
    `the current key of ${role} ${link.root}`,
    `${key}, which was replaced by another one before`,
  );
  mustNotBeWithdrawn(rules, history, role, link.root);
}

/** No entry follows about a key whose data was withdrawn. */
export function mustNotBeWithdrawn(rules: Ruling, history: History, role: KeyRole, key: string): void {
  rules.must(
    !history.withdrawn.has(nameOf(role, key)),
    `nothing about ${role} ${key} after its withdrawal`,
    'an entry about it',
  );
}

/** A chain that was revoked begins nothing. */
export function mustNotBeRevoked(rules: Ruling, history: History, role: KeyRole, root: string): void {
  rules.must(
    !history.revoked.has(nameOf(role, root)),
    `nothing begun by ${role} ${root}, who was revoked`,
    'an entry that begins something',
  );
}

/**
 * A request that changes keys or trust was meant when it took effect, and takes effect once. The server looks at the
 * date a moment before the time that the entry has.
 */
export function mustBeMeant(
  rules: Ruling,
  history: History,
  {
    body,
    request,
  }: { readonly body: { readonly created_at: string }; readonly request: { readonly hash: string } },
  atMs: number,
): void {
  const fault = faultOfDate(body.created_at, atMs - raceMs) && faultOfDate(body.created_at, atMs);
  rules.mustNot(fault, 'a request that was signed shortly before');
  rules.must(
    !history.effective.has(request.hash),
    'a request that takes effect once',
    'the same request again',
  );
  history.effective.add(request.hash);
}

export interface Enrolled {
  readonly rules: Ruling;
  readonly derived: Derived<RowOf['enrol']>;
  /** The profile that was told, and the hash of its text; null where it is not shown. */
  readonly told: { readonly sha256: string; readonly profile: Profile } | null;
}

/** An enrolment: of a machine by its owner, or of its next profile. */
export async function judgeEnrol(item: ItemOf<'enrol'>, history: History): Promise<Enrolled> {
  const { row, said, admittedMs } = item;
  const { chains } = history;
  const rules = ruling();
  const known = chains.find('machine', row.machine);
  rules.must(
    known === null || (known.root === row.machine && known.owner === row.owner),
    `machine ${row.machine} under the first key of its chain, and its owner ${known?.owner}`,
    `owner ${row.owner}, and the first key ${known?.root}`,
  );
  mustNotBeWithdrawn(rules, history, 'machine', row.machine);
  mustNotBeWithdrawn(rules, history, 'owner', row.owner);
  if (said === null) {
    const absent = item.isSigned ? 'withheld' : 'unkept';
    return { rules, derived: { absent }, told: null };
  }
  const { body } = said;
  if (chains.find('machine', body.machine) !== null)
    mustBeCurrent(rules, history, 'machine', body.machine, admittedMs, raceMs);
  if (chains.find('owner', body.owner) !== null)
    mustBeCurrent(rules, history, 'owner', body.owner, admittedMs, raceMs);
  await mustBeOwned(rules, body);
  const told = await profileIn(body.profile);
  if (told === null)
    return { rules, derived: { fault: 'no row: the profile is not in the agreed form' }, told };
  return {
    rules,
    derived: {
      row: {
        machine: chains.rootOf('machine', body.machine),
        owner: chains.rootOf('owner', body.owner),
        population: told.profile.population,
      },
    },
    told,
  };
}

async function mustBeOwned(
  rules: Ruling,
  { machine, owner, owner_signature, work }: EnrolBody,
): Promise<void> {
  const bits = leadingZeroBits(await sha256(workInput(fromHex(machine), work.counter)));
  rules.must(bits >= powBits, `a proof of work of ${powBits} zero bits`, `${bits} zero bits`);
  const [key, signature] = [fromHex(owner), fromHex(owner_signature)];
  rules.must(
    await verifies(key, signature, ownerStatement(fromHex(machine))),
    `the signature of owner ${owner} over machine ${machine}`,
    `${owner_signature}, which is not it`,
  );
}

async function profileIn(text: string): Promise<Enrolled['told']> {
  try {
    return { sha256: toHex(await sha256(utf8(text))), profile: parseFields('profile', profileSchema, text) };
  } catch {
    return null;
  }
}

/** A rotation: signed by both keys, of the current key, to one that was never used. */
export async function judgeRotate(
  { row, said, admittedMs }: ItemOf<'rotate'>,
  history: History,
): Promise<{ readonly rules: Ruling; readonly derived: Derived<RowOf['rotate']> }> {
  const { role, key, next } = row;
  const rules = ruling();
  mustBeCurrent(rules, history, role, key, admittedMs);
  const link = history.chains.find(role, key);
  mustNotBeRevoked(rules, history, role, link?.root ?? key);
  if (role === 'machine' && link?.owner) mustNotBeRevoked(rules, history, 'owner', link.owner);
  const isUsed = (['machine', 'owner'] as const).some((r) => history.chains.find(r, next) !== null);
  rules.must(!isUsed && next !== key, 'a next key that was never used', next);
  if (said === null) return { rules, derived: { absent: 'withheld' } };
  const { body } = said;
  mustBeMeant(rules, history, said, admittedMs);
  const nextKey = fromHex(body.next);
  rules.must(
    keyFault(nextKey) === null &&
      (await verifies(nextKey, fromHex(body.next_signature), rotationStatement(fromHex(body.key), nextKey))),
    `the signature of the next key ${body.next} over this rotation`,
    `${body.next_signature}, which is not it`,
  );
  return { rules, derived: { row: { role: body.role, key: body.key, next: body.next } } };
}

/** A revocation: by the owner, of himself or of a machine of his. */
export function judgeRevoke(
  { row, said, index, admittedMs }: ItemOf<'revoke'>,
  history: History,
): { readonly rules: Ruling; readonly derived: Derived<RowOf['revoke']> } {
  const { role, key, from_index } = row;
  const rules = ruling();
  rules.must(from_index <= index, `a from_index of at most ${index}`, String(from_index));
  if (said === null) return { rules, derived: { absent: 'withheld' } };
  const { body } = said;
  mustBeMeant(rules, history, said, admittedMs);
  mustBeCurrent(rules, history, 'owner', body.owner, admittedMs);
  const owner = history.chains.find('owner', body.owner);
  const subject = history.chains.find(role, key);
  if (owner === null || subject === null) {
    if (isLost(history, 'enrol', 'rotate')) rules.cannot('withdrawn');
    else rules.must(false, `${role} ${key}, enrolled before`, 'a key that no earlier entry enrols');
  } else {
    const its = role === 'owner' ? subject.root : subject.owner;
    rules.must(its === owner.root, `a key of owner ${owner.root}`, `${role} ${key}, which is of ${its}`);
  }
  return { rules, derived: { row: { role: body.role, key: body.key, from_index: body.from_index } } };
}
