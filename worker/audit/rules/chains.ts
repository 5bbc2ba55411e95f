/** Chains of keys, as the entries tell them: enrolments begin them, rotations continue them. Rows name first keys. */
import type { KeyRole } from '../../../schema/vocabulary.ts';

export interface Link {
  readonly key: string;
  /** The first key of its chain. */
  readonly root: string;
  /** Of a machine: the first key of its owner's chain. */
  readonly owner: string | null;
  /** The entry that the key is known from. */
  readonly index: number;
  /** When the key was replaced, in milliseconds since 1970; null while it is the current one. */
  readonly replacedAtMs: number | null;
  /** False where the entry was withdrawn since, and is known from an earlier copy only. */
  readonly isShown: boolean;
}

export interface Chains {
  readonly find: (role: KeyRole, key: string) => Link | null;
  /** The first key of a chain; a key that is not known is its own. */
  readonly rootOf: (role: KeyRole, key: string) => string;
  /** Keeps the first link of a key. */
  readonly begin: (role: KeyRole, link: Omit<Link, 'root' | 'replacedAtMs'>) => void;
  readonly replace: (
    role: KeyRole,
    key: string,
    next: string,
    index: number,
    atMs: number,
    isShown: boolean,
  ) => void;
}

export function createChains(): Chains {
  const links: Readonly<Record<KeyRole, Map<string, Link>>> = { machine: new Map(), owner: new Map() };
  return {
    find: (role, key) => links[role].get(key) ?? null,
    rootOf: (role, key) => links[role].get(key)?.root ?? key,
    begin: (role, link) => {
      if (!links[role].has(link.key))
        links[role].set(link.key, { ...link, root: link.key, replacedAtMs: null });
    },
    replace: (role, key, next, index, atMs, isShown) => {
      const old = links[role].get(key);
      if (old === undefined || links[role].has(next)) return;
      links[role].set(key, { ...old, replacedAtMs: atMs });
      links[role].set(next, { ...old, key: next, index, replacedAtMs: null, isShown });
    },
  };
}
