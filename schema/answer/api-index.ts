/** `GET /v1`: what a client needs to know before it asks. */
import * as z from 'zod';
import { payloadKinds, payloadType } from '../envelope.ts';
import { versionsOf } from '../payload-versions.ts';
import { profileVersions } from '../profile.ts';
import { scenarioSetNames } from '../scenario.ts';
import { groups } from '../statistics.ts';
import { namesOf, populations } from '../vocabulary.ts';
import { limits, scenarioFields } from '../wire.ts';

const { set: _, ...scenarioShape } = scenarioFields.shape;
const address = z.string().regex(/^\//);
const durationMs = z.int().min(0);

export const apiIndexAnswer = z.strictObject({
  name: z.string(),
  addresses: z.array(address),
  log: z
    .strictObject({ origin: z.string(), verifier_key: z.string() })
    .describe('who pins the key can check all that the log signs (C2SP signed-note)'),
  report_versions: z.array(z.enum(versionsOf('report'))).describe('oldest first'),
  payload_versions: z
    .record(z.enum(payloadKinds), z.array(z.string()))
    .describe('what is admitted of each kind of payload, oldest first'),
  profile_versions: z
    .array(z.enum(profileVersions))
    .describe('of the profile in an enrollment, oldest first'),
  payload_types: z.array(z.enum(payloadKinds.map(payloadType))),
  work_bits: z.int().min(0).describe('zero bits that the proof of work of an enrolment needs'),
  body_max_bytes: z.int().min(1),
  limits: z.strictObject(
    Object.fromEntries(namesOf(limits).map((name) => [name, durationMs])) as Record<
      keyof typeof limits,
      typeof durationMs
    >,
  ),
  scenario_sets: z.record(
    z.enum(scenarioSetNames),
    z.array(z.strictObject({ id: z.string(), ...scenarioShape })),
  ),
  statistics: z.strictObject({
    groups: z.record(z.enum(namesOf(groups)), z.string()).describe('what statistics can be grouped by'),
    populations: z.array(z.enum(namesOf(populations))),
    example: address,
  }),
  problems: z.array(address).describe('the pages of all problem types'),
});
export type ApiIndexAnswer = z.infer<typeof apiIndexAnswer>;
