/**
 * Every address that the pages link to, and what the answers to them are. Names go into a path as one
 * percent-encoded segment, so that a hostile driver name cannot lead elsewhere.
 */
import type { Group } from '../../schema/statistics.ts';

export const homePath = '/';
export const stylePath = '/style.css';
export const faviconPath = '/favicon.svg';
export const apiPath = '/v1';
export const openApiPath = '/openapi.json';
export const referencePath = '/reference';
export const problemsPath = '/problems';
export const logPath = '/log';
export const decisionsPath = '/v1/decisions';
export const failuresFeedPath = '/failures.atom';

/** Media types of what this folder renders. */
export const mediaTypes = {
  page: 'text/html; charset=utf-8',
  style: 'text/css; charset=utf-8',
  favicon: 'image/svg+xml; charset=utf-8',
  atom: 'application/atom+xml; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
} as const;

/** The Content-Security-Policy that every page works under. */
export const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** One path segment. A segment of dots only would be resolved away, so it is kept from being one. */
function segment(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(/^\.{1,2}$/, (dots) =>
    dots.replaceAll('.', '%252E'),
  );
}

export function driverPath(driver: string): string {
  return `/drivers/${segment(driver)}`;
}

export function driverFeedPath(driver: string): string {
  return `${driverPath(driver)}/failures.atom`;
}

export function driverApiPath(driver: string): string {
  return `/v1/drivers/${segment(driver)}`;
}

export function reportPath(reportId: string): string {
  return `/reports/${segment(reportId)}`;
}

/** The report as JSON, with labels, the server's outcome and the signed envelope. */
export function reportApiPath(reportId: string): string {
  return `/v1/reports/${segment(reportId)}`;
}

/** An operation's place in the reference. */
export function operationPath(operationId: string): string {
  return `${referencePath}#${operationId}`;
}

/** The query whose answer a table of a page shows. */
export function statisticsPath(
  by: readonly Group[],
  filters: { readonly [name in Group]?: string },
  format: 'json' | 'csv',
): string {
  const query = new URLSearchParams({ by: by.join(','), population: 'lab', ...filters, format });
  return `/v1/statistics?${query.toString().replaceAll('%2C', ',')}`;
}
