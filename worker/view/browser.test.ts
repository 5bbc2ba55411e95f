/** The feed through a real XML parser, and the pages in a real browser. Needs Debian's chromium. */
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApi } from '../openapi/document.ts';
import { renderDriver } from './driver.ts';
import { renderFailuresAtom } from './feed.ts';
import { renderHome } from './home.ts';
import { poisoned } from './hostile.ts';
import { renderLog } from './log.ts';
import { renderProblems } from './problem.ts';
import { renderReference } from './reference.ts';
import { renderReport } from './report.ts';
import { driver, home, log, report } from './sample.ts';
import { stylesheet } from './style.ts';

const executablePath = '/usr/bin/chromium';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// What runs in the browser is text: the project compiles without the browser's types.

interface FeedSeen {
  readonly error: string | null;
  readonly namespace: string;
  readonly feed: boolean;
  readonly entries: number;
  readonly complete: boolean;
  readonly scripts: number;
}

/** Parses each text as XML, and the HTML inside its entries. */
const readFeeds = `(texts) => texts.map((text) => {
  const xml = new DOMParser().parseFromString(text, 'application/xml');
  const entries = [...xml.getElementsByTagName('entry')];
  const has = (node, names) =>
    names.every((name) => [...node.children].filter((child) => child.localName === name).length === 1);
  const html = (entry) =>
    new DOMParser().parseFromString(entry.getElementsByTagName('content')[0].textContent, 'text/html');
  return {
    error: xml.querySelector('parsererror')?.textContent ?? null,
    namespace: xml.documentElement.namespaceURI,
    feed: has(xml.documentElement, ['id', 'title', 'updated', 'author']),
    entries: entries.length,
    complete: entries.every((entry) => has(entry, ['id', 'title', 'updated', 'content'])),
    scripts: entries.reduce((sum, entry) => sum + html(entry).querySelectorAll('script').length, 0),
  };
})`;

/** By how much the page is too wide, and how many boxes scroll without a name or without the keyboard. */
const findOverflow = `(() => ({
  over: document.documentElement.scrollWidth - innerWidth,
  nameless: [...document.querySelectorAll('body *')].filter((e) =>
    e.scrollWidth > e.clientWidth + 1 &&
    ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) &&
    (e.tabIndex !== 0 || e.getAttribute('role') !== 'region' || !e.getAttribute('aria-label'))).length,
}))()`;

/** Scrolls the heatmap to its right end and says where its first row's head stands then. */
const scrollHeatmap = `(() => {
  const region = document.querySelector('.scroll:has(.heatmap)');
  region.scrollTo(10000, 0);
  const head = region.querySelector('tbody th').getBoundingClientRect();
  return { scrolled: region.scrollLeft > 100, at: head.left - region.getBoundingClientRect().left };
})()`;

/** The page with its stylesheet inside, so that it needs no server. */
function withStyle(text: string): string {
  return text
    .replace('<link rel="stylesheet" href="/style.css">', () => `<style>${stylesheet}</style>`)
    .replace(/<meta http-equiv="refresh"[^>]*>/, '');
}

describe.skipIf(!existsSync(executablePath))('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args });
  });
  afterAll(async () => {
    await browser.close();
  });

  test('the feed is well-formed XML whatever a report holds, and a valid Atom feed in its parts', async () => {
    const data = { driver: 'am53c974', updated_at: '2026-11-23T14:38:12.004Z', failures: home.failures };
    const attacks = [
      '<script>',
      ']]>',
      '&bogus;',
      '\u0000\u0008\u000b\u001f\ufffe\uffff\ud800',
      '"\'',
      '<?xml?>',
      '\r',
    ];
    const noise = fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), 200);
    const feeds = ['am53c974', ...attacks, ...noise].map((text) =>
      renderFailuresAtom(text === 'am53c974' ? data : poisoned(data, text), 'https://survey.example'),
    );
    const page = await browser.newPage();
    const found = await page.evaluate<FeedSeen[]>(`(${readFeeds})(${JSON.stringify(feeds)})`);
    for (const feed of found) {
      expect(feed).toEqual({
        error: null,
        namespace: 'http://www.w3.org/2005/Atom',
        feed: true,
        entries: 4,
        complete: true,
        scripts: 0,
      });
    }
    await page.close();
  });

  test.each([
    ['home', renderHome(home)],
    ['driver', renderDriver(driver)],
    ['report', renderReport(report)],
    ['reference', renderReference(openApi(), 'https://survey.example')],
    ['log', renderLog(log)],
    ['problems', renderProblems()],
    ['hostile home', renderHome(poisoned(home, 'x'.repeat(400)))],
    ['hostile driver', renderDriver(poisoned(driver, 'x'.repeat(400)))],
    ['hostile log', renderLog(poisoned(log, 'x'.repeat(400)))],
    ['hostile report', renderReport(poisoned(report, 'x'.repeat(400)))],
  ])('%s fits a phone of 360 pixels, and what scrolls can be focused and has a name', async (_name, text) => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    await page.setContent(withStyle(text));
    const seen = await page.evaluate(findOverflow);
    expect(seen).toEqual({ over: 0, nameless: 0 });
    await page.close();
  });

  test('the names of drivers stay in view while the heatmap scrolls', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    await page.setContent(withStyle(renderHome(home)));
    const left = await page.evaluate<{ scrolled: boolean; at: number }>(scrollHeatmap);
    expect(left.scrolled).toBe(true);
    expect(left.at).toBeGreaterThanOrEqual(0);
    expect(left.at).toBeLessThan(4);
    await page.close();
  });
});
