/** The reference of the API for people: the OpenAPI document as a page. */
import { fromBase64 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import type { ExampleValues } from '../openapi/operation.ts';
import { addressOf } from '../openapi/request.ts';
import { ownResponses } from '../openapi/response.ts';
import type { JsonSchema, OpenApi, OperationObject, Parameter, ResponseObject } from '../openapi/types.ts';
import { page } from './layout.ts';
import { html, type Markup, type Piece } from './markup.ts';
import { apiPath, openApiPath, problemsPath } from './paths.ts';
import { inlineProse, prose } from './prose.ts';
import { command, logLines, scrollRegion } from './scroll.ts';
import { shapeLink, shapeSection, takes } from './shape.ts';

interface Row {
  readonly method: string;
  readonly address: string;
  readonly operation: OperationObject;
}

function rowsOf({ paths }: OpenApi): Row[] {
  return Object.entries(paths).flatMap(([address, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, address, operation })),
  );
}

/** A word of a shell, in single quotes. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** The line that sends the example of an operation. */
export function curlLine({ method, address, operation }: Row, origin: string): string {
  const { parameters = [] } = operation;
  const values = Object.fromEntries(
    parameters.flatMap(({ name, example }) => (example === undefined ? [] : [[name, example]])),
  ) as ExampleValues;
  const url = quoted(`${origin}${addressOf(address, parameters, values)}`);
  const body = operation.requestBody?.content['application/json']?.example;
  if (body === undefined) return `curl ${url}`;
  const head = `curl -X ${method.toUpperCase()} -H ${quoted('content-type: application/json')}`;
  return `${head} --data-raw ${quoted(JSON.stringify(body))} ${url}`;
}

function parameterTable(id: string, parameters: readonly Parameter[]): Markup {
  const caption = `Parameters of ${id}`;
  const rows = parameters.map(
    (
      p,
    ) => html`<tr><th scope="row"><code>${p.name}</code></th><td>${p.in}${p.required ? ', required' : null}</td>
<td>${takes(p.schema)}</td><td>${inlineProse(p.description ?? '')}</td></tr>`,
  );
  return scrollRegion(
    caption,
    html`<table class="fields"><caption>${caption}</caption>
<thead><tr><th scope="col">parameter</th><th scope="col">in the</th><th scope="col">takes</th><th scope="col">meaning</th></tr></thead>
<tbody>${rows}</tbody></table>`,
  );
}

function pretty(value: unknown): readonly string[] {
  return (typeof value === 'string' ? value : JSON.stringify(value, null, 2))
    .replaceAll('\r\n', '\n')
    .split('\n');
}

function folded(summary: string, content: Piece): Markup {
  return html`<details><summary>${summary}</summary>${content}</details>`;
}

/** The signed body: what its payload is, the line that sends one, and what the example's payload says. */
function bodyOf(row: Row, origin: string): Piece {
  const { operationId: id, requestBody } = row.operation;
  const media = requestBody?.content['application/json'];
  if (requestBody === undefined || media === undefined) return command(curlLine(row, origin));
  const { payload, payloadType } = (media.schema.properties ?? {}) as Record<string, JsonSchema>;
  const shape = (payload?.contentSchema as JsonSchema | undefined)?.$ref;
  const envelope = media.schema.$ref;
  const text = new TextDecoder().decode(fromBase64((media.example as Envelope).payload));
  return html`<p>Body: ${inlineProse(requestBody.description)} ${envelope === undefined ? null : shapeLink(envelope)} of payload
type <code>${String(payloadType?.const)}</code>, whose payload is ${shape === undefined ? null : shapeLink(shape)}.</p>
${folded('The curl line with a whole envelope', command(curlLine(row, origin)))}
${folded('What its payload says', logLines(`Payload of the example of ${id}`, pretty(JSON.parse(text))))}`;
}

function answerRow(status: string, { description, content }: ResponseObject): Markup {
  const types = Object.entries(content).map(
    ([mediaType, { schema }]) =>
      html`<span class="row"><code>${mediaType}</code>${schema.$ref === undefined || mediaType === 'application/problem+json' ? null : html`: ${shapeLink(schema.$ref)}`}</span>`,
  );
  return html`<tr><th scope="row">${status}</th><td>${types}</td><td>${description.split('\n\n').map((line) => html`<span class="row">${inlineProse(line)}</span>`)}</td></tr>`;
}

function answerExamples(operation: OperationObject): Markup[] {
  const id = operation.operationId;
  return ownResponses(operation).flatMap(([status, { content }]) =>
    Object.entries(content)
      .filter(([, { example }]) => example !== undefined)
      .map(([mediaType, { example }]) =>
        folded(
          `An answer: ${status}, ${mediaType}`,
          logLines(`${id}: ${status} as ${mediaType}`, pretty(example)),
        ),
      ),
  );
}

function operationSection(row: Row, origin: string): Markup {
  const { method, address, operation } = row;
  const { operationId: id, summary, description, parameters = [] } = operation;
  const caption = `Answers of ${id}`;
  return html`<section class="operation" aria-labelledby="${id}"><h3 id="${id}"><span class="method">${method.toUpperCase()}</span> <code>${address}</code></h3>
<p>${inlineProse(`${summary}.`)} ${description === undefined ? null : inlineProse(description)}</p>
${parameters.length === 0 ? null : parameterTable(id, parameters)}
${bodyOf(row, origin)}
${scrollRegion(
  caption,
  html`<table class="fields"><caption>${caption}</caption>
<thead><tr><th scope="col">status</th><th scope="col">as</th><th scope="col">what it is</th></tr></thead>
<tbody>${ownResponses(operation).map(([status, response]) => answerRow(status, response))}</tbody></table>`,
)}
${answerExamples(operation)}</section>`;
}

/** What any request may be answered: said once. */
function generalSection({ components }: OpenApi): Markup {
  const lines = Object.values(components.responses).map(
    ({ description }) => html`<li>${inlineProse(description)}</li>`,
  );
  return html`<h2 id="general">Whatever is asked</h2>
<p>Any request may be answered with one of these problems, too:</p>
<ul class="prose">${lines}</ul>`;
}

/** The page at `/reference`. `origin` is where the example lines send their requests: an address without a path. */
export function renderReference(document: OpenApi, origin: string): string {
  const rows = rowsOf(document);
  const ofTag = (tag: string) => rows.filter(({ operation }) => operation.tags.includes(tag));
  return page({
    title: 'API reference · Dump Survey',
    description:
      'Every operation of the Dump Survey API: what it takes, what it answers, and an example of each.',
    main: html`<h1>API reference</h1>
${prose(String(document.info.description))}
<p class="links"><a href="${openApiPath}">OpenAPI ${document.openapi} document</a>, <a href="${problemsPath}">all problem types</a>,
<a href="${apiPath}">addresses, limits and scenario sets</a></p>
<p class="note">The examples are made up. Their keys are no secret: to enroll a machine, make a key of your own with
<code>dumpsurvey enroll</code>.</p>
<nav aria-label="Operations">${document.tags.map(
      ({ name }) =>
        html`<ul class="operations">${ofTag(name).map(
          ({ method, address, operation }) =>
            html`<li><a href="#${operation.operationId}">${method.toUpperCase()} ${address}</a> <span class="note">${operation.summary}</span></li>`,
        )}</ul>`,
    )}</nav>
${document.tags.map(
  ({ name, description }) => html`<h2 id="tag-${name}">${name}</h2>
<p>${inlineProse(description)}</p>
${ofTag(name).map((row) => operationSection(row, origin))}`,
)}
${generalSection(document)}
<h2 id="shapes">Shapes</h2>
<p>Lists of fields are closed: a field that is not listed is refused, and never sent.</p>
${Object.entries(document.components.schemas).map(([name, schema]) => shapeSection(name, schema))}`,
  });
}
