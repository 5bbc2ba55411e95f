import { fromHex } from '../../schema/bytes.ts';
import { keyFault } from '../../schema/ed25519.ts';
import type { InviteBody } from '../../schema/wire.ts';
import { type Command, dryRunOption, jsonOption, keyOptions, surveyOptions } from '../command.ts';
import { signBody } from '../link/sign.ts';
import { keyAt, ownerKeyPath } from './key-files.ts';
import { reportAnswer, sendRequest, showRequest } from './signed-request.ts';
import { surveyLink } from './survey-api.ts';

export const invite: Command = {
  description:
    'Signed by the owner, who must be trusted. Who vouched for whom is public and stays in the log; invitations are few.\nInvite people you know: what they report counts as if you had.',
  argument: { value: 'KEY', help: "the other owner's public key, 64 hexadecimal digits" },
  options: {
    'owner-key': keyOptions['owner-key'],
    ...dryRunOption,
    ...surveyOptions,
    ...jsonOption,
  },
  examples: [`dumpsurvey invite ${'0123456789abcdef'.repeat(4)}`],
  run: async (values, invited) => {
    if (invited === null || !/^[0-9a-f]{64}$/.test(invited) || keyFault(fromHex(invited)) !== null) {
      console.error(
        'invite takes the public key of an owner: 64 hexadecimal digits of a key that somebody holds.',
      );
      return 2;
    }
    const owner = await keyAt(ownerKeyPath(values));
    const body: InviteBody = {
      version: '1.0',
      owner: owner.name,
      invited,
      created_at: new Date().toISOString(),
    };
    const sent = signBody('invite', body, owner);
    const link = surveyLink(values, 10_000);
    if (values['dry-run']) {
      showRequest(link.url, 'invite', sent, values);
      return 0;
    }
    const answer = await sendRequest(link, 'invite', sent);
    await reportAnswer(link, `Owner ${invited} is vouched for.`, { invited }, answer, values);
    return 0;
  },
};
