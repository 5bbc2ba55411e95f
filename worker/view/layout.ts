/** The frame of every page: head, landmarks, skip link, footer. No script, no style attribute, nothing from elsewhere. */
import type { Manifest } from '../../schema/answer/edition.ts';
import { moment } from './format.ts';
import { html, type Markup, type Piece } from './markup.ts';
import {
  failuresFeedPath,
  faviconPath,
  homePath,
  logPath,
  problemsPath,
  referencePath,
  stylePath,
} from './paths.ts';

interface Feed {
  readonly title: string;
  readonly path: string;
}

interface Page {
  readonly title: string;
  readonly description: string;
  readonly main: Piece;
  /** Named in the footer. Left out where a page depends on none. */
  readonly edition?: Manifest | null;
  /** Beside the feed of all failures. */
  readonly feed?: Feed;
  readonly json?: string;
  readonly reloadSeconds?: number;
}

const siteFeed: Feed = { title: 'Failures, all drivers', path: failuresFeedPath };

/** A time for people and programs. */
export function time(instant: string): Markup {
  return html`<time datetime="${instant}">${moment(instant)}</time>`;
}

function editionLine(edition: Manifest | null): Markup {
  if (edition === null) return html`<p>No edition has been published.</p>`;
  return html`<p>Edition ${edition.number}, published ${time(edition.published_at)}: log entries below
    ${edition.log_size}, cut off at ${time(edition.cut_off)}. SHA-256 of the statistics:
    <code class="hash">${edition.statistics_sha256}</code></p>`;
}

/** A complete document. */
export function page(p: Page): string {
  const feeds = p.feed === undefined ? [siteFeed] : [p.feed, siteFeed];
  const markup = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${p.title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="${p.description}">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
${p.reloadSeconds === undefined ? null : html`<meta http-equiv="refresh" content="${p.reloadSeconds}">`}
<link rel="stylesheet" href="${stylePath}">
<link rel="icon" href="${faviconPath}" type="image/svg+xml">
${feeds.map((feed) => html`<link rel="alternate" type="application/atom+xml" title="${feed.title}" href="${feed.path}">`)}
${p.json === undefined ? null : html`<link rel="alternate" type="application/json" href="${p.json}">`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><div class="frame">
<a class="name" href="${homePath}">Dump Survey</a>
<nav aria-label="Site"><ul>
<li><a href="${homePath}#heatmap">Drivers</a></li>
<li><a href="${failuresFeedPath}">Failure feed</a></li>
<li><a href="${logPath}">Log</a></li>
<li><a href="${referencePath}">API</a></li>
</ul></nav>
</div></header>
<main id="main" tabindex="-1" class="frame">
${p.main}
</main>
<footer><div class="frame">
${p.edition === undefined ? null : editionLine(p.edition)}
<p>Dump Survey measures how likely Linux is to capture a kernel crash dump. These pages are made on the server
and run no script.</p>
<p><a href="${referencePath}">API reference</a>, <a href="${problemsPath}">problem types</a></p>
</div></footer>
</body>
</html>
`;
  return markup.toString();
}
