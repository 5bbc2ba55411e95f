/** Who is logged in, as systemd-logind says it, or where there is none as who(1) does. */
import type { Programs } from '../metal/programs.ts';
import type { SystemTree } from './tree.ts';

/** Sessions of people, beside the one that this was started from. */
export function otherSessionsIn(shown: string, ownId: string | null): number {
  const sessions = shown
    .split(/\n\s*\n/)
    .map((block) => new Map([...block.matchAll(/^(\w+)=(.*)$/gm)].map(([, k, v]) => [k, v])));
  return sessions.filter(
    (s) => s.get('Class') === 'user' && s.get('State') !== 'closing' && s.get('Id') !== ownId,
  ).length;
}

/** The kernel's number of the session that this process belongs to (audit), which logind uses as its name; null for a service. */
function ownSession(tree: SystemTree): string | null {
  const id = tree.read('/proc/self/sessionid')?.trim() ?? '';
  return /^\d+$/.test(id) && id !== '4294967295' ? id : null;
}

/** How many sessions of users there are beside the own one; null where nothing could say. */
export async function otherSessionCount(tree: SystemTree, programs: Programs): Promise<number | null> {
  const listed = await programs('loginctl', ['list-sessions', '--no-legend', '--no-pager']);
  if (listed.code === 0) {
    const ids = listed.stdout.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);
    if (ids.length === 0) return 0;
    const shown = await programs('loginctl', [
      'show-session',
      ...ids,
      '-p',
      'Id',
      '-p',
      'Class',
      '-p',
      'State',
    ]);
    // A session that ended in between makes it fail; what it says of the others holds.
    return otherSessionsIn(shown.stdout, ownSession(tree));
  }
  const who = await programs('who', []);
  return who.code === 0 ? who.stdout.split('\n').filter((line) => line.trim() !== '').length : null;
}
