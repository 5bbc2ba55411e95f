/**
 * The rules of withdrawals. Contents may be gone only where a later tombstone names them; a tombstone is signed by the
 * machine's or the owner's own chain; and of what it withdraws nothing stays.
 *
 * Whom gone contents were of cannot be told any more: only an earlier copy shows whether a tombstone names more than
 * it may, and whether its signer owned the machine.
 */
import type { RowOf, WithdrawRow } from '../../../schema/log/row.ts';
import type { EntryKind, KeyRole } from '../../../schema/vocabulary.ts';
import type { ItemOf } from '../contents.ts';
import { type About, type History, nameOf } from './history.ts';
import { mustBeMeant } from './keys.ts';
import { type Derived, type Ruling, ruling } from './ruling.ts';

/** Entries about nobody's data: no withdrawal takes them away. */
const lasting: ReadonlySet<EntryKind> = new Set(['invite', 'revoke', 'withdraw', 'decision']);

/** Whether the contents of an entry of this kind may ever be gone. */
export function mayBeMissing(kind: EntryKind): boolean {
  return !lasting.has(kind);
}

export interface Withdrawal {
  readonly rules: Ruling;
  readonly derived: Derived<RowOf['withdraw']>;
  /** Whether somebody other than the machine signed, and nothing that is left shows that he owned it. */
  readonly isUnshown: boolean;
  /** The entries that it names and that are gone. */
  readonly covered: readonly number[];
}

/**
 * A tombstone. `readBefore`: contents below this index were read before the tombstone came, and are rightly known
 * where it is not below itself.
 */
export function judgeWithdraw(item: ItemOf<'withdraw'>, history: History, readBefore: number): Withdrawal {
  const { row, said, index } = item;
  const rules = ruling();
  const isMeanwhile = index >= readBefore;
  const right = rightOf(rules, item, history);
  if (said !== null) mustBeMeant(rules, history, said, item.admittedMs);
  const isInOrder = mustAscend(rules, row, index);
  const covered: number[] = [];
  if (isInOrder) {
    for (const [from, to] of row.entries)
      for (let at = from; at <= to; at++) {
        const missing = history.missing.get(at);
        if (missing !== undefined) {
          covered.push(at);
          if (missing.about !== null) mustBeAbout(rules, row, missing.about, at, history);
        } else if (!(isMeanwhile && at < readBefore)) {
          rules.must(
            false,
            'entries whose contents are gone',
            `entry ${at}, which is shown or was withdrawn before`,
          );
        }
      }
  }
  const left = history.chains.find(row.role, row.key);
  if (left?.isShown && !isMeanwhile) {
    rules.must(false, `nothing left of ${row.role} ${row.key}`, `entry ${left.index}, which is still shown`);
  }
  if (said === null) return { rules, derived: { absent: 'withheld' }, isUnshown: false, covered };
  const { role, key } = said.body;
  // Which entries a key had sent only the server knew; what it named is judged above.
  return {
    rules,
    derived: { row: { role, key, entries: row.entries } },
    isUnshown: right === 'unshown',
    covered,
  };
}

function rightOf(rules: Ruling, { row, said }: ItemOf<'withdraw'>, history: History): 'shown' | 'unshown' {
  if (said === null) return 'shown';
  const { signer } = said.body;
  if (signer === row.key) return 'shown';
  const { chains } = history;
  const subject = chains.find(row.role, row.key);
  const sameChain = chains.find(row.role, signer);
  if (subject === null) return 'unshown';
  const isOwnChain = sameChain?.root === subject.root;
  const isOwner = row.role === 'machine' && chains.find('owner', signer)?.root === subject.owner;
  rules.must(
    isOwnChain || isOwner,
    `a signature of ${row.role} ${subject.root}${row.role === 'machine' ? `, or of its owner ${subject.owner}` : ''}`,
    `one of ${signer}`,
  );
  return 'shown';
}

/** Ranges that ascend, do not touch what came after, and are no more than there are entries. */
function mustAscend(rules: Ruling, { entries }: WithdrawRow, index: number): boolean {
  let before = -1;
  for (const [from, to] of entries) {
    if (from <= before || to < from || to >= index) {
      rules.must(false, `ascending ranges below ${index}`, `${from} to ${to}`);
      return false;
    }
    before = to;
  }
  return true;
}

function mustBeAbout(rules: Ruling, row: WithdrawRow, about: About, at: number, { chains }: History): void {
  const root = chains.rootOf(row.role, row.key);
  rules.must(
    about[row.role] === root,
    `only entries of ${row.role} ${root}`,
    `entry ${at}, which was of ${wordsOf(row.role, about)}`,
  );
}

function wordsOf(role: KeyRole, about: About): string {
  return `${role} ${about[role] ?? 'nobody'}`;
}

/** Marks what a tombstone withdrew; and where it was in order, that nothing follows about it. */
export function rememberWithdrawal(
  history: History,
  { row }: ItemOf<'withdraw'>,
  covered: readonly number[],
  isInOrder: boolean,
): void {
  for (const at of covered) history.missing.delete(at);
  if (!isInOrder) return;
  for (const key of [row.key, history.chains.rootOf(row.role, row.key)])
    history.withdrawn.add(nameOf(row.role, key));
}
