/**
 * Fedora's and Red Hat's kdump-utils (dracut module kdumpbase, `dump_fs` and `dump_ssh`): a directory named by address
 * and second; `vmcore-incomplete` is renamed to `vmcore` once it is written and synced, over SSH to `vmcore.flat`. Older
 * kexec-tools wrote the same names.
 */
import type { Layout } from './layout.ts';

export const fedora: Layout = {
  name: 'fedora',
  directory: /^[0-9A-Za-z.:_-]{1,100}-\d{4}-\d{2}-\d{2}-\d{2}:\d{2}:\d{2}$/,
  filesIn: (names) => {
    const finished = ['vmcore', 'vmcore.flat'].find((name) => names.includes(name));
    const begun = names.includes('vmcore-incomplete') ? 'vmcore-incomplete' : undefined;
    return {
      dump: finished ?? begun ?? null,
      isFinished: finished !== undefined,
      packedBy: null,
      captureLog: names.includes('kexec-dmesg.log') ? 'kexec-dmesg.log' : null,
    };
  },
  // The hooks before the dump run before the target is used, those after it are told how it ended.
  beaconStages: ['capture_booted', 'dump_written'],
  kdumpService: 'kdump.service',
};
