/** `GET /v1`: the addresses that there are, the versions that are admitted, the log's key, and the scenario sets. */
import type { ApiIndexAnswer } from '../../schema/answer/api-index.ts';
import { payloadKinds, payloadType, powBits } from '../../schema/envelope.ts';
import { versionsOf } from '../../schema/payload-versions.ts';
import { problems, problemType } from '../../schema/problem.ts';
import { profileVersions } from '../../schema/profile.ts';
import { scenarioId, scenarioSetNames, scenarioSets } from '../../schema/scenario.ts';
import { groups } from '../../schema/statistics.ts';
import { namesOf, populations } from '../../schema/vocabulary.ts';
import { bodyMaxBytes, limits } from '../../schema/wire.ts';
import type { LogIdentity } from '../log/identity.ts';

/** The index. Nothing in it depends on the store. Who pins `verifier_key` can check all that the log signs. */
export function apiIndex(
  { name: origin, verifierKey }: Pick<LogIdentity, 'name' | 'verifierKey'>,
  addresses: string[],
): ApiIndexAnswer {
  return {
    name: 'Dump Survey',
    addresses,
    log: { origin, verifier_key: verifierKey },
    report_versions: [...versionsOf('report')],
    payload_versions: Object.fromEntries(
      payloadKinds.map((kind) => [kind, [...versionsOf(kind)]]),
    ) as ApiIndexAnswer['payload_versions'],
    profile_versions: [...profileVersions],
    payload_types: payloadKinds.map(payloadType),
    work_bits: powBits,
    body_max_bytes: bodyMaxBytes,
    limits,
    scenario_sets: Object.fromEntries(
      scenarioSetNames.map((name) => [
        name,
        scenarioSets[name].map((scenario) => ({ id: scenarioId(scenario), ...scenario })),
      ]),
    ) as ApiIndexAnswer['scenario_sets'],
    statistics: {
      groups,
      populations: namesOf(populations),
      example: '/v1/statistics?by=driver,crash_type&population=lab',
    },
    problems: namesOf(problems).map(problemType),
  };
}
