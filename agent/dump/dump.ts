/** What every reader of a format gives to the verifier. */
import type { PhysicalMemory } from './memory.ts';

/** How complete a dump's pages are, by its own promise. */
export interface PageCheck {
  readonly promised: number;
  readonly present: number;
  readonly undecodable: number;
  /** Page data, or the table that describes it, reaches past the end. */
  readonly truncated: boolean;
  readonly fault: string | null;
  /** Where the dump ends, as its pages and headers say; never past the source. */
  readonly byteCount: number;
}

/** A dump whose headers were read. */
export interface Dump {
  readonly format: 'kdump-compressed' | 'elf' | 'netdump';
  /** What the headers lack; null where they are well-formed. */
  readonly fault: string | null;
  readonly truncated: boolean;
  readonly incompleteFlag: boolean;
  /** The release that the dump's own header names, where the format has one. */
  readonly release: string | null;
  readonly vmcoreinfo: Uint8Array | null;
  readonly memory: PhysicalMemory;
  /** Looks at every page. */
  checkPages(): Promise<PageCheck>;
}

/** The most that vmcoreinfo may hold; kernels give it one page. */
export const maxVmcoreinfoBytes = 1 << 20;

/** A dump whose headers cannot be followed: it promises nothing and holds nothing. */
export function unreadableDump(
  format: Dump['format'],
  byteCount: number,
  { fault, truncated = false }: { fault: string; truncated?: boolean },
): Dump {
  return {
    format,
    fault,
    truncated,
    incompleteFlag: false,
    release: null,
    vmcoreinfo: null,
    memory: { read: async () => 'missing' },
    checkPages: async () => ({ promised: 0, present: 0, undecodable: 0, truncated, fault, byteCount }),
  };
}
