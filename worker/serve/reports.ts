/** `GET /v1/reports`, `/v1/reports/:id` and the page `/reports/:id`. */
import { type ReportsAnswer, reportsPerPage, type WithheldReport } from '../../schema/answer/report.ts';
import { pageQuery, reportParameters } from '../../schema/parameters.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { isWithdrawn } from '../store/log.ts';
import { publishedReport, reportsBelow } from '../store/published-reports.ts';
import { mediaTypes } from '../view/paths.ts';
import { renderReport } from '../view/report.ts';
import { wantsPage } from './accept.ts';
import { jsonAnswer, textAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';
import { readQuery } from './query.ts';

/** Reports of the lab as they were admitted, newest first; `before=LOG_INDEX` turns the page. */
export async function listReports({ store }: Services, c: AppContext): Promise<Response> {
  const { before } = readQuery(pageQuery, c.req.url);
  const below = before === undefined ? Number.MAX_SAFE_INTEGER : Number(before);
  const reports = await reportsBelow(store, below, reportsPerPage);
  const last = reports.at(-1);
  const next =
    last !== undefined && reports.length === reportsPerPage ? `/v1/reports?before=${last.report_id}` : null;
  const answer: ReportsAnswer = { reports, next };
  return jsonAnswer(answer);
}

async function refusalOfMissing({ store }: Services, id: string): Promise<Refusal> {
  if (/^\d{1,15}$/.test(id) && (await isWithdrawn(store, Number(id))))
    return new Refusal('withdrawn-contents', `Entry ${id} is in the log, and its contents were withdrawn.`);
  return new Refusal('not-found', `There is no report ${id.slice(0, 40)}.`);
}

/** One report: a page for a browser, JSON otherwise, always JSON with `.json` or `format=json`. */
export async function showReport(
  services: Services,
  c: AppContext,
  as: 'page' | 'either',
): Promise<Response> {
  const name = c.req.param('id') ?? '';
  const id = name.replace(/\.json$/, '');
  const page = as === 'page' || (wantsPage(c) && name === id);
  const valid = reportParameters.shape.id.safeParse(name).success;
  const report = valid ? await publishedReport(services.store, Number(id)) : null;
  if (report === null) throw await refusalOfMissing(services, id);
  const vary = { vary: 'Accept' };
  if ('population' in report) {
    const note = 'What a real machine reports is seen by its submitter and by named auditors only.';
    const answer: WithheldReport = { ...report, note };
    return jsonAnswer(answer, 200, vary);
  }
  return page ? textAnswer(renderReport(report), mediaTypes.page, vary) : jsonAnswer(report, 200, vary);
}
