/** Which distribution a system is, and whose kdump tooling it has. From os-release(5). */
import type { SystemTree } from './tree.ts';

/** The toolings that the agent knows: Debian's kdump-tools, Fedora's kdump-utils, SUSE's kdump. */
export const families = ['debian', 'fedora', 'suse'] as const;
export type Family = (typeof families)[number];

export interface DistributionFacts {
  /** Null where the tooling is none of those. */
  readonly family: Family | null;
  /** `ID`, or null where there is no os-release. */
  readonly id: string | null;
  /** `VERSION_ID`: rolling distributions have none. */
  readonly version: string | null;
  /** The file that said so. */
  readonly origin: string;
}

const familiesById: Readonly<Record<string, Family>> = {
  debian: 'debian',
  ubuntu: 'debian',
  fedora: 'fedora',
  rhel: 'fedora',
  centos: 'fedora',
  suse: 'suse',
  opensuse: 'suse',
  sles: 'suse',
};

/** The assignments of a file that a shell could read, such as os-release or /etc/default/…. The last one of a name counts. */
export function assignments(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match =
      /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s#]*))/.exec(line);
    if (!match?.[1]) continue;
    const [, name, doubly, singly, bare] = match;
    found.set(name, doubly?.replaceAll(/\\(["\\$`])/g, '$1') ?? singly ?? bare ?? '');
  }
  return found;
}

/** What /etc/os-release says, or /usr/lib/os-release where that is missing. */
export function distributionOf(tree: SystemTree): DistributionFacts {
  for (const origin of ['/etc/os-release', '/usr/lib/os-release']) {
    const text = tree.read(origin);
    if (text === null) continue;
    const said = assignments(text);
    const id = said.get('ID')?.toLowerCase() || null;
    const ids = [id ?? '', ...(said.get('ID_LIKE') ?? '').toLowerCase().split(/\s+/)];
    const family = ids
      .map((name) => familiesById[name] ?? familiesById[name.split('-')[0] ?? ''])
      .find(Boolean);
    return { family: family ?? null, id, version: said.get('VERSION_ID') || null, origin };
  }
  return { family: null, id: null, version: null, origin: '/etc/os-release' };
}
