/**
 * `vouch`, `distrust`, `reference`, `quarantine`, `release`, `revoke`: an operator's decision, signed and sent to the
 * survey, which enters it into its log. One command for each action; all of them do the same.
 */
import * as z from 'zod';
import { toBase64, utf8 } from '../../schema/bytes.ts';
import { type Envelope, payloadType, preAuthEncoding } from '../../schema/envelope.ts';
import {
  type DecisionAction,
  type DecisionSubject,
  decisionActions,
  decisionSubjects,
  namesOf,
} from '../../schema/vocabulary.ts';
import { type DecisionBody, decisionBody, entryAnswer } from '../../schema/wire.ts';
import { subjectsOf } from '../admit/decide.ts';
import { instant } from '../time.ts';
import { type Command, Misuse, Obstacle, type OptionValues, required } from './command.ts';
import { keyOption, operatorKey } from './key.ts';

/** The option of each kind of subject. */
const optionOf: Readonly<Record<DecisionSubject, { readonly option: string; readonly value: string }>> = {
  owner: { option: 'owner', value: 'KEY' },
  machine: { option: 'machine', value: 'KEY' },
  agent_version: { option: 'agent-version', value: 'VERSION' },
  scenario_set: { option: 'scenario-set', value: 'NAME' },
};

const problem = z.object({ type: z.string(), detail: z.string(), action: z.string() });

/** The subject that the options name. Throws Misuse unless it is exactly one. */
function subjectOf(action: DecisionAction, values: OptionValues): DecisionBody['subject'] {
  const named = subjectsOf[action].flatMap((kind) => {
    const value = values[optionOf[kind].option];
    return typeof value === 'string' ? [{ kind, value }] : [];
  });
  const [subject] = named;
  if (subject !== undefined && named.length === 1) return subject;
  const options = subjectsOf[action].map((kind) => `--${optionOf[kind].option}`).join(', ');
  throw new Misuse(`${action} is about one thing: give one of ${options}.`);
}

async function send(survey: string, envelope: Envelope): Promise<z.infer<typeof entryAnswer>> {
  const address = `${survey.replace(/\/+$/, '')}/v1/decisions`;
  let response: Response;
  try {
    response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(envelope),
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    throw new Obstacle(`${address} cannot be reached: ${error instanceof Error ? error.message : error}`);
  }
  const text = await response.text();
  let said: unknown = null;
  try {
    said = JSON.parse(text);
  } catch {
    // Somebody in between answered.
  }
  const answer = entryAnswer.safeParse(said);
  if (response.ok && answer.success) return answer.data;
  const refused = problem.safeParse(said).data;
  throw new Obstacle(
    refused
      ? `The survey refused it (${response.status}): ${refused.detail} ${refused.action}`
      : `The survey answered ${response.status}: ${text.slice(0, 200)}`,
  );
}

/** The command of an action. */
function commandOf(action: DecisionAction): Command {
  const subjects = Object.fromEntries(
    subjectsOf[action].map((kind) => {
      const { option, value } = optionOf[kind];
      return [option, { type: 'string' as const, value, help: decisionSubjects[kind] }];
    }),
  );
  const from = {
    'from-index': {
      type: 'string' as const,
      value: 'INDEX',
      help: 'reports from this index of the log on do not count',
    },
  };
  const example = `--${optionOf[subjectsOf[action][0] ?? 'owner'].option} ${'…'}`;
  return {
    name: action,
    summary: decisionActions[action],
    description:
      'Signed with the operator’s key and sent to the survey. The decision, its reason and the key are in the log for everybody, for ever; the next edition follows it.',
    options: {
      ...subjects,
      ...(action === 'revoke' ? from : {}),
      reason: { type: 'string', value: 'TEXT', help: 'why; public' },
      survey: {
        type: 'string',
        value: 'URL',
        help: 'the survey (DUMPSURVEY_URL, else http://127.0.0.1:8787)',
      },
      ...keyOption,
      'dry-run': { type: 'boolean', help: 'shows what would be signed, and sends nothing' },
    },
    examples: [
      `npm run operator -- ${action} ${example}${action === 'revoke' ? ' --from-index 1200' : ''} --reason "…"`,
    ],
    run: async (values) => {
      const subject = subjectOf(action, values);
      const index = action === 'revoke' ? Number(required(values, 'from-index')) : null;
      const { name, signer } = await operatorKey(values, process.env);
      const parsed = decisionBody.safeParse({
        version: '1.0',
        operator: name,
        action,
        subject,
        from_index: index,
        reason: required(values, 'reason'),
        created_at: instant(Date.now()),
      } satisfies DecisionBody);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        throw new Misuse(`${issue?.path.join('.')}: ${issue?.message}.`);
      }
      const payload = utf8(JSON.stringify(parsed.data));
      if (values['dry-run']) {
        return { lines: [JSON.stringify(parsed.data, null, 2)], json: parsed.data };
      }
      const type = payloadType('decision');
      const sig = toBase64(await signer.sign(preAuthEncoding(type, payload)));
      const envelope = { payload: toBase64(payload), payloadType: type, signatures: [{ keyid: name, sig }] };
      const survey = String(values.survey ?? process.env.DUMPSURVEY_URL ?? 'http://127.0.0.1:8787');
      const { log_index, admitted_at } = await send(survey, envelope);
      return {
        lines: [`Entry ${log_index} of the log: ${action} ${subject.kind} ${subject.value}`],
        json: { log_index, admitted_at, ...parsed.data },
      };
    },
  };
}

/** The commands, one for each action. */
export const decisions: readonly Command[] = namesOf(decisionActions).map(commandOf);
