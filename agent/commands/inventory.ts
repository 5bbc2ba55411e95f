import type { Profile } from '../../schema/profile.ts';
import { type Command, jsonOption, text } from '../command.ts';
import { inventory, profileText } from '../machine/inventory.ts';
import { fileTree } from '../machine/tree.ts';

/** The profile of the machine that this runs on. */
export function thisMachine(dumpDisk: string | null): Profile {
  return inventory(fileTree(), { population: 'metal', labMachine: null, dumpDisk, tools: {} });
}

export const inventoryCommand: Command = {
  description:
    'Reads an allow-list of files in /sys and /proc. Never serial numbers, MAC addresses, UUIDs, host names, user\nnames or IP addresses. Nothing is sent.',
  options: {
    'dump-disk': {
      type: 'string',
      value: 'NAME',
      help: 'the disk that dumps are written to, as in /sys/block',
    },
    pretty: { type: 'boolean', help: 'prints it indented, for reading' },
    json: { ...jsonOption.json, help: 'prints JSON, as without it' },
  },
  examples: ['dumpsurvey inventory --pretty', 'dumpsurvey inventory --dump-disk nvme0n1'],
  run: async (values) => {
    const profile = thisMachine(text(values, 'dump-disk'));
    console.log(values.pretty ? JSON.stringify(profile, null, 2) : profileText(profile));
    return 0;
  },
};
