/** The page of a problem type (RFC 9457): what happened and what to do. */
import { type ProblemSlug, problems } from '../../schema/problem.ts';
import { page } from './layout.ts';
import { html } from './markup.ts';
import { apiPath, homePath } from './paths.ts';

/** The page at `/problems/<slug>`, and the answer to a browser that met the problem. */
export function renderProblem(slug: ProblemSlug): string {
  const { status, title, action } = problems[slug];
  return page({
    title: `${title} · Dump Survey`,
    description: `${title}. ${action}`,
    main: html`<h1>${title}</h1>
<p class="lead">HTTP status ${status}, problem type <code>/problems/${slug}</code>.</p>
<h2>What to do</h2>
<p>${action}</p>
<p class="links"><a href="${homePath}">The survey’s figures</a>, <a href="${apiPath}">the addresses of the API</a></p>`,
  });
}
