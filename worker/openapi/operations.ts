/**
 * The operations of the API, one row each. A route of worker/app.ts has its row here: the document at
 * /openapi.json, the page at /reference, the pages of problems and the tests that send requests all derive from it.
 */
import * as z from 'zod';
import { apiIndexAnswer } from '../../schema/answer/api-index.ts';
import { driverAnswer } from '../../schema/answer/driver.ts';
import { editionsAnswer, manifest } from '../../schema/answer/edition.ts';
import { reportAnswer, reportsAnswer } from '../../schema/answer/report.ts';
import { statusAnswer } from '../../schema/answer/status.ts';
import {
  driverParameters,
  editionParameters,
  formatQuery,
  pageQuery,
  problemParameters,
  reportParameters,
} from '../../schema/parameters.ts';
import { statisticsAnswer, statisticsQuery } from '../../schema/statistics.ts';
import {
  armedAnswer,
  armedBody,
  enrolBody,
  machineAnswer,
  receipt,
  reportBody,
  ticketsAnswer,
  ticketsBody,
} from '../../schema/wire.ts';
import { admitted, json, jsonOr, type Operation, signed, textOf } from './operation.ts';

const page = textOf('text/html', 'The page.');
const feed = textOf('application/atom+xml', 'The feed, newest first.');

/** The tests send the examples in this order, so what an example asks for is there. */
export const operations = {
  enrollMachine: {
    method: 'post',
    address: '/v1/machines',
    tag: 'machines',
    summary: 'Enroll a machine, or tell its next profile',
    takes: { kind: 'enrol', payload: enrolBody },
    answers: admitted(machineAnswer),
    problems: signed('insufficient-work', 'wrong-owner-signature', 'owner-mismatch'),
  },
  issueTickets: {
    method: 'post',
    address: '/v1/tickets',
    tag: 'machines',
    summary: 'Ask for permission for trials',
    description:
      'A ticket is issued before the crash, so that the cells of a trial are fixed before its result.',
    takes: { kind: 'tickets', payload: ticketsBody },
    answers: admitted(ticketsAnswer),
    problems: signed('unknown-machine', 'unknown-profile', 'unknown-scenario'),
  },
  noteArmed: {
    method: 'post',
    address: '/v1/armed',
    tag: 'machines',
    summary: 'Say that a machine is about to crash',
    description: 'A machine that then falls silent past its deadline counts as not captured.',
    takes: { kind: 'armed', payload: armedBody },
    answers: admitted(armedAnswer),
    problems: signed(
      'unknown-machine',
      'unknown-ticket',
      'foreign-ticket',
      'arm-too-late',
      'report-from-future',
    ),
  },
  admitReport: {
    method: 'post',
    address: '/v1/reports',
    tag: 'machines',
    summary: 'Report on a trial',
    takes: { kind: 'report', payload: reportBody },
    answers: admitted(receipt),
    problems: signed(
      'unknown-machine',
      'unknown-ticket',
      'foreign-ticket',
      'ticket-mismatch',
      'report-from-future',
      'report-too-late',
      'different-report',
    ),
  },

  getStatus: {
    method: 'get',
    address: '/v1/status',
    tag: 'results',
    summary: 'How the survey stands at this moment',
    answers: json(statusAnswer),
    problems: ['store-busy'],
  },
  getStatistics: {
    method: 'get',
    address: '/v1/statistics',
    tag: 'results',
    summary: 'Counts, estimates and exact intervals by one to three groups, as JSON or CSV',
    description: 'Cells of the current edition. `metal` has no published cells.',
    query: statisticsQuery,
    answers: jsonOr('text/csv', statisticsAnswer, 'The cells; CSV with `format=csv`.'),
    problems: ['invalid-query', 'store-busy'],
    examples: [
      { by: ['driver', 'crash_type'], population: 'lab', role: 'dump_target' },
      { by: ['chipset'], population: 'lab', crash_type: 'exception', format: 'csv' },
    ],
  },
  listEditions: {
    method: 'get',
    address: '/v1/editions',
    tag: 'results',
    summary: 'Editions, newest first',
    query: pageQuery,
    answers: json(editionsAnswer),
    problems: ['invalid-query', 'store-busy'],
  },
  getEdition: {
    method: 'get',
    address: '/v1/editions/:number',
    tag: 'results',
    summary: 'One edition, which never changes',
    path: editionParameters,
    answers: json(manifest),
    problems: ['not-found', 'store-busy'],
    examples: [{ number: '1' }],
  },
  listReports: {
    method: 'get',
    address: '/v1/reports',
    tag: 'results',
    summary: 'Reports of the lab, newest first',
    query: pageQuery,
    answers: json(reportsAnswer),
    problems: ['invalid-query', 'store-busy'],
    examples: [{}, { before: '3' }],
  },
  getReport: {
    method: 'get',
    address: '/v1/reports/:id',
    tag: 'results',
    summary: 'One report with its labels, its profile and the bytes that were signed',
    description: 'Of a report of a real machine, only that it was admitted is published.',
    path: reportParameters,
    query: formatQuery,
    answers: jsonOr('text/html', reportAnswer, 'The report; a page for browsers.'),
    problems: ['invalid-query', 'not-found', 'store-busy'],
    examples: [{ id: '2' }],
  },
  getDriver: {
    method: 'get',
    address: '/v1/drivers/:driver',
    tag: 'results',
    summary: 'One driver as dump target',
    description: 'A driver without trials is answered without figures: it may yet have some.',
    path: driverParameters,
    query: formatQuery,
    answers: jsonOr('text/html', driverAnswer, 'The figures and failures; a page for browsers.'),
    problems: ['invalid-query', 'not-found', 'store-busy'],
    examples: [{ driver: 'am53c974' }],
  },
  getDriverFailures: {
    method: 'get',
    address: '/v1/drivers/:driver/failures.atom',
    tag: 'results',
    summary: 'The failures of a driver that its maintainers can act on, as a feed',
    path: driverParameters,
    answers: feed,
    problems: ['not-found', 'store-busy'],
    examples: [{ driver: 'am53c974' }],
  },

  getHomePage: {
    method: 'get',
    address: '/',
    tag: 'pages',
    summary: 'The figures at a glance',
    answers: page,
    problems: ['store-busy'],
  },
  getReportPage: {
    method: 'get',
    address: '/reports/:id',
    tag: 'pages',
    summary: 'One report as a page',
    description: 'Of a report of a real machine, what is published is answered as JSON.',
    path: reportParameters,
    answers: jsonOr('text/html', reportAnswer, 'The page, or JSON where the report is withheld.'),
    problems: ['not-found', 'store-busy'],
    examples: [{ id: '2' }],
  },
  getDriverPage: {
    method: 'get',
    address: '/drivers/:driver',
    tag: 'pages',
    summary: 'One driver as a page',
    path: driverParameters,
    answers: page,
    problems: ['not-found', 'store-busy'],
    examples: [{ driver: 'am53c974' }],
  },
  getDriverFeed: {
    method: 'get',
    address: '/drivers/:driver/failures.atom',
    tag: 'pages',
    summary: 'The failures of a driver that its maintainers can act on, as a feed',
    path: driverParameters,
    answers: feed,
    problems: ['not-found', 'store-busy'],
    examples: [{ driver: 'am53c974' }],
  },
  getFailureFeed: {
    method: 'get',
    address: '/failures.atom',
    tag: 'pages',
    summary: 'The failures of all drivers that maintainers can act on, as a feed',
    answers: feed,
    problems: ['store-busy'],
  },
  getReferencePage: {
    method: 'get',
    address: '/reference',
    tag: 'pages',
    summary: 'This description as a page',
    answers: page,
    problems: [],
  },
  getProblemsPage: {
    method: 'get',
    address: '/problems',
    tag: 'pages',
    summary: 'All types of problems',
    answers: page,
    problems: [],
  },
  getProblemPage: {
    method: 'get',
    address: '/problems/:slug',
    tag: 'pages',
    summary: 'What a type of problem means, and what to do',
    path: problemParameters,
    answers: page,
    problems: ['not-found'],
    examples: [{ slug: 'unknown-ticket' }],
  },

  getApiIndex: {
    method: 'get',
    address: '/v1',
    tag: 'service',
    summary: 'Addresses, report versions, limits and scenario sets',
    answers: json(apiIndexAnswer),
    problems: [],
  },
  getOpenApi: {
    method: 'get',
    address: '/openapi.json',
    tag: 'service',
    summary: 'This description, as OpenAPI 3.1',
    answers: json(
      z.looseObject({
        openapi: z.string().regex(/^3\.1\.\d+$/),
        info: z.looseObject({}),
        paths: z.looseObject({}),
      }),
    ),
    problems: [],
  },
  getStylesheet: {
    method: 'get',
    address: '/style.css',
    tag: 'service',
    summary: 'The stylesheet of the pages',
    answers: textOf('text/css'),
    problems: [],
  },
  getFavicon: {
    method: 'get',
    address: '/favicon.svg',
    tag: 'service',
    summary: 'The icon of the pages',
    answers: textOf('image/svg+xml'),
    problems: [],
  },
  getHealth: {
    method: 'get',
    address: '/healthz',
    tag: 'service',
    summary: 'Whether the process answers at all; says nothing of the store',
    answers: textOf('text/plain', '`ok` and a newline.'),
    problems: [],
  },
} as const satisfies Record<string, Operation>;
export type OperationId = keyof typeof operations;

/** The rows with their names, in the table's order. */
export const operationList: readonly (readonly [OperationId, Operation])[] = Object.entries(operations) as [
  OperationId,
  Operation,
][];
