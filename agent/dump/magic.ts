/**
 * The format of a dump by its first bytes. Where each magic is defined:
 * - `makedumpfile` + NUL: MAKEDUMPFILE_SIGNATURE, makedumpfile's makedumpfile.h
 * - `KDUMP   `, `DISKDUMP`: KDUMP_SIGNATURE and DISK_DUMP_SIGNATURE, makedumpfile's diskdump_mod.h
 * - 0xa8190173618f23ed: DUMP_MAGIC_NUMBER, LKCD's dump.h (crash's lkcd_dump_v*.h)
 * - ELF with e_type ET_CORE: the ELF specification. A netdump is such a file, too, see `elf.ts`.
 * A Mini Kernel Dump has no magic that any public source names: it is `unknown`.
 */
import type { DumpFinding } from '../../schema/evidence.ts';
import { textOf, viewOf } from './source.ts';

const lkcdMagic = 0xa8190173618f23edn;
const elfCore = 4;

/** How many bytes `formatOf` needs to see. */
export const magicBytes = 64;

/** The format that the first bytes claim; `unknown` without a magic. Never `empty`, which only the whole can be. */
export function formatOf(head: Uint8Array): DumpFinding['format'] {
  const text = textOf(head.subarray(0, 16));
  if (head.length >= 16 && text === 'makedumpfile') return 'flattened';
  if (text.startsWith('KDUMP   ')) return 'kdump-compressed';
  if (text.startsWith('DISKDUMP')) return 'diskdump';
  if (head.length >= 8 && viewOf(head).getBigUint64(0, true) === lkcdMagic) return 'lkcd';
  if (
    text.startsWith('\x7fELF') &&
    head.length >= magicBytes &&
    viewOf(head).getUint16(16, true) === elfCore
  ) {
    return 'elf';
  }
  return 'unknown';
}
