/**
 * SUSE's kdump (dracut/kdump-save of 2.x): a directory named by the minute; `vmcore` is written under its final name, and
 * only README.txt says how that ended. It is there before the dump, and written anew after it. The kdumptool of 1.x wrote
 * it once, after the dump, without a status.
 */
import type { Layout } from './layout.ts';

const status = /^[ \t]*vmcore status: (.*)$/m;
const readme = 'README.txt';

/** Whether README.txt says that the dump is whole. */
export function saysFinished(text: string): boolean {
  const said = status.exec(text)?.[1];
  return said === undefined
    ? /^[ \t]*Kernel crashdump[ \t]*$/m.test(text)
    : said.trim() === 'saved successfully';
}

export const suse: Layout = {
  name: 'suse',
  directory: /^(?:[0-9A-Za-z._-]{1,80}-)?\d{4}-\d{2}-\d{2}-\d{2}[-:]\d{2}$/,
  filesIn: (names, read) => {
    const dump = names.includes('vmcore') ? 'vmcore' : null;
    const text = dump !== null && names.includes(readme) ? read(readme) : null;
    return { dump, isFinished: text !== null && saysFinished(text), packedBy: null, captureLog: null };
  },
  // The hook after the dump is not told how it ended.
  beaconStages: ['capture_booted'],
  kdumpService: 'kdump.service',
};
