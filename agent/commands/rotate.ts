import { randomBytes } from 'node:crypto';
import type { EntryAnswer } from '../../schema/wire.ts';
import { type Command, dryRunOption, jsonOption, keyOptions, surveyOptions } from '../command.ts';
import { lockCampaign } from '../lab/campaign.ts';
import { formerPath } from '../link/keys.ts';
import { prepareRotation, rotateKey } from '../link/rotation.ts';
import { dataDir } from '../paths.ts';
import { keyAt, machineKeyPath, ownerKeyPath } from './key-files.ts';
import { reportAnswer, sendRequest, showRequest } from './signed-request.ts';
import { surveyLink } from './survey-api.ts';

export const rotate: Command = {
  description:
    'The new key is written down before the survey hears of it, and the old one is kept beside it. Killed at any moment,\nthe command can be run again, and ends what was begun. With --dry-run the new key and the request are made and kept,\nand nothing is sent: the next run sends exactly these bytes.',
  options: {
    owner: { type: 'boolean', help: "the owner's key instead of the machine's" },
    ...keyOptions,
    ...dryRunOption,
    ...surveyOptions,
    ...jsonOption,
  },
  examples: [
    'dumpsurvey rotate',
    'dumpsurvey rotate --owner',
    'dumpsurvey rotate --key data/keys/lab-nvme-pc.key',
  ],
  run: async (values) => {
    const path = values.owner ? ownerKeyPath(values) : machineKeyPath(values);
    await keyAt(path);
    const link = surveyLink(values, 10_000);
    const options = {
      path,
      role: values.owner ? ('owner' as const) : ('machine' as const),
      url: link.url,
      randomBytes,
      nowMs: Date.now(),
    };
    // Trials that run would go on under the old key.
    const release = await lockCampaign(dataDir());
    try {
      if (values['dry-run']) {
        showRequest(link.url, 'rotate', (await prepareRotation(options)).request, values);
        return 0;
      }
      let answer: EntryAnswer | null = null;
      const { key, next } = await rotateKey(options, async (request) => {
        answer = await sendRequest(link, 'rotate', request);
      });
      const done = `Key ${key} was replaced by ${next}.\nThe old one is kept in ${formerPath(path, key)}.`;
      if (answer !== null) await reportAnswer(link, done, { key, next }, answer, values);
      else console.log(values.json ? JSON.stringify({ key, next }) : done);
      return 0;
    } finally {
      await release();
    }
  },
};
