/** The pages of problem types (RFC 9457): what happened, what to do, and what can be answered so. */
import { type ProblemSlug, problems, problemType } from '../../schema/problem.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { operationsAnswering } from '../openapi/answering.ts';
import { isGeneral } from '../openapi/general.ts';
import { page } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { apiPath, homePath, operationPath, problemsPath, referencePath } from './paths.ts';
import { scrollRegion } from './scroll.ts';

function answering(slug: ProblemSlug): Markup {
  const rows = operationsAnswering(slug).map(
    ([id, { method, address, summary }]) =>
      html`<li><a href="${operationPath(id)}">${method.toUpperCase()} ${address}</a>: ${summary}</li>`,
  );
  const anywhere = isGeneral(slug) ? html`<p>Any address may answer it.</p>` : null;
  return html`${anywhere}${rows.length === 0 ? null : html`<ul class="prose">${rows}</ul>`}`;
}

/** The page at `/problems/<slug>`, which the `type` of a problem document names. */
export function renderProblem(slug: ProblemSlug): string {
  const { status, title, action } = problems[slug];
  return page({
    title: `${title} · Dump Survey`,
    description: `${title}. ${action}`,
    main: html`<h1>${title}</h1>
<p class="lead">HTTP status ${status}, problem type <code>${problemType(slug)}</code>.</p>
<h2>What to do</h2>
<p>${action}</p>
<h2>What is answered so</h2>
${answering(slug)}
<p class="links"><a href="${problemsPath}">All problem types</a>, <a href="${referencePath}">API reference</a>,
<a href="${apiPath}">the addresses of the API</a>, <a href="${homePath}">the survey’s figures</a></p>`,
  });
}

/** The page at `/problems`. */
export function renderProblems(): string {
  const caption = 'Problem types by status';
  const rows = namesOf(problems)
    .toSorted((a, b) => problems[a].status - problems[b].status)
    .map(
      (
        slug,
      ) => html`<tr><th scope="row"><a href="${problemType(slug)}">${slug}</a></th><td class="number">${problems[slug].status}</td>
<td>${problems[slug].title}</td><td>${problems[slug].action}</td></tr>`,
    );
  return page({
    title: 'Problem types · Dump Survey',
    description: 'Every problem that the Dump Survey API answers, with what to do.',
    main: html`<h1>Problem types</h1>
<p class="lead">Every error of the API is a problem document (RFC 9457). Its <code>type</code> is one of these addresses, and
never changes; its <code>detail</code> says what happened to what.</p>
${scrollRegion(
  caption,
  html`<table class="fields"><caption>${caption}</caption>
<thead><tr><th scope="col">type</th><th scope="col" class="number">status</th><th scope="col">what happened</th><th scope="col">what to do</th></tr></thead>
<tbody>${rows}</tbody></table>`,
)}
<p class="links"><a href="${referencePath}">API reference</a></p>`,
  });
}
