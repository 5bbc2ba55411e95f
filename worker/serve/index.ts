/** `GET /v1`: the addresses that there are, the report versions that are admitted, and the scenario sets. */
import type { ApiIndexAnswer } from '../../schema/answer/api-index.ts';
import { payloadKinds, payloadType, powBits } from '../../schema/envelope.ts';
import { problems, problemType } from '../../schema/problem.ts';
import { scenarioId, scenarioSetNames, scenarioSets } from '../../schema/scenario.ts';
import { groups } from '../../schema/statistics.ts';
import { namesOf, populations } from '../../schema/vocabulary.ts';
import { bodyMaxBytes, limits, reportVersions } from '../../schema/wire.ts';

/** The index. Nothing in it depends on the store. */
export function apiIndex(addresses: string[]): ApiIndexAnswer {
  return {
    name: 'Dump Survey',
    addresses,
    report_versions: [...reportVersions],
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
