/**
 * Every route of the edge API. The same application runs on Node (node.ts) and on Workers (edge.ts); it holds no
 * state but a cache of answers, and reads no clock, no random source and no setting but its services.
 */
import { Hono } from 'hono';
import { admitArmed } from './admit/armed.ts';
import { admitDecision } from './admit/decide.ts';
import { admitEnrolment } from './admit/enrol.ts';
import { admitInvitation } from './admit/invite.ts';
import { admitReport } from './admit/report.ts';
import { admitRevocation } from './admit/revoke.ts';
import { admitRotation } from './admit/rotate.ts';
import { admitTickets } from './admit/tickets.ts';
import { admitWithdrawal } from './admit/withdraw.ts';
import { openApi } from './openapi/document.ts';
import { admission } from './serve/admissions.ts';
import { jsonAnswer, textAnswer } from './serve/answer.ts';
import { controls } from './serve/controls.ts';
import { listDecisions, logPage } from './serve/decisions.ts';
import { listEditions, showEdition } from './serve/editions.ts';
import {
  type AppContext,
  type AppEnv,
  answerError,
  answerNotFound,
  answerOtherMethod,
  checkTarget,
  dressAnswers,
  limitRate,
} from './serve/frame.ts';
import { apiIndex } from './serve/index.ts';
import { showCheckpoint, showConsistency, showInclusion, showKey, showRows, showTile } from './serve/log.ts';
import { metrics } from './serve/metrics.ts';
import { observe } from './serve/observe.ts';
import { driver, failuresFeed, home, problemPage, problemsPage, reference } from './serve/pages.ts';
import { ready } from './serve/ready.ts';
import { listReports, showReport } from './serve/reports.ts';
import { statistics } from './serve/statistics.ts';
import { status } from './serve/status.ts';
import type { Services } from './services.ts';
import { favicon } from './view/favicon.ts';
import { mediaTypes } from './view/paths.ts';
import { stylesheet } from './view/style.ts';

type Handler = (c: AppContext) => Response | Promise<Response>;

interface Route {
  readonly get?: Handler;
  readonly post?: Handler;
}

/** The routes: an address, and what it takes. HEAD goes wherever GET does. */
function routesOf(s: Services): Record<string, Route> {
  const routes: Record<string, Route> = {
    // What machines say: signed envelopes, 201 the first time and 200 again.
    '/v1/machines': { post: admission(s, admitEnrolment) },
    '/v1/tickets': { post: admission(s, admitTickets) },
    '/v1/armed': { post: admission(s, admitArmed) },
    '/v1/reports': { post: admission(s, admitReport), get: (c) => listReports(s, c) },
    '/v1/rotations': { post: admission(s, admitRotation) },
    '/v1/revocations': { post: admission(s, admitRevocation) },
    '/v1/withdrawals': { post: admission(s, admitWithdrawal) },
    '/v1/invitations': { post: admission(s, admitInvitation) },
    '/v1/decisions': { post: admission(s, admitDecision), get: (c) => listDecisions(s, c) },

    // What the survey says.
    '/v1': { get: () => jsonAnswer(apiIndex(s.signer, Object.keys(routes))) },
    '/openapi.json': { get: () => jsonAnswer(openApi()) },
    '/v1/status': { get: async () => jsonAnswer(await status(s)) },
    '/v1/statistics': { get: (c) => statistics(s, c) },
    '/v1/controls': { get: () => controls(s) },
    '/v1/editions': { get: (c) => listEditions(s, c) },
    '/v1/editions/:number': { get: (c) => showEdition(s, c) },
    '/v1/reports/:id': { get: (c) => showReport(s, c, 'either') },
    '/v1/drivers/:driver': { get: (c) => driver(s, c, 'either') },
    '/v1/drivers/:driver/failures.atom': { get: (c) => failuresFeed(s, c) },

    // The log: who distrusts the survey reads this.
    '/log': { get: () => logPage(s) },
    '/log/key': { get: () => showKey(s) },
    '/log/checkpoint': { get: () => showCheckpoint(s) },
    '/log/tile/:tile{.+}': { get: (c) => showTile(s, c) },
    '/log/inclusion': { get: (c) => showInclusion(s, c) },
    '/log/consistency': { get: (c) => showConsistency(s, c) },
    '/log/rows/:bundle': { get: (c) => showRows(s, c) },

    // Pages for people, feeds for maintainers.
    '/': { get: () => home(s) },
    '/reports/:id': { get: (c) => showReport(s, c, 'page') },
    '/drivers/:driver': { get: (c) => driver(s, c, 'page') },
    '/drivers/:driver/failures.atom': { get: (c) => failuresFeed(s, c) },
    '/failures.atom': { get: (c) => failuresFeed(s, c) },
    '/reference': { get: () => reference(s) },
    '/problems': { get: problemsPage },
    '/problems/:slug': { get: problemPage },
    '/style.css': { get: () => textAnswer(stylesheet, mediaTypes.style) },
    '/favicon.svg': { get: () => textAnswer(favicon, mediaTypes.favicon) },

    // For the operator: whether the process answers at all, whether it can do its work, and what it counts.
    '/healthz': { get: () => textAnswer('ok\n', 'text/plain; charset=utf-8') },
    '/readyz': { get: () => ready(s) },
    '/metrics': { get: (c) => metrics(s, c) },
  };
  return routes;
}

/** The application. Answers every request, also a hostile one, and never throws. */
export function createApp(services: Services): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(dressAnswers(services));
  app.use(observe(services));
  app.use(limitRate(services));
  app.use(checkTarget(services));
  for (const [path, { get, post }] of Object.entries(routesOf(services))) {
    if (get) app.get(path, get);
    if (post) app.post(path, post);
    app.all(path, answerOtherMethod([...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : [])]));
  }
  app.notFound(answerNotFound);
  app.onError(answerError(services));
  return app;
}
