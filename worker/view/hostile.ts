/** For tests: puts a hostile text into every place of a page's data where text of a stranger can be. */
import { crashPoints } from '../../schema/crash-point.ts';
import { crashTypes } from '../../schema/crash-type.ts';
import { loads, mitigations, scenarioSets } from '../../schema/scenario.ts';
import {
  causes,
  decisionActions,
  decisionSubjects,
  entryKinds,
  environments,
  keyRoles,
  labels,
  mechanisms,
  populations,
  recoveries,
  results,
  roles,
  stages,
  verdictReasons,
  verdicts,
} from '../../schema/vocabulary.ts';

const closed = new Set(
  [
    crashPoints,
    crashTypes,
    loads,
    mitigations,
    scenarioSets,
    causes,
    decisionActions,
    decisionSubjects,
    entryKinds,
    keyRoles,
    environments,
    labels,
    mechanisms,
    populations,
    recoveries,
    results,
    roles,
    stages,
    verdictReasons,
    verdicts,
  ].flatMap((table) => Object.keys(table)),
);

/** Records whose keys come with a report. */
const openRecords = ['sysctls', 'tools'];

/** The same data with every string that is not a word of the vocabulary replaced. */
export function poisoned<T>(data: T, hostile: string): T {
  const walk = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') return closed.has(value) ? value : hostile;
    if (Array.isArray(value)) return value.map((item) => walk(item, name));
    if (value === null || typeof value !== 'object') return value;
    const open = openRecords.includes(name);
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [open ? hostile : key, walk(item, key)]),
    );
  };
  return walk(data, '') as T;
}
