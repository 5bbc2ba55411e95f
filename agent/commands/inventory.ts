import { type Command, jsonOption, text } from '../command.ts';
import { distributionOf } from '../machine/distribution.ts';
import { type MachineInventory, machineInventory, profileText } from '../machine/inventory.ts';
import { explained } from '../machine/origins.ts';
import { toolVersions } from '../machine/tools.ts';
import { fileTree } from '../machine/tree.ts';
import { systemPrograms } from '../metal/programs.ts';

/** The inventory of the machine that this runs on. */
export async function thisMachine(dumpDisk: string | null): Promise<MachineInventory> {
  const tree = fileTree();
  const tools = await toolVersions(systemPrograms, distributionOf(tree).family);
  return machineInventory(tree, tools, dumpDisk);
}

export const inventoryCommand: Command = {
  description:
    'Reads an allow-list of files, most of them in /sys and /proc. Never serial numbers, MAC addresses, UUIDs, host\nnames, user names or IP addresses. Nothing is sent, and nothing is changed. With --explain each value stands beside\nthe files that it was read from.',
  options: {
    'dump-disk': {
      type: 'string',
      value: 'NAME',
      help: 'the disk that dumps are written to, as in /sys/block (else as kdump is configured)',
    },
    pretty: { type: 'boolean', help: 'prints it indented, for reading' },
    explain: { type: 'boolean', help: 'prints each value, and the files that it was read in' },
    json: { ...jsonOption.json, help: 'prints JSON: as without it, or with --explain the list of values' },
  },
  examples: [
    'dumpsurvey inventory --pretty',
    'dumpsurvey inventory --explain',
    'dumpsurvey inventory --dump-disk nvme0n1',
  ],
  run: async (values) => {
    const found = await thisMachine(text(values, 'dump-disk'));
    if (values.explain) {
      const lines = explained(fileTree(), found);
      if (values.json) console.log(JSON.stringify(lines));
      else
        for (const { field, value, from } of lines)
          console.log(`${field} = ${value}\n    ${from.join(', ')}`);
      return 0;
    }
    console.log(values.pretty ? JSON.stringify(found.profile, null, 2) : profileText(found.profile));
    return 0;
  },
};
