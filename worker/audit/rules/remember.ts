/** What an entry adds to the history that later entries are judged by. From rows alone, but for what only requests say. */
import type { Item, ItemOf } from '../contents.ts';
import { type About, type History, nameOf } from './history.ts';
import type { Enrolled } from './keys.ts';

/** Remembers an entry. `isShown` is false where only an earlier copy has it. `told` is what an enrolment told. */
export function remember(
  item: Item,
  history: History,
  isShown: boolean,
  told: Enrolled['told'] = null,
): void {
  const { chains } = history;
  switch (item.kind) {
    case 'enrol':
      rememberEnrolment(item, history, isShown, told);
      return;
    case 'ticket':
      rememberTicket(item, history, isShown);
      return;
    case 'armed': {
      const trial = history.trials.get(item.row.nonce);
      if (trial !== undefined) trial.isArmed = true;
      return;
    }
    case 'report':
      rememberReport(item, history);
      return;
    case 'rotate': {
      const { role, key, next } = item.row;
      chains.replace(role, key, next, item.index, item.admittedMs, isShown);
      return;
    }
    case 'revoke': {
      const { role, key } = item.row;
      history.revoked.add(nameOf(role, chains.rootOf(role, key)));
      return;
    }
    case 'decision': {
      const { action, subject } = item.row;
      if (action === 'revoke') history.revoked.add(nameOf(subject.kind, subject.value));
      return;
    }
    case 'invite':
    case 'withdraw':
      return;
  }
}

function rememberEnrolment(
  { row, said, isSigned, index }: ItemOf<'enrol'>,
  history: History,
  isShown: boolean,
  told: Enrolled['told'],
): void {
  const { machine, owner } = row;
  history.chains.begin('owner', { key: owner, owner: null, index, isShown });
  history.chains.begin('machine', { key: machine, owner, index, isShown });
  if (said === null) history.untold.set(machine, isSigned ? 'withheld' : 'unkept');
  if (told === null) return;
  history.profiles.set(told.sha256, told.profile);
  history.told.add(nameOf(machine, told.sha256));
}

function rememberTicket({ row, said, index }: ItemOf<'ticket'>, history: History, isShown: boolean): void {
  const { trials, answered } = history;
  if (!trials.has(row.nonce)) {
    trials.set(row.nonce, {
      index,
      row,
      machine: said?.body.machine ?? null,
      profileSha256: said?.body.profile_sha256 ?? null,
      isShown,
      isArmed: false,
      report: null,
      amendment: null,
    });
  }
  if (said === null) return;
  const { body, request } = said;
  answered.add(nameOf(body.machine, body.request));
  if (history.request?.hash !== request.hash)
    history.request = { hash: request.hash, ids: body.scenarios, next: 0, index };
  history.request.next++;
}

function rememberReport({ row, said, index }: ItemOf<'report'>, history: History): void {
  const trial = history.trials.get(row.nonce);
  if (trial === undefined) return;
  if (row.amends === null) trial.report ??= { log_index: index, report_hash: said?.request.hash ?? null };
  else trial.amendment ??= { log_index: index };
  const { owner } = trial.row;
  history.reportsOf.set(owner, (history.reportsOf.get(owner) ?? 0) + 1);
}

/** Whose withdrawal takes the contents of an entry away. */
export function aboutOf(item: Item, { trials, chains }: History): About {
  switch (item.kind) {
    case 'enrol':
    case 'ticket':
      return { machine: item.row.machine, owner: item.row.owner };
    case 'armed':
    case 'report': {
      const trial = trials.get(item.row.nonce);
      return { machine: trial?.row.machine ?? null, owner: trial?.row.owner ?? null };
    }
    case 'rotate': {
      const { role, key } = item.row;
      const link = chains.find(role, key);
      if (role === 'owner') return { machine: null, owner: link?.root ?? key };
      return { machine: link?.root ?? key, owner: link?.owner ?? null };
    }
    default:
      return { machine: null, owner: null };
  }
}
