/**
 * What each page is made of: plain values that the store's queries fill and the renderers of this folder turn
 * into text. Renderers are pure: no clock, no store, no request. The same data gives the same bytes.
 *
 *   GET /                               home.ts     renderHome(HomeData)
 *   GET /reports/<id>                   report.ts   renderReport(ReportData)
 *   GET /drivers/<driver>               driver.ts   renderDriver(DriverData)
 *   GET /problems/<slug>                problem.ts  renderProblem(ProblemSlug)
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
import type { Envelope } from '../../schema/envelope.ts';
import type { Outcome } from '../../schema/outcome.ts';
import type { Profile } from '../../schema/profile.ts';
import type { Cell, KeyedCell } from '../../schema/statistics.ts';
import type { Label, Mechanism, Population, Stage } from '../../schema/vocabulary.ts';
import type { ReportBody, ScenarioFields } from '../../schema/wire.ts';

/** The edition that a page shows. Null in the page data where nothing has been published. */
export interface EditionInfo {
  readonly number: number;
  /** The edition covers the log entries below this index. */
  readonly log_size: number;
  readonly cut_off: string;
  readonly published_at: string;
  readonly statistics_sha256: string;
}

/** How far a campaign of the lab has come. `done` = `captured` + `failed` + `inconclusive`. */
export interface Campaign {
  /** While true, the home page reloads itself every ten seconds. */
  readonly running: boolean;
  readonly planned: number;
  readonly done: number;
  readonly captured: number;
  /** Every counted trial without a verified dump: `failed`, `survived` and `no_reply`. */
  readonly failed: number;
  readonly inconclusive: number;
}

/** How many counted trials have this as the last stage that they are proven to have reached. */
export interface StageCount {
  /** Null: not even the arming is proven. */
  readonly stage: Stage | null;
  readonly trials: number;
}

/**
 * Where the trials of one mechanism ended: `GROUP BY stage` over distinct trials without `inconclusive`, each
 * trial once. The renderer adds them up along the mechanism's order of stages.
 */
export interface FunnelData {
  readonly mechanism: Mechanism;
  readonly ended: readonly StageCount[];
  /** Trials with a verified dump. */
  readonly captured: number;
}

/** One report of a trial that was not captured. The renderer makes the reproducing command of it. */
export interface FailureEntry {
  readonly report_id: string;
  readonly admitted_at: string;
  readonly population: Population;
  /** The driver of the dump target. */
  readonly driver: string;
  readonly chipset: string;
  readonly kernel_release: string;
  /** Row of the machine catalogue; null for a real machine. */
  readonly lab_machine: string | null;
  readonly scenario: ScenarioFields;
  readonly mechanism: Mechanism;
  /** As the server derives it. */
  readonly outcome: Outcome;
  /** The lines that say most about the failure, at most 12; `evidenceLines` of excerpt.ts picks them. */
  readonly evidence: readonly string[];
}

/** Home. Statistics are of population `lab`. */
export interface HomeData {
  readonly edition: EditionInfo | null;
  readonly campaign: Campaign | null;
  /** by=driver,crash_type & role=dump_target */
  readonly heatmap: readonly KeyedCell[];
  /** by=driver & role=dump_target: the heatmap's last column. */
  readonly by_driver: readonly KeyedCell[];
  /** by=chipset, any role: a trial counts once. */
  readonly by_chipset: readonly KeyedCell[];
  readonly funnel: FunnelData;
  /** Newest first; ten are enough. */
  readonly failures: readonly FailureEntry[];
  /** `note` of the statistics answers. */
  readonly note: string;
}

/** One driver as dump target. Statistics are of population `lab`, filtered by driver and role=dump_target. */
export interface DriverData {
  readonly driver: string;
  readonly edition: EditionInfo | null;
  /** by=driver; null where the driver has no trials as dump target. */
  readonly total: Cell | null;
  /** by=crash_type */
  readonly by_crash_type: readonly KeyedCell[];
  /** by=crash_point */
  readonly by_crash_point: readonly KeyedCell[];
  /** by=chipset */
  readonly by_chipset: readonly KeyedCell[];
  readonly funnel: FunnelData;
  /** Newest first, at most 100. */
  readonly failures: readonly FailureEntry[];
  readonly note: string;
}

/** One report with what the server says of it. */
export interface ReportData {
  readonly report_id: string;
  readonly admitted_at: string;
  readonly labels: readonly Label[];
  readonly body: ReportBody;
  /** What the server derives from the same evidence. Shown first; a difference from the agent's is pointed out. */
  readonly outcome: Outcome;
  readonly envelope: Envelope;
  /** The profile that `body.profile_sha256` names, or null where it is not at hand. */
  readonly profile: Profile | null;
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
