import type { WithdrawBody } from '../../schema/wire.ts';
import { type Command, dryRunOption, jsonOption, keyOptions, surveyOptions, text } from '../command.ts';
import { Refused } from '../link/api.ts';
import { signBody } from '../link/sign.ts';
import { keyAt, machineKeyPath, ownerKeyPath } from './key-files.ts';
import { reportAnswer, sendRequest, showRequest } from './signed-request.ts';
import { surveyLink } from './survey-api.ts';

const warning =
  'Reports, profiles, signatures and public rows are deleted for good; what stays in the log are hashes that say\nnothing. Aggregates that were published before cannot be recalled: others may have copied them. The key cannot take\npart again.';

export const withdraw: Command = {
  description: `${warning}\nOn this disk nothing is removed.`,
  options: {
    machine: {
      type: 'string',
      value: 'KEY',
      help: "another machine of the owner's, by its public key; signed by the owner",
    },
    owner: { type: 'boolean', help: 'the owner, with all machines' },
    yes: { type: 'boolean', help: 'yes, delete it' },
    ...keyOptions,
    ...dryRunOption,
    ...surveyOptions,
    ...jsonOption,
  },
  examples: [
    'dumpsurvey withdraw --dry-run',
    'dumpsurvey withdraw --yes',
    'dumpsurvey withdraw --owner --yes --url https://survey.example',
  ],
  run: async (values) => {
    const machine = text(values, 'machine');
    if (machine !== null && (values.owner || !/^[0-9a-f]{64}$/.test(machine))) {
      console.error('--machine takes a public key of 64 hexadecimal digits, and goes without --owner.');
      return 2;
    }
    const byOwner = values.owner === true || machine !== null;
    const key = await keyAt(byOwner ? ownerKeyPath(values) : machineKeyPath(values));
    const subject = {
      role: values.owner ? ('owner' as const) : ('machine' as const),
      key: machine ?? key.name,
    };
    const body: WithdrawBody = {
      version: '1.0',
      signer: key.name,
      ...subject,
      created_at: new Date().toISOString(),
    };
    const sent = signBody('withdraw', body, key);
    const link = surveyLink(values, 10_000);
    if (values['dry-run']) {
      showRequest(link.url, 'withdraw', sent, values);
      return 0;
    }
    const whose = `${subject.role} ${subject.key}`;
    if (!values.yes) {
      console.error(
        `This withdraws all data of ${whose} at ${link.url}.\n${warning}\nIf that is what you want, add --yes.`,
      );
      return 2;
    }
    try {
      const answer = await sendRequest(link, 'withdraw', sent);
      await reportAnswer(link, `All data of ${whose} was withdrawn.`, subject, answer, values);
    } catch (error) {
      if (!(error instanceof Refused && error.type === '/problems/withdrawn-key')) throw error;
      // Also where the answer to the first request was lost.
      console.log(
        values.json
          ? JSON.stringify({ ...subject, log_index: null })
          : `The data of ${whose} is withdrawn already.`,
      );
    }
    return 0;
  },
};
