/**
 * What each page is made of: plain values that the store's queries fill and the renderers of this folder turn
 * into text; where a page has a JSON answer too, it is made of that answer (schema/answer). Renderers are pure: no clock, no store, no request. The same data gives the same bytes.
 *
 *   GET /                               home.ts     renderHome(HomeData)
 *   GET /reports/<id>                   report.ts   renderReport(LabReport)
 *   GET /drivers/<driver>               driver.ts   renderDriver(DriverAnswer)
 *   GET /problems, /problems/<slug>     problem.ts  renderProblems(), renderProblem(ProblemSlug)
 *   GET /reference                      reference.ts renderReference(OpenApi, origin)
 *   GET /failures.atom                  feed.ts     renderFailuresAtom(FailuresData, baseUrl)
 *   GET /drivers/<driver>/failures.atom feed.ts     the same, with FailuresData.driver set
 *   GET /v1/statistics?format=csv       csv.ts      renderCsv(StatisticsAnswer)
 *   GET /style.css                      style.ts    stylesheet
 *   GET /favicon.svg                    favicon.ts  favicon
 *
 * All addresses that pages link to, and the media types of the answers, stand in paths.ts. Pages need no script,
 * no style attribute and nothing from elsewhere: `pagePolicy` in paths.ts is the Content-Security-Policy they
 * work under.
 *
 * Times are RFC 3339 in UTC. Everything that came with a report is hostile text; the renderers escape it.
 */
import type { FailureEntry, FunnelCounts } from '../../schema/answer/driver.ts';
import type { Manifest } from '../../schema/answer/edition.ts';
import type { CampaignProgress } from '../../schema/answer/status.ts';
import type { KeyedCell } from '../../schema/statistics.ts';

/** How far a campaign of the lab has come. While it runs, the home page reloads itself every ten seconds. */
export type Campaign = CampaignProgress & { readonly running: boolean };

/** Home. Statistics are of population `lab`. */
export interface HomeData {
  /** Null where nothing has been published. */
  readonly edition: Manifest | null;
  readonly campaign: Campaign | null;
  /** by=driver,crash_type & role=dump_target */
  readonly heatmap: readonly KeyedCell[];
  /** by=driver & role=dump_target: the heatmap's last column. */
  readonly by_driver: readonly KeyedCell[];
  /** by=chipset, any role: a trial counts once. */
  readonly by_chipset: readonly KeyedCell[];
  readonly funnel: FunnelCounts;
  /** Newest first; ten are enough. */
  readonly failures: readonly FailureEntry[];
  /** `note` of the statistics answers. */
  readonly note: string;
}

/** A feed of failures, of all drivers or of one. */
export interface FailuresData {
  /** Null: all drivers. */
  readonly driver: string | null;
  /** When the feed last changed: admission of the newest failure, or the edition's cut-off where there is none. */
  readonly updated_at: string;
  /** Newest first, at most 100. */
  readonly failures: readonly FailureEntry[];
}
