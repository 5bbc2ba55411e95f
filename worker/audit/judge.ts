/** Counts what was found of each entry, judges it by the entries before it, and remembers it for those after it. */
import { rows } from '../../schema/log/row.ts';
import type { Absent } from './checks.ts';
import { type Contents, type Item, type ItemOf, type OpenedEntry, rowIn } from './contents.ts';
import { differencesOf } from './differences.ts';
import type { Rebuild } from './rebuild.ts';
import { type Deciders, judgeDecision, judgeInvite } from './rules/decisions.ts';
import { createHistory, type History, nameOf } from './rules/history.ts';
import { type Enrolled, judgeEnrol, judgeRevoke, judgeRotate } from './rules/keys.ts';
import { aboutOf, remember } from './rules/remember.ts';
import { type Broken, type Derived, type Ruling, ruling } from './rules/ruling.ts';
import { judgeArmed, judgeReport, judgeTicket } from './rules/trials.ts';
import { judgeWithdraw, mayBeMissing, rememberWithdrawal } from './rules/withdrawals.ts';
import type { Tally } from './tally.ts';

/** A withdrawal, and the entries whose contents it took away. */
export interface Tombstone {
  readonly index: number;
  readonly covered: readonly number[];
}

export interface Judge {
  /** Takes the next entry. `earlier` is what an earlier copy has of it. */
  readonly take: (opened: OpenedEntry, earlier: Pick<Contents, 'row' | 'row_salt'> | null) => Promise<void>;
  /** Called once, at the end of the log: what was to come and did not. */
  readonly end: () => void;
  /** Contents that are gone and that no tombstone has named so far. */
  readonly uncovered: () => number;
  readonly tombstones: readonly Tombstone[];
  /** The first entry whose row cannot be relied on, or null: from it on nothing is judged by the entries before. */
  readonly brokenAt: () => number | null;
}

export interface JudgeServices {
  readonly tally: Tally;
  readonly rebuild: Rebuild;
  readonly deciders: Deciders;
  /** Below it, contents were read before what comes later was in the log. */
  readonly readBefore: number;
}

/** What the rules of an entry's kind say of it. */
interface Verdict {
  readonly rules: Ruling;
  readonly derived: Derived<unknown>;
  /** Of an enrolment: the profile. */
  readonly told?: Enrolled['told'];
}

export function createJudge({ tally, rebuild, deciders, readBefore }: JudgeServices): Judge {
  const history = createHistory();
  const tombstones: Tombstone[] = [];
  let brokenAt: number | null = null;

  /** Counts what can be told of an entry alone. */
  function countOpened({ index, row, envelope, flaws }: OpenedEntry, isMetal: boolean): void {
    for (const { check, expected, found } of flaws) tally.find(check, index, expected, found);
    if (row !== 'mismatch') tally.count('rows', row);
    if (envelope === 'absent' && !isMetal) {
      tally.find(
        'envelopes',
        index,
        'the signed request behind an entry that is not of a real machine',
        'none',
      );
    } else if (envelope !== 'mismatch')
      tally.count('envelopes', envelope === 'absent' ? 'withheld' : envelope);
  }

  function count(check: 'protocol' | 'withdrawals', index: number, { broken, absent }: Ruling): void {
    if (broken.length > 0) tally.find(check, index, wordsOf(broken, 'expected'), wordsOf(broken, 'found'));
    else tally.count(check, absent ?? 'ok');
  }

  function countDerived(item: Item, derived: Derived<unknown>): void {
    if ('absent' in derived) {
      tally.count('derivation', derived.absent);
      return;
    }
    const found = rows[item.kind].parse(item.row);
    if ('fault' in derived) {
      tally.find('derivation', item.index, derived.fault, JSON.stringify(found));
      return;
    }
    const differences = differencesOf(rows[item.kind].parse(derived.row), found);
    if (differences.length === 0) tally.count('derivation', 'rebuilt');
    else {
      const words = (which: 'expected' | 'found') =>
        differences.map((one) => `${one.path} ${one[which]}`).join(', ');
      tally.find('derivation', item.index, words('expected'), words('found'));
    }
  }

  /** Rules of the order of entries, which hold whatever the entry is. */
  function mustBeInOrder(opened: OpenedEntry, rules: Ruling): void {
    const { index, entry, item } = opened;
    if (entry === null) return;
    if (entry.envelope === null) {
      const wasCarried = entry.kind === 'ticket' || entry.kind === 'armed' || entry.kind === 'enrol';
      rules.must(
        history.isCarriedOver && wasCarried,
        'a signed request behind every entry, but for tickets, armed notes and enrolments at the very beginning',
        `a ${entry.kind} without one`,
      );
    } else if (entry.kind !== 'report') history.isCarriedOver = false;
    closeRequest(item, index, rules);
  }

  /** All tickets of a request stand together. */
  function closeRequest(item: Item | null, index: number, rules: Ruling): void {
    const { request } = history;
    if (request === null) return;
    if (item?.kind === 'ticket' && item.said?.request.hash === request.hash) return;
    history.request = null;
    rules.must(
      request.next === request.ids.length,
      `${request.ids.length} tickets together for the request of entry ${request.index}`,
      `${request.next} before entry ${index}`,
    );
  }

  /** What a false capture has the survey hold back comes in the very next entries. */
  function takeHolds(item: Item | null): void {
    if (history.toHold.length === 0) return;
    const at = history.toHold.findIndex(
      ({ kind, value }) =>
        item?.kind === 'decision' &&
        item.row.action === 'quarantine' &&
        nameOf(item.row.subject.kind, item.row.subject.value) === nameOf(kind, value),
    );
    if (at >= 0) {
      history.toHold.splice(at, 1);
      return;
    }
    for (const { kind, value, because } of history.toHold.splice(0)) {
      const found = 'another entry after the report of a capture by a disabled mechanism';
      tally.find('protocol', because, `a quarantine of ${kind} ${value} right behind it`, found);
    }
  }

  /** Asks the rules of an entry's kind. */
  async function verdictOf(item: Item): Promise<Verdict> {
    switch (item.kind) {
      case 'enrol':
        return judgeEnrol(item, history);
      case 'ticket':
        return judgeTicket(item, history);
      case 'armed':
        return judgeArmed(item, history);
      case 'report':
        return judgeReport(item, history);
      case 'rotate':
        return judgeRotate(item, history);
      case 'revoke':
        return judgeRevoke(item, history);
      case 'invite':
        return judgeInvite(item, history, await rebuild.standing(item.row));
      case 'decision':
        return decisionVerdict(item);
      case 'withdraw':
        return withdrawalVerdict(item);
    }
  }

  function decisionVerdict(item: ItemOf<'decision'>): Verdict {
    const { unknownOperator, ...verdict } = judgeDecision(item, history, deciders);
    if (unknownOperator !== null)
      tally.note(
        `Decisions are signed by ${unknownOperator}, by an unknown operator: name the ones you know with --operator.`,
      );
    takeHolds(item);
    return verdict;
  }

  function withdrawalVerdict(item: ItemOf<'withdraw'>): Verdict {
    const { rules, derived, isUnshown, covered } = judgeWithdraw(item, history, readBefore);
    count('withdrawals', item.index, rules);
    rememberWithdrawal(history, item, covered, rules.broken.length === 0);
    tombstones.push({ index: item.index, covered });
    const { role, key } = item.row;
    if (isUnshown)
      tally.note(
        `Nothing that is left shows that ${item.said?.body.signer}, who signed withdrawal ${item.index}, was the owner of ${role} ${key}. A copy of before would (--keep).`,
      );
    // What the rules of withdrawals say is counted under that name.
    return { rules: ruling(), derived };
  }

  async function judgeItem(item: Item, inOrder: Ruling): Promise<Enrolled['told']> {
    const { rules, derived, told = null } = await verdictOf(item);
    count('protocol', item.index, joined(inOrder, rules));
    countDerived(item, derived);
    if (item.kind === 'report' && item.row.labels.includes('false-capture')) {
      const trial = history.trials.get(item.row.nonce);
      const due = trial === undefined ? [] : await rebuild.dueHolds(trial.row, item.row.agent_version);
      history.toHold.push(...due.map((subject) => ({ ...subject, because: item.index })));
    }
    return told;
  }

  async function takeMissing(
    { index, entry }: OpenedEntry,
    earlier: Pick<Contents, 'row' | 'row_salt'> | null,
  ): Promise<void> {
    if (entry === null) return;
    if (!mayBeMissing(entry.kind)) {
      tally.find('withdrawals', index, `the contents of a ${entry.kind}, which nobody can withdraw`, 'none');
      brokenAt ??= index;
      return;
    }
    const opened = earlier === null ? null : await rowIn(entry, earlier);
    if (opened === null || !('value' in opened)) {
      history.lost.set(entry.kind, (history.lost.get(entry.kind) ?? 0) + 1);
      history.missing.set(index, { kind: entry.kind, about: null });
      return;
    }
    const item = {
      kind: entry.kind,
      index,
      admittedMs: Date.parse(entry.admitted_at),
      row: opened.value,
      said: null,
      isSigned: entry.envelope !== null,
    } as Item;
    remember(item, history, false);
    history.missing.set(index, { kind: entry.kind, about: aboutOf(item, history) });
  }

  return {
    take: async (opened, earlier) => {
      const { item, index } = opened;
      countOpened(opened, item === null || isOfMetal(item, history, brokenAt !== null));
      if (opened.row === 'mismatch') brokenAt ??= index;
      if (brokenAt !== null) return;
      const rules = ruling();
      mustBeInOrder(opened, rules);
      if (item?.kind !== 'decision') {
        takeHolds(null);
        history.batch = batchOf(opened);
      }
      if (item === null) {
        if (rules.broken.length > 0) count('protocol', index, rules);
        await takeMissing(opened, earlier);
        return;
      }
      const told = await judgeItem(item, rules);
      remember(item, history, true, told);
      await rebuild.add(item, history);
    },
    end: () => {
      if (brokenAt !== null) {
        tally.note(
          `From entry ${brokenAt} on nothing was judged by the entries before it, whose rows are not those of the log: neither rules nor statistics.`,
        );
        return;
      }
      takeHolds(null);
      const rules = ruling();
      closeRequest(null, Number.POSITIVE_INFINITY, rules);
      if (rules.broken.length > 0)
        tally.find('protocol', null, wordsOf(rules.broken, 'expected'), 'fewer at the end');
      for (const [index, { kind }] of history.missing)
        tally.find(
          'withdrawals',
          index,
          'a withdrawal that names every entry without contents',
          `a ${kind} that none names`,
        );
      for (const { covered } of tombstones) tally.count('withdrawals', 'withdrawn', covered.length);
    },
    uncovered: () => history.missing.size,
    tombstones,
    brokenAt: () => brokenAt,
  };
}

/** What may have the survey hold something back in the entries right behind this one. */
function batchOf({ item, entry }: OpenedEntry): History['batch'] {
  if (item === null) return entry?.kind === 'report' ? 'unknown' : null;
  return item.kind === 'report' && item.row.labels.includes('false-capture') ? item.row.agent_version : null;
}

/** How many broken rules of one entry are told. */
const toldRules = 3;

function wordsOf(broken: readonly Broken[], which: keyof Broken): string {
  return broken
    .slice(0, toldRules)
    .map((rule) => rule[which])
    .join('; and ');
}

function joined(a: Ruling, b: Ruling): Ruling {
  const both = ruling();
  for (const { expected, found } of [...a.broken, ...b.broken]) both.must(false, expected, found);
  const absent: Absent | null = a.absent ?? b.absent;
  if (absent !== null) both.cannot(absent);
  return both;
}

/** Whether an entry is of a real machine, whose requests only named auditors see; or may be, of an unknown trial. */
function isOfMetal(item: Item, { trials }: History, otherwise: boolean): boolean {
  switch (item.kind) {
    case 'enrol':
    case 'ticket':
      return item.row.population === 'metal';
    case 'armed':
    case 'report':
      return (trials.get(item.row.nonce)?.row.population ?? (otherwise ? 'metal' : 'lab')) === 'metal';
    default:
      return false;
  }
}
