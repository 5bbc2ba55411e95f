/**
 * Consent: the owner's word that this machine is a spare one and may be crashed. It is bound to the text that was shown;
 * where the text says more than what was agreed to, the owner is asked again.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import { type MetalPaths, readState } from './state.ts';

/** What the owner agrees to, as it is shown. */
export const consentText = `This machine will be crashed on purpose, again and again, without asking.

- Whatever runs on it is lost at each crash, without warning: mark a machine as spare only if nobody needs what it does.
- File systems are synchronized before each crash and recover by their journals. Data may be lost all the same.
- The dump of each crash holds whatever was in memory, passwords and keys too. It never leaves this machine on behalf of
  the survey, and is removed once its trial was reported. Dumps of other crashes are left alone.
- A signed report of each crash goes to the survey: hardware by its numeric ids, drivers, kernel, how far the capture
  got. Never serial numbers, addresses or names. \`dumpsurvey inventory\` prints what is said of the hardware.
- Published aggregates cannot be recalled. Single reports can be withdrawn: \`dumpsurvey withdraw\`.
- It ends at once with \`dumpsurvey uninstall\`, or with the word dumpsurvey.off on the kernel command line.
`;

/** SHA-256 of the text, in hexadecimal. */
export const consentSha256 = createHash('sha256').update(consentText).digest('hex');

const consent = z.strictObject({
  version: z.literal(1),
  /** When the owner agreed. */
  at: z.iso.datetime({ precision: 3 }),
  /** Of the text that was shown. */
  text_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  agent_version: z.string().max(60),
});
export type Consent = z.infer<typeof consent>;

/** What was agreed to, or null where nothing was. Throws Advice where the file is damaged: damage is no consent. */
export function readConsent({ consent: path }: Pick<MetalPaths, 'consent'>): Promise<Consent | null> {
  return readState(path, consent, [`rm ${path}`, 'dumpsurvey install --spare-machine']);
}

/** Whether the owner agreed to the text as it is shown by this agent. */
export function isAgreed(given: Consent | null): boolean {
  return given?.text_sha256 === consentSha256;
}

/** Keeps the consent durably. The directory must be there. */
export async function writeConsent(
  { consent: path }: Pick<MetalPaths, 'consent'>,
  agentVersion: string,
  nowMs: number,
): Promise<Consent> {
  const given: Consent = {
    version: 1,
    at: new Date(nowMs).toISOString(),
    text_sha256: consentSha256,
    agent_version: agentVersion,
  };
  await writeDurably(path, `${JSON.stringify(given)}\n`);
  return given;
}
