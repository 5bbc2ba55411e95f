import type { RevokeBody } from '../../schema/wire.ts';
import { type Command, dryRunOption, jsonOption, keyOptions, surveyOptions, text } from '../command.ts';
import { signBody } from '../link/sign.ts';
import { keyAt, ownerKeyPath } from './key-files.ts';
import { reportAnswer, sendRequest, showRequest } from './signed-request.ts';
import { surveyLink } from './survey-api.ts';

export const revoke: Command = {
  description:
    'For a key that was stolen or lost. Signed by the owner. Reports under the key, and under those that it replaced or\nthat replaced it, do not count from an index of the log on; they stay public. It cannot be taken back. To have data\ndeleted, see dumpsurvey withdraw.',
  argument: { value: 'KEY', help: "the public key of a machine of the owner's, or the owner's own" },
  options: {
    'from-index': {
      type: 'string',
      value: 'N',
      help: 'the first entry of the log that does not count (from the newest checkpoint on); 0 is everything',
    },
    yes: { type: 'boolean', help: 'yes, revoke it' },
    'owner-key': keyOptions['owner-key'],
    ...dryRunOption,
    ...surveyOptions,
    ...jsonOption,
  },
  examples: [
    `dumpsurvey revoke ${'0123456789abcdef'.repeat(4)} --yes`,
    `dumpsurvey revoke ${'0123456789abcdef'.repeat(4)} --from-index 1234 --dry-run`,
  ],
  run: async (values, key) => {
    const from = text(values, 'from-index');
    if (key === null || !/^[0-9a-f]{64}$/.test(key) || (from !== null && !/^\d{1,15}$/.test(from))) {
      console.error(
        'revoke takes a public key of 64 hexadecimal digits; --from-index takes an index of the log.',
      );
      return 2;
    }
    const owner = await keyAt(ownerKeyPath(values));
    const link = surveyLink(values, 10_000);
    const from_index =
      from === null ? (await link.log.observe(await link.api.checkpoint())).size : Number(from);
    const role = key === owner.name ? 'owner' : 'machine';
    const body: RevokeBody = {
      version: '1.0',
      owner: owner.name,
      role,
      key,
      from_index,
      created_at: new Date().toISOString(),
    };
    const sent = signBody('revoke', body, owner);
    if (values['dry-run']) {
      showRequest(link.url, 'revoke', sent, values);
      return 0;
    }
    const what = `Reports of ${role} ${key} from entry ${from_index} on`;
    if (!values.yes) {
      console.error(`${what} would not count any more, for good. If that is what you want, add --yes.`);
      return 2;
    }
    const answer = await sendRequest(link, 'revoke', sent);
    await reportAnswer(link, `${what} do not count.`, { role, key, from_index }, answer, values);
    return 0;
  },
};
