/** Pages and feeds, filled from the current edition. */
import { type DriverAnswer, type FailureEntry, failuresShown } from '../../schema/answer/driver.ts';
import { driverParameters, problemParameters } from '../../schema/parameters.ts';
import { type Filters, type Group, headline } from '../../schema/statistics.ts';
import { remember } from '../edition/cache.ts';
import { manifestOf, edition as newestEdition } from '../edition/publish.ts';
import { openApi } from '../openapi/document.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { notes } from '../statistics/notes.ts';
import type { EditionRow } from '../store/editions.ts';
import { newestFailures } from '../store/failures.ts';
import { funnelOf } from '../store/funnel.ts';
import type { HomeData } from '../view/data.ts';
import { renderDriver } from '../view/driver.ts';
import { renderFailuresAtom } from '../view/feed.ts';
import { renderHome } from '../view/home.ts';
import { mediaTypes } from '../view/paths.ts';
import { renderProblem, renderProblems } from '../view/problem.ts';
import { renderReference } from '../view/reference.ts';
import { wantsPage } from './accept.ts';
import { jsonAnswer, textAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';
import { answerQuery } from './statistics.ts';
import { campaignStatus } from './status.ts';

async function labCells(services: Services, edition: EditionRow, by: Group[], filters: Filters) {
  return (await answerQuery(services, edition, { by, population: 'lab', ...filters })).cells;
}

/** `GET /`. The figures are the edition's, the progress of the campaign is of this moment. */
export async function home(services: Services): Promise<Response> {
  const { store, cache } = services;
  const edition = await newestEdition(store);
  const target = { role: 'dump_target', ...headline } as const;
  const figures = await remember(cache, edition.number, 'home', async () => ({
    heatmap: await labCells(services, edition, ['driver', 'crash_type'], target),
    by_driver: await labCells(services, edition, ['driver'], target),
    by_chipset: await labCells(services, edition, ['chipset'], headline),
    funnel: await funnelOf(store, edition, 'lab', 'kdump', headline),
    failures: await newestFailures(store, {
      driver: null,
      actionable: false,
      coverage: edition,
      count: 10,
    }),
  }));
  const campaign = await campaignStatus(services);
  const data: HomeData = {
    edition: manifestOf(edition),
    campaign: campaign.planned > 0 ? campaign : null,
    ...figures,
    note: notes.lab,
  };
  return textAnswer(renderHome(data), mediaTypes.page);
}

/** The driver that a path names; see `segment` of view/paths.ts for names of dots. */
function driverOf(c: AppContext): string {
  const driver = (c.req.param('driver') ?? '').replace(/^(?:%2E){1,2}$/, (dots) =>
    dots.replaceAll('%2E', '.'),
  );
  if (driverParameters.shape.driver.safeParse(driver).success) return driver;
  throw new Refusal('not-found', `No driver has the name ${driver.slice(0, 100)}.`);
}

async function driverData(services: Services, driver: string): Promise<DriverAnswer> {
  const { store, cache } = services;
  const edition = await newestEdition(store);
  const target = { driver, role: 'dump_target', ...headline } as const;
  return remember(cache, edition.number, `driver ${driver}`, async () => {
    const [total] = await labCells(services, edition, ['driver'], target);
    return {
      driver,
      edition: manifestOf(edition),
      total: total ?? null,
      by_crash_type: await labCells(services, edition, ['crash_type'], target),
      by_crash_point: await labCells(services, edition, ['crash_point'], target),
      by_chipset: await labCells(services, edition, ['chipset'], target),
      funnel: await funnelOf(store, edition, 'lab', 'kdump', target),
      failures: await newestFailures(store, {
        driver,
        actionable: false,
        coverage: edition,
        count: failuresShown,
      }),
      note: notes.lab,
    };
  });
}

/** `GET /v1/drivers/:driver`, and the page `/drivers/:driver`. A driver without trials has an empty page: it may yet have some. */
export async function driver(services: Services, c: AppContext, as: 'page' | 'either'): Promise<Response> {
  const page = as === 'page' || wantsPage(c);
  const data = await driverData(services, driverOf(c));
  const vary = { vary: 'Accept' };
  return page ? textAnswer(renderDriver(data), mediaTypes.page, vary) : jsonAnswer(data, 200, vary);
}

/** The feed of failures that a maintainer can act on: of one driver where the path names it, of all otherwise. */
export async function failuresFeed(services: Services, c: AppContext): Promise<Response> {
  const { store, cache, publicUrl, signer } = services;
  const edition = await newestEdition(store);
  const driver = c.req.param('driver') === undefined ? null : driverOf(c);
  const failures = await remember(
    cache,
    edition.number,
    `feed ${driver ?? ''}`,
    (): Promise<FailureEntry[]> =>
      newestFailures(store, { driver, actionable: true, coverage: edition, count: failuresShown }),
  );
  const updated_at = failures[0]?.admitted_at ?? manifestOf(edition).cut_off;
  // What a request calls the survey is the sender's word. The log's name is the survey's own, and never changes.
  const idBase = publicUrl || `https://${signer.name}`;
  const data = { driver, updated_at, failures };
  return textAnswer(renderFailuresAtom(data, publicUrl, idBase), mediaTypes.atom);
}

let renderedReference = { origin: '', text: '' };

/** `GET /reference`: the document of /openapi.json for people. It is the same page until the origin is another one. */
export function reference({ publicUrl }: Services): Response {
  const origin = publicUrl || 'https://SURVEY';
  if (renderedReference.origin !== origin) {
    renderedReference = { origin, text: renderReference(openApi(), origin) };
  }
  return textAnswer(renderedReference.text, mediaTypes.page);
}

/** `GET /problems`. */
export function problemsPage(): Response {
  return textAnswer(renderProblems(), mediaTypes.page);
}

/** `GET /problems/:slug`: the page that the `type` of a problem document leads to. */
export function problemPage(c: AppContext): Response {
  const named = problemParameters.safeParse({ slug: c.req.param('slug') });
  if (named.success) return textAnswer(renderProblem(named.data.slug), mediaTypes.page);
  throw new Refusal('not-found', `There is no problem of the name ${c.req.param('slug')?.slice(0, 60)}.`);
}
