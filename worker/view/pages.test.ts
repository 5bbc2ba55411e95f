/** What every page promises, and what hostile text in any field cannot change. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { problems } from '../../schema/problem.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { openApi } from '../openapi/document.ts';
import type { HomeData } from './data.ts';
import { renderDriver } from './driver.ts';
import { renderFailuresAtom } from './feed.ts';
import { renderHome } from './home.ts';
import { poisoned } from './hostile.ts';
import { renderLog } from './log.ts';
import { renderProblem, renderProblems } from './problem.ts';
import { renderReference } from './reference.ts';
import { renderReport } from './report.ts';
import { cell, driver, failure, home, log, report } from './sample.ts';

const emptyHome: HomeData = {
  ...home,
  edition: null,
  campaign: null,
  heatmap: [],
  by_driver: [],
  by_chipset: [],
  failures: [],
  funnel: { mechanism: 'kdump', ended: [], captured: 0 },
};

const pages = [
  ['home', renderHome(home)],
  ['empty home', renderHome(emptyHome)],
  ['driver', renderDriver(driver)],
  ['report', renderReport(report)],
  [
    'bare report',
    renderReport({
      ...report,
      profile: null,
      labels: [],
      body: {
        ...report.body,
        version: '1.2',
        amends: null,
        evidence: {
          ...report.body.evidence,
          after_reboot: null,
          trigger: null,
          dump: null,
          crash_log: [],
          capture_log: [],
          channel: { name: 'none', could_see: [], saw: [] },
        },
      },
    }),
  ],
  ['reference', renderReference(openApi(), 'https://survey.example')],
  ['log', renderLog(log)],
  [
    'log without anything',
    renderLog({ ...log, checkpoint: null, is_halted: true, decisions: [], next: null }),
  ],
  ['problems', renderProblems()],
  ...namesOf(problems).map((slug) => [slug, renderProblem(slug)] as const),
] as const;

describe.each(pages)('%s', (_name, text) => {
  test('has a language, a title, landmarks and a skip link', () => {
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(text).toMatch(/<title>[^<]{5,}<\/title>/);
    expect(text).toContain('<a class="skip" href="#main">');
    for (const landmark of ['header', 'nav', 'main', 'footer']) expect(text).toContain(`<${landmark}`);
  });

  test('has one h1, and no heading skips a level', () => {
    const levels = [...text.matchAll(/<h([1-6])/g)].map((match) => Number(match[1]));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    expect(levels[0]).toBe(1);
    for (const [at, level] of levels.entries()) {
      expect(level - (levels[at - 1] ?? 0)).toBeLessThanOrEqual(1);
    }
  });

  test('runs no script, carries no style and loads nothing from elsewhere', () => {
    expect(text).not.toMatch(/<script|<style|<iframe|\sstyle=|\son\w+=|javascript:/i);
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test('names each id once, and points only at ids that there are', () => {
    const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of text.matchAll(/(?:aria-labelledby=|href="#)"?([\w-]+)"/g)) expect(ids).toContain(id);
  });

  test('has a caption and scopes in every table', () => {
    for (const [table] of text.matchAll(/<table[\s\S]*?<\/table>/g)) {
      expect(table).toContain('<caption>');
      expect(table).not.toMatch(/<th(?![^>]*scope=)[\s>]/);
    }
  });

  test('leaves no value undefined', () => {
    expect(text).not.toMatch(/undefined|\[object|NaN|null<|>null/);
  });
});

/** Names of tags and attributes in their order: what a text must not be able to change. */
function skeleton(text: string): string[] {
  return [...text.matchAll(/<(\/?[a-z!][a-z0-9]*)((?:\s[a-z-]+(?:="[^"]*")?)*)\s*\/?>/gi)].map(
    ([, tag, attributes]) => `${tag} ${(attributes ?? '').replace(/="[^"]*"/g, '')}`,
  );
}

const hostileText = fc
  .tuple(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '<script>alert(1)</script>',
      '"><img onerror=x>',
      "' onfocus='x",
      ']]>',
      '</pre>',
      '<!--',
      '&lt;b>',
      '\u0000\u001b[2J\u202e',
    ),
  )
  .map(([noise, attack]) => `${attack}${noise}${attack}`);

const renderers = [
  ['home', (text: string) => renderHome(poisoned(home, text))],
  ['driver', (text: string) => renderDriver(poisoned(driver, text))],
  ['report', (text: string) => renderReport(poisoned(report, text))],
  ['log', (text: string) => renderLog(poisoned(log, text))],
] as const;

test.each(renderers)('%s: hostile text never becomes markup', (_name, render) => {
  const calm = skeleton(render('*'));
  fc.assert(
    fc.property(hostileText, (text) => {
      const page = render(text);
      expect(skeleton(page)).toEqual(calm);
      expect(page).not.toMatch(/<script|<img|<!--(?!$)|<b>/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left
      expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
    }),
    { numRuns: 60 },
  );
});

test('an estimate never stands without its interval and its counts', () => {
  for (const text of [renderHome(home), renderDriver(driver)]) {
    const cells = [...text.matchAll(/<td class="heat [\s\S]*?<\/td>/g)].map(([td]) =>
      td.replace(/<[^>]*>|\s+/g, ' '),
    );
    expect(cells.length).toBeGreaterThan(5);
    for (const td of cells) expect(td).toMatch(/\d ?% +\d+–\d+ % +\d+ of \d+/);
  }
});

test('a cell without trials says so, and is not 0 %', () => {
  const text = renderHome({
    ...emptyHome,
    heatmap: [{ driver: 'nvme', crash_type: 'bug', ...cell(0, 0, 2) }],
  });
  expect(text).toContain('no trials');
  expect(text).toContain('2 inconclusive');
  expect(text).not.toMatch(/>0\s%/);
});

test('home reloads itself only while trials run', () => {
  const refresh = '<meta http-equiv="refresh" content="10">';
  expect(renderHome(home)).toContain(refresh);
  expect(renderHome(home)).toContain('<progress value="388" max="432"');
  expect(
    renderHome({
      ...emptyHome,
      campaign: { running: false, planned: 9, done: 9, captured: 9, failed: 0, inconclusive: 0 },
    }),
  ).not.toContain('refresh');
});

test('a report points out where server and agent differ, and is silent where they agree', () => {
  expect(renderReport(report)).toContain('The server derives another outcome');
  expect(renderReport({ ...report, outcome: report.body.outcome })).not.toContain(
    'The server derives another outcome',
  );
});

test('the funnel adds up along the stages', () => {
  const row = /<span class="term">target_ready<\/span>[\s\S]*?(\d+) of (\d+)/.exec(renderHome(home));
  expect(row?.slice(1)).toEqual(['324', '376']);
});

test('a driver page groups failures by signature and sets apart what is not the driver’s', () => {
  const text = renderDriver(driver);
  expect(text).toContain('2 reports with this signature');
  expect(text.indexOf('Failures charged elsewhere')).toBeLessThan(text.indexOf('direct/loop-irqoff/disk'));
});

test('a link to a hostile name stays inside its path', () => {
  const text = renderDriver({ ...driver, driver: '../../x?y#z' });
  expect(text).toContain('/drivers/..%2F..%2Fx%3Fy%23z/failures.atom');
});

test('a feed entry says stage, signature, evidence and how to repeat it', () => {
  const text = renderFailuresAtom(
    { driver: null, updated_at: failure.admitted_at, failures: [failure] },
    'https://survey.example/',
  );
  for (const part of [
    '<id>https://survey.example/failures.atom</id>',
    '<id>https://survey.example/reports/1377</id>',
    '<title>am53c974: not captured after capture_booted (timer/exception/disk)</title>',
    'esp_reset_cleanup[esp_scsi]',
    'npx dumpsurvey lab --machine i440fx-am53c974',
    'Fatal exception in interrupt',
  ])
    expect(text).toContain(part);
});
