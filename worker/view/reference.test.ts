/** The reference says of each operation what the document says, and its lines can be copied into a shell. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { problems } from '../../schema/problem.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { openApi, templateOf } from '../openapi/document.ts';
import { isGeneral } from '../openapi/general.ts';
import type { Operation } from '../openapi/operation.ts';
import { operationList } from '../openapi/operations.ts';
import { renderProblem, renderProblems } from './problem.ts';
import { prose } from './prose.ts';
import { curlLine, renderReference } from './reference.ts';

const document = openApi();
const text = renderReference(document, 'https://survey.example');
const rows = Object.entries(document.paths).flatMap(([address, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, address, operation })),
);

/** The section of an operation. */
function sectionOf(id: string): string {
  const from = text.indexOf(`<section class="operation" aria-labelledby="${id}"`);
  return text.slice(from, text.indexOf('</section>', from));
}

describe.each(operationList as readonly (readonly [string, Operation])[])('%s', (id, operation) => {
  const section = sectionOf(id);

  it('is shown with its address, its parameters and its problems', () => {
    expect(section).toContain(`<code>${templateOf(operation.address)}</code>`);
    for (const name of Object.keys({ ...operation.path?.shape, ...operation.query?.shape }))
      expect(section).toContain(`<th scope="row"><code>${name}</code></th>`);
    for (const slug of operation.problems)
      expect(section).toContain(`<a href="/problems/${slug}">${slug}</a>`);
    for (const slug of namesOf(problems).filter((s) => !operation.problems.includes(s)))
      expect(section).not.toContain(`"/problems/${slug}"`);
  });

  it('shows what it takes', () => {
    expect(section.includes('whose payload is <a href="#shape-')).toBe(operation.takes !== undefined);
    expect(section).toContain('curl ');
  });
});

/** The words that a shell makes of a line. */
function wordsOf(line: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${line}\n`;
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

test.each(rows.map((row) => [row.operation.operationId, row] as const))(
  'the line of %s is one request in a shell, whatever the origin',
  (_, row) => {
    for (const origin of ['https://survey.example', "http://it's; echo $HOME `id` \\"]) {
      const words = wordsOf(curlLine(row, origin));
      expect(words.at(-1)?.startsWith(`${origin}/`)).toBe(true);
      const body = row.operation.requestBody?.content['application/json']?.example;
      if (body === undefined) expect(words).toHaveLength(1);
      else expect(JSON.parse(words[words.indexOf('--data-raw') + 1] ?? '')).toEqual(body);
    }
  },
);

test('the example of a query stands in the README, too', () => {
  const row = rows.find(({ operation }) => operation.operationId === 'getStatistics');
  const line = row && curlLine(row, 'http://127.0.0.1:8787');
  expect(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).toContain(`    ${line}\n`);
});

test('the pages of problems lead to operations that the reference has', () => {
  const links = namesOf(problems).flatMap((slug) =>
    [...renderProblem(slug).matchAll(/href="\/reference#(\w+)"/g)].map(([, id]) => id),
  );
  expect(links.length).toBeGreaterThan(50);
  for (const id of links) expect(text).toContain(`<h3 id="${id}">`);
});

test('a problem says its status, its title, what to do, and which operations answer it', () => {
  const page = renderProblem('foreign-ticket');
  for (const part of ['HTTP status 403', problems['foreign-ticket'].title, problems['foreign-ticket'].action])
    expect(page).toContain(part);
  for (const id of ['noteArmed', 'admitReport']) expect(page).toContain(`/reference#${id}`);
  expect(page).not.toContain('#enrollMachine');
  expect(renderProblem('internal-error')).toContain('Any address may answer it.');
});

test('what any request may be answered is said once', () => {
  const general = text.slice(text.indexOf('<h2 id="general">'), text.indexOf('<h2 id="shapes">'));
  for (const slug of namesOf(problems))
    expect([slug, general.includes(`"/problems/${slug}"`)]).toEqual([slug, isGeneral(slug)]);
});

test('all problems are listed with their pages', () => {
  const page = renderProblems();
  for (const slug of namesOf(problems)) expect(page).toContain(`<a href="/problems/${slug}">${slug}</a>`);
});

test('prose has paragraphs, code and links to this site only, and no other markup', () => {
  expect(prose('a `b` [c](/d)\n\n<i>[e](https://f.example)').join('')).toBe(
    '<p>a <code>b</code> <a href="/d">c</a></p><p>&lt;i&gt;[e](https://f.example)</p>',
  );
});
