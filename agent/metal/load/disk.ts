/** The disk load: writes past the page cache, into files that this load made, in the owner's scratch directory. */
import { join } from 'node:path';
import type { Background, Programs } from '../programs.ts';
import { isInstalled, type Load, type LoadPlace, together } from './load.ts';

const writers = 8;
const writerMib = 32;
/** The names of its files: nothing else in the directory is ever touched. */
const prefix = 'dumpsurvey-load';

/** Removes the files of a disk load; a crash leaves them behind. Nothing else in the directory is touched. */
export async function removeLoadFiles(programs: Programs, scratch: string): Promise<void> {
  await programs('find', [scratch, '-maxdepth', '1', '-type', 'f', '-name', `${prefix}*`, '-delete']);
}

/** Random writes of 64 KiB, eight by eight, without end (fio's manual, time_based). */
export function fioArguments(scratch: string): string[] {
  return [
    `--name=${prefix}`,
    `--directory=${scratch}`,
    ...['--rw=randwrite', '--bs=64k', '--direct=1', '--ioengine=psync', '--thread'],
    ...[
      `--numjobs=${writers}`,
      `--size=${writerMib}M`,
      '--fallocate=none',
      '--time_based',
      '--runtime=86400',
    ],
    ...['--output=/dev/null', '--unlink=0'],
  ];
}

/** One writer of the built-in load: a file, over and over, as long as the agent lives. */
export const writerScript = `while kill -0 "$PPID" && dd if=/dev/zero of="$1" bs=64k count=${writerMib * 16} oflag=direct conv=notrunc 2>/dev/null; do :; done`;

/** Writes in flight on the disk that the scratch directory lies on. */
export function diskLoad({ system: { programs, start }, scratch }: LoadPlace): Load {
  return {
    start: async () => {
      if (scratch === null) throw new Error('no scratch directory on the dump target was named (--scratch)');
      const remove = () => removeLoadFiles(programs, scratch);
      await remove();
      const made = await programs('mkdir', ['-p', scratch]);
      if (made.code !== 0) throw new Error(`${scratch} cannot be made: ${made.stderr.trim()}`);
      const hasFio = await isInstalled(programs, 'fio');
      const running: Background[] = hasFio
        ? [start('fio', fioArguments(scratch))]
        : Array.from({ length: writers }, (_, i) =>
            start('sh', ['-c', writerScript, 'sh', join(scratch, `${prefix}.${i}`)]),
          );
      const all = together(hasFio ? 'fio, 8 writers' : 'dd, 8 writers', running);
      return {
        ...all,
        stop: async () => {
          await all.stop();
          await remove();
        },
      };
    },
  };
}
