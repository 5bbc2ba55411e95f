import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Command, jsonOption, surveyOptions, text } from '../command.ts';
import { keyIn } from '../link/keys.ts';
import { enrol } from '../link/survey.ts';
import { profileText } from '../machine/inventory.ts';
import { readSettings } from '../metal/settings.ts';
import { metalPaths } from '../metal/state.ts';
import { dataDir } from '../paths.ts';
import { thisMachine } from './inventory.ts';
import { surveyLink } from './survey-api.ts';

export const enroll: Command = {
  description:
    'Makes a key pair for this machine (and one for its owner, where there is none) in the data directory, and\nsends the hardware profile that `dumpsurvey inventory` prints, or what an older survey takes of it. Nothing is crashed,\nand nothing is installed.',
  options: {
    ...surveyOptions,
    'owner-key': {
      type: 'string',
      value: 'FILE',
      help: "the owner's key, to enrol several machines under one owner",
    },
    'dry-run': { type: 'boolean', help: 'prints what would be sent, and sends nothing' },
    ...jsonOption,
  },
  examples: ['dumpsurvey enroll --dry-run', 'dumpsurvey enroll --url https://survey.example'],
  run: async (values) => {
    const settings = await readSettings(metalPaths(dataDir()));
    const { profile: newest } = await thisMachine(settings?.dump_disk ?? null);
    if (values['dry-run']) {
      console.log(profileText(newest));
      return 0;
    }
    const keys = join(dataDir(), 'keys');
    const owner = await keyIn(text(values, 'owner-key') ?? join(keys, 'owner.key'), randomBytes);
    const machine = await keyIn(join(keys, 'machine.key'), randomBytes);
    const { url, survey } = surveyLink(values, 10_000);
    const profile = profileText(await survey.profileFor(newest));
    const profile_sha256 = await enrol(survey, machine, owner, profile, Date.now());
    const answer = { machine: machine.name, owner: owner.name, profile_sha256 };
    console.log(
      values.json
        ? JSON.stringify(answer)
        : `Enrolled at ${url}\n  machine  ${machine.name}\n  owner    ${owner.name}\n  profile  ${profile_sha256}\nKeep ${keys} safe: the keys in it are the only proof that the machine is yours.`,
    );
    return 0;
  },
};
