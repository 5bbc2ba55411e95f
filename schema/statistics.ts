/** The shapes of published statistics, and of the queries for them. */
import * as z from 'zod';
import { crashPoints } from './crash-point.ts';
import { crashTypes, setUps } from './crash-type.ts';
import { loads, mitigations } from './scenario.ts';
import { mechanisms, namesOf, populations, roles } from './vocabulary.ts';

/** What statistics can be grouped and filtered by. */
export const groups = {
  driver: 'the driver of a device that took part',
  role: 'how that device took part',
  chipset: "the machine's host bridge",
  crash_type: 'what went wrong',
  crash_point: 'where it went wrong',
  load: 'what the hardware was doing',
  kernel_series: 'the kernel, as major.minor',
  mitigation: 'what the capture environment did about devices',
  set_up: 'what was set up to notice the crash',
  mechanism: 'the dump facility under test',
} as const;
export type Group = keyof typeof groups;

const text = z.string().min(1).max(80);

/** The filters of a query, by the names of the groups. */
export const filters = z.strictObject({
  driver: text.optional().describe(groups.driver),
  role: z.enum(namesOf(roles)).optional().describe(groups.role),
  chipset: text.optional().describe(groups.chipset),
  crash_type: z.enum(namesOf(crashTypes)).optional().describe(groups.crash_type),
  crash_point: z.enum(namesOf(crashPoints)).optional().describe(groups.crash_point),
  load: z.enum(namesOf(loads)).optional().describe(groups.load),
  kernel_series: text.optional().describe(groups.kernel_series),
  mitigation: z.enum(namesOf(mitigations)).optional().describe(groups.mitigation),
  set_up: z.enum(namesOf(setUps)).optional().describe(groups.set_up),
  mechanism: z.enum(namesOf(mechanisms)).optional().describe(groups.mechanism),
} satisfies Record<Group, z.ZodType>);
export type Filters = z.infer<typeof filters>;

/** What the pages' figures are restricted to: crashes that were set up to be noticed. */
export const headline = { set_up: 'panic' } as const satisfies Filters;

const group = z.enum(namesOf(groups));

/** `GET /v1/statistics`: `by=driver,crash_type&population=lab`, filters by the names of the groups, `format=csv`. */
export const statisticsQuery = z.strictObject({
  by: z
    .string()
    .transform((names) => names.split(','))
    .pipe(
      z
        .array(group)
        .min(1)
        .max(3)
        .refine((names) => new Set(names).size === names.length, 'each group once')
        .meta({ uniqueItems: true }),
    )
    .describe('the groups, one to three'),
  population: z.enum(namesOf(populations)),
  format: z.enum(['json', 'csv']).default('json'),
  ...filters.shape,
});
export type StatisticsQuery = z.infer<typeof statisticsQuery>;

const count = z.int().min(0);
const proportion = z.number().min(0).max(1);

/** The counts and the estimate of one group. `estimate`, `low` and `high` are null where there are no trials. */
export const cell = z.strictObject({
  machines: count,
  trials: count.describe('fired or not known not to have fired, and no_reply; without inconclusive'),
  captured: count.describe('trials with a verified dump'),
  no_reply: count.describe('trials that were armed and fell silent'),
  inconclusive: count.describe('counted nowhere else'),
  estimate: proportion.nullable().describe('captured / trials, 4 significant digits'),
  low: proportion.nullable().describe('exact (Clopper-Pearson) 95 % interval, 4 significant digits'),
  high: proportion.nullable(),
});
export type Cell = z.infer<typeof cell>;

/** A cell with its value of each group that was asked for. */
export const keyedCell = z.strictObject({ ...filters.shape, ...cell.shape });
export type KeyedCell = z.infer<typeof keyedCell>;

export const statisticsAnswer = z.strictObject({
  edition: z.int().min(1),
  population: z.enum(namesOf(populations)),
  by: z.array(group),
  cells: z.array(keyedCell),
  note: z.string().describe('what a reader must know of these figures'),
});
export type StatisticsAnswer = z.infer<typeof statisticsAnswer>;
