/**
 * vmcoreinfo: the text in which a kernel says where its own structures lie (kernel/vmcore_info.c, earlier
 * kernel/crash_core.c; Documentation/admin-guide/kdump/vmcoreinfo.rst). Unknown lines are left alone.
 */
import { textOf } from './source.ts';

/** The facts by kind. Lookups answer undefined for what the kernel does not say. */
export interface Vmcoreinfo {
  readonly release: string | null;
  /** `SYMBOL(name)`: a virtual address. */
  symbol(name: string): bigint | undefined;
  /** `SIZE(name)` in bytes. */
  size(name: string): number | undefined;
  /** `OFFSET(struct.member)` in bytes. */
  offset(name: string): number | undefined;
  /** `NUMBER(name)`, with its sign. */
  number(name: string): bigint | undefined;
}

/** Reads vmcoreinfo's text. The first of two lines with one key counts. Never throws. */
export function parseVmcoreinfo(bytes: Uint8Array): Vmcoreinfo {
  const facts = new Map<string, string>();
  for (const line of textOf(bytes).split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0 && !facts.has(line.slice(0, equals)))
      facts.set(line.slice(0, equals), line.slice(equals + 1));
  }
  function small(key: string): number | undefined {
    const text = facts.get(key);
    return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  }
  return {
    release: facts.get('OSRELEASE') || null,
    symbol(name) {
      const text = facts.get(`SYMBOL(${name})`);
      return text !== undefined && /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : undefined;
    },
    size: (name) => small(`SIZE(${name})`),
    offset: (name) => small(`OFFSET(${name})`),
    number(name) {
      const text = facts.get(`NUMBER(${name})`);
      return text !== undefined && /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined;
    },
  };
}
