/** One vocabulary: every enumeration of the store and of the wire is a table of names, not a list of its own. */

import { describe, expect, it, test } from 'vitest';
import {
  afterReboot,
  dumpLayouts,
  dumpStates,
  resetReasons,
  watchdogStatuses,
} from '../schema/after-reboot.ts';
import { symptomOf } from '../schema/classify/symptom.ts';
import { crashPoints } from '../schema/crash-point.ts';
import { crashTypes, setUps } from '../schema/crash-type.ts';
import { payloadKinds } from '../schema/envelope.ts';
import { evidence, sighting, trigger } from '../schema/evidence.ts';
import { outcome } from '../schema/outcome.ts';
import { type ProblemSlug, problem, problems } from '../schema/problem.ts';
import { profile } from '../schema/profile.ts';
import { loads, mitigations, scenarioSetNames, triggers } from '../schema/scenario.ts';
import { filters, groups, statisticsQuery } from '../schema/statistics.ts';
import * as tables from '../schema/tables.ts';
import {
  causes,
  decisionSubjects,
  driverCauses,
  entryKinds,
  environments,
  mechanisms,
  namesOf,
  populations,
  recoveries,
  results,
  roles,
  type Stage,
  stages,
  verdictReasons,
  verdicts,
} from '../schema/vocabulary.ts';
import { reportBody, scenarioFields, ticketsBody } from '../schema/wire.ts';

/** The names that a column of this name may hold, in whatever table it stands. */
const namesByColumn: Readonly<Record<string, readonly string[]>> = {
  kind: namesOf(entryKinds),
  population: namesOf(populations),
  scenario_set: scenarioSetNames,
  crash_point: namesOf(crashPoints),
  crash_type: namesOf(crashTypes),
  load: namesOf(loads),
  mitigation: namesOf(mitigations),
  set_up: namesOf(setUps),
  mechanism: namesOf(mechanisms),
  environment: namesOf(environments),
  role: namesOf(roles),
  result: namesOf(results),
  stage: namesOf(stages),
};

/** Where a name means something else, or less. */
const namesByPlace: Readonly<Record<string, readonly string[]>> = {
  // A fact comes from an armed note or from a report, never from a ticket.
  'facts.kind': ['armed', 'report'],
  'envelopes.kind': payloadKinds,
  'trust.label': ['reference', 'vouched'],
  'holds.label': ['quarantined', 'revoked'],
  'holds.subject_kind': namesOf(decisionSubjects),
};

interface Column {
  readonly name: string;
  readonly enumValues?: readonly string[] | undefined;
}

/** Columns of all tables that hold one of some names. */
const columns = Object.entries(tables).flatMap(([table, definition]) =>
  Object.values(definition as unknown as Record<string, Column>)
    .filter((column) => typeof column === 'object' && column !== null && (column.enumValues ?? []).length > 0)
    .map((column) => ({ at: `${table}.${column.name}`, ...column, values: column.enumValues ?? [] })),
);

test('every enumerated column holds the names of its table', () => {
  expect(columns.length).toBeGreaterThan(15);
  for (const { at, name, values } of columns) {
    expect([at, values]).toEqual([at, namesByPlace[at] ?? namesByColumn[name]]);
  }
});

test('no column of such a name is free text', () => {
  const enumerated = new Set(columns.map(({ at }) => at));
  for (const [table, definition] of Object.entries(tables)) {
    for (const name of Object.keys(namesByColumn)) {
      if (name in definition) expect(enumerated).toContain(`${table}.${name}`);
    }
  }
});

test.each<[string, readonly string[], readonly string[]]>([
  ['report.population', reportBody.options[1].shape.population.options, namesOf(populations)],
  ['report.mechanism', reportBody.options[1].shape.mechanism.options, namesOf(mechanisms)],
  ['report.environment', reportBody.options[1].shape.environment.options, namesOf(environments)],
  ['tickets.set', ticketsBody.options[1].shape.set.options, scenarioSetNames],
  ['scenario.crash_point', scenarioFields.shape.crash_point.options, namesOf(crashPoints)],
  ['scenario.crash_type', scenarioFields.shape.crash_type.options, namesOf(crashTypes)],
  ['scenario.load', scenarioFields.shape.load.options, namesOf(loads)],
  ['scenario.mitigation', scenarioFields.shape.mitigation.options, namesOf(mitigations)],
  ['scenario.set_up', scenarioFields.shape.set_up.options, namesOf(setUps)],
  ['triggered_by', reportBody.options[1].shape.triggered_by.options, namesOf(triggers)],
  ['trigger.crash_point', trigger.shape.crash_point.options, namesOf(crashPoints)],
  ['trigger.crash_type', trigger.shape.crash_type.options, namesOf(crashTypes)],
  ['sighting.stage', sighting.shape.stage.options, namesOf(stages)],
  ['after_reboot.layout', afterReboot.shape.layout.unwrap().options, namesOf(dumpLayouts)],
  ['after_reboot.dump_state', afterReboot.shape.dump_state.options, namesOf(dumpStates)],
  ['after_reboot.watchdog_status', afterReboot.shape.watchdog_status.options, namesOf(watchdogStatuses)],
  ['after_reboot.reset_reason', afterReboot.shape.reset_reason.unwrap().options, namesOf(resetReasons)],
  ['channel.could_see', evidence.shape.channel.shape.could_see.element.options, namesOf(stages)],
  ['outcome.result', outcome.shape.result.options, namesOf(results)],
  ['outcome.recovery', outcome.shape.recovery.options, namesOf(recoveries)],
  ['outcome.cause', outcome.shape.cause.unwrap().options, namesOf(causes)],
  ['outcome.verdict', outcome.shape.verdict.unwrap().options, namesOf(verdicts)],
  ['outcome.verdict_reason', outcome.shape.verdict_reason.unwrap().options, namesOf(verdictReasons)],
  ...profile.options.map((o): [string, readonly string[], readonly string[]] => [
    `profile.population of ${o.shape.version.value}`,
    o.shape.population.options,
    namesOf(populations),
  ]),
  ['query.population', statisticsQuery.shape.population.options, namesOf(populations)],
  ['filters', Object.keys(filters.shape), namesOf(groups)],
])('%s', (_, options, names) => {
  expect(options).toEqual(names);
});

describe('the tables agree with each other', () => {
  it('every mechanism has its stages in the order of all stages, from armed on', () => {
    for (const { stages: own, captures } of Object.values(mechanisms)) {
      const places = own.map((stage: Stage) => namesOf(stages).indexOf(stage));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(own.slice(0, 3)).toEqual(['armed', 'fired', 'detected']);
      expect(own.at(-1)).toBe(captures === 'dump' ? 'dump_written' : 'log_captured');
    }
  });

  it('every verdict has a reason, and each reason one verdict', () => {
    expect(new Set(Object.values(verdictReasons))).toEqual(new Set(namesOf(verdicts)));
  });

  it('a driver answers for no cause that is not one', () => {
    for (const cause of driverCauses) expect(namesOf(causes)).toContain(cause);
    expect(driverCauses).not.toContain('harness');
    expect(driverCauses).not.toContain('detection');
  });

  it('names are words that fit an address', () => {
    for (const names of Object.values(namesByColumn)) {
      for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9_/-]*$/);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('problems', () => {
  it.each(Object.keys(problems) as ProblemSlug[])(
    '%s says what happened, to what, and what to do',
    (slug) => {
      const document = problem(slug, 'Detail.');
      expect(document).toEqual({ type: `/problems/${slug}`, detail: 'Detail.', ...problems[slug] });
      expect(document.status).toBeGreaterThanOrEqual(400);
      expect(document.status).toBeLessThan(600);
      expect(document.title).toMatch(/^[A-Z].*[^.]$/);
      expect(document.action).toMatch(/^[A-Z].*\.$/);
    },
  );

  it('only what waiting mends has a status that asks for patience', () => {
    const transient = Object.entries(problems).filter(
      ([, { status }]) => [408, 425, 429].includes(status) || status >= 500,
    );
    expect(transient.map(([slug]) => slug)).toEqual([
      'too-slow',
      'log-halted',
      'too-many-requests',
      'store-busy',
      'internal-error',
    ]);
  });
});

test('no description of a stage or cause is taken for a symptom', () => {
  for (const text of [...Object.values(stages), ...Object.values(causes)])
    expect(symptomOf([text])).toBeNull();
});
