/** Admitted reports, as they are published: those of the lab whole, those of real machines withheld. */
import * as z from 'zod';
import { envelope } from '../envelope.ts';
import { outcome } from '../outcome.ts';
import { profile } from '../profile.ts';
import { labels, mechanisms, namesOf, results } from '../vocabulary.ts';
import { instant, publicKey, reportBody, reportId, scenarioFields } from '../wire.ts';

/** What the server says of a report. */
const said = {
  report_id: reportId,
  admitted_at: instant,
  labels: z.array(z.enum(namesOf(labels))),
};

/** A report in a list. */
export const reportSummary = z.strictObject({
  ...said,
  machine: publicKey,
  scenario: scenarioFields,
  mechanism: z.enum(namesOf(mechanisms)),
  result: z.enum(namesOf(results)),
});
export type ReportSummary = z.infer<typeof reportSummary>;

/** How many reports one page of the list has. */
export const reportsPerPage = 50;

export const reportsAnswer = z.strictObject({
  reports: z.array(reportSummary).max(reportsPerPage),
  next: z.string().nullable().describe('the address of the next page, or null on the last one'),
});
export type ReportsAnswer = z.infer<typeof reportsAnswer>;

/** One report of the lab with what the server says of it. */
export const labReport = z.strictObject({
  ...said,
  body: reportBody,
  outcome: outcome.describe('what the server derives from the same evidence'),
  envelope: envelope.describe('the very bytes that the machine signed'),
  profile: profile.nullable().describe('the profile that body.profile_sha256 names, where it is at hand'),
});
export type LabReport = z.infer<typeof labReport>;

/** A report of a real machine: that it was admitted, and nothing of what it says. */
export const withheldReport = z.strictObject({
  ...said,
  population: z.literal('metal'),
  note: z.string().describe('why it is withheld'),
});
export type WithheldReport = z.infer<typeof withheldReport>;

export const reportAnswer = z.union([labReport, withheldReport]);
