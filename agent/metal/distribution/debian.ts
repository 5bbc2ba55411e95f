/**
 * Debian's and Ubuntu's kdump-tools (kdump-config 1.8.1, `kdump_save_core`): a directory named by the minute of the
 * dump; `dump-incomplete`, with `cp` as the fallback `vmcore-incomplete`, is renamed once it is whole. On an NFS server
 * the host stands before the minute.
 */
import type { Layout } from './layout.ts';

/** Endings that KDUMP_COMPRESSION gives the whole file. */
const packed = /\.(bz2|gz|lz4|xz)$/;

export const debian: Layout = {
  name: 'debian',
  directory: /^(?:[0-9A-Za-z.:_-]{1,80}-)?\d{12}$/,
  filesIn: (names) => {
    const finished = names.find((name) => /^(?:dump|vmcore)\.\d{12}(?:\.[a-z0-9]{2,3})?$/.test(name));
    const begun = names.find((name) => /^(?:dump|vmcore)-incomplete(?:\.[a-z0-9]{2,3})?$/.test(name));
    const dump = finished ?? begun ?? null;
    return {
      dump,
      isFinished: finished !== undefined,
      packedBy: dump === null ? null : (packed.exec(dump)?.[1] ?? null),
      captureLog: null,
    };
  },
  // What follows the dump cannot be hooked: kdump-tools reboots by itself, whether it succeeded or not.
  beaconStages: ['capture_booted', 'target_ready'],
  kdumpService: 'kdump-tools.service',
};
