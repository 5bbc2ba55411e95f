/** Shapes of the API as tables: each field, what it takes, what it means. Made of JSON Schema as the document has it. */
import type { JsonSchema } from '../openapi/types.ts';
import { html, type Markup, type Piece } from './markup.ts';
import { inlineProse } from './prose.ts';
import { scrollRegion } from './scroll.ts';

/** The id of a shape on the page that shows it. */
export function shapeId(name: string): string {
  return `shape-${name}`;
}

function refName(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/** The link to the shape that a reference names. */
export function shapeLink(ref: string): Markup {
  const name = refName(ref);
  return html`<a href="#${shapeId(name)}">${name}</a>`;
}

function listed(pieces: readonly Piece[], between: string): Piece[] {
  return pieces.flatMap((piece, at) => (at === 0 ? [piece] : [between, piece]));
}

const largest = Number.MAX_SAFE_INTEGER;

function numberWords(kind: string, { minimum, maximum }: JsonSchema): string {
  const from = minimum === undefined || minimum <= -largest ? null : `from ${minimum}`;
  const to = maximum === undefined || maximum >= largest ? null : `to ${maximum}`;
  return [kind, from, to].filter((word) => word !== null).join(' ');
}

function stringWords({ pattern, minLength, maxLength, format, contentMediaType }: JsonSchema): Piece[] {
  const lengths =
    maxLength === undefined
      ? null
      : `, ${minLength === undefined ? 'at most' : `${minLength} to`} ${maxLength} characters`;
  return [
    contentMediaType === undefined ? 'text' : `text of ${contentMediaType}`,
    lengths,
    format === 'date-time' ? ', a time (RFC 3339)' : null,
    pattern === undefined || format !== undefined ? null : html`, as <code>${pattern}</code>`,
  ];
}

function contentOf({ contentSchema }: JsonSchema): Piece {
  if (typeof contentSchema !== 'object' || contentSchema === null) return null;
  return html`: ${takes(contentSchema as JsonSchema)}`;
}

/** What a value of a schema may be, in words. */
export function takes(schema: JsonSchema): Piece {
  if (schema.$ref !== undefined) return shapeLink(schema.$ref);
  if (schema.const !== undefined) return html`<code>${String(schema.const)}</code>`;
  if (schema.enum !== undefined)
    return listed(
      schema.enum.map((value) => html`<code>${String(value)}</code>`),
      ', ',
    );
  if (schema.anyOf !== undefined) {
    const nothing = schema.anyOf.some((option) => (option as JsonSchema).type === 'null');
    const options = (schema.anyOf as JsonSchema[]).filter(({ type }) => type !== 'null');
    return [nothing ? 'either null or ' : null, listed(options.map(takes), ' or ')];
  }
  switch (schema.type) {
    case 'string':
      return [stringWords(schema), contentOf(schema)];
    case 'integer':
      return numberWords('a whole number', schema);
    case 'number':
      return numberWords('a number', schema);
    case 'boolean':
      return 'true or false';
    case 'array':
      return ['a list', bounds(schema), ' of ', takes((schema.items ?? {}) as JsonSchema)];
    case 'object':
      return recordWords(schema);
    default:
      return 'anything';
  }
}

function bounds({ minItems, maxItems }: JsonSchema): string {
  if (maxItems === undefined) return '';
  return minItems === maxItems ? ` of ${maxItems},` : ` of ${minItems ?? 0} to ${maxItems},`;
}

function recordWords({ propertyNames, additionalProperties, properties }: JsonSchema): Piece {
  if (properties !== undefined) return 'an object with the fields below';
  if (typeof additionalProperties !== 'object') return 'an object';
  const name = propertyNames as JsonSchema | undefined;
  return [
    'by name',
    name === undefined ? null : [' (', takes(name), ')'],
    ': ',
    takes(additionalProperties as JsonSchema),
  ];
}

/** The fields of an object in a value: of the value itself, or of each member of a list. */
function fieldsIn(schema: JsonSchema): JsonSchema | null {
  if (schema.properties !== undefined) return schema;
  const options = (schema.anyOf ?? []) as JsonSchema[];
  const inner = [schema.items, schema.additionalProperties, ...options].filter(
    (value): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
  return inner.map(fieldsIn).find((found) => found !== null) ?? null;
}

function* rowsOf(schema: JsonSchema, prefix: string): Generator<Markup> {
  const required = schema.required ?? [];
  for (const [name, value] of Object.entries(schema.properties ?? {})) {
    const field = value as JsonSchema;
    const optional = required.includes(name) ? null : ' (may be left out)';
    yield html`<tr><th scope="row"><code>${prefix}${name}</code></th><td>${takes(field)}${optional}</td><td>${inlineProse(field.description ?? '')}</td></tr>`;
    const inner = field.$ref === undefined ? fieldsIn(field) : null;
    if (inner !== null) yield* rowsOf(inner, `${prefix}${name}.`);
  }
}

/** The shape of a name: a table of its fields, or a sentence where it has none. */
export function shapeSection(name: string, schema: JsonSchema): Markup {
  const head = html`<h3 id="${shapeId(name)}">${name}</h3>${schema.description === undefined ? null : html`<p>${inlineProse(schema.description)}</p>`}`;
  if (schema.properties === undefined) return html`${head}<p>${takes(schema)}</p>`;
  const table = html`<table class="fields"><caption>The fields of ${name}</caption>
<thead><tr><th scope="col">field</th><th scope="col">takes</th><th scope="col">meaning</th></tr></thead>
<tbody>${[...rowsOf(schema, '')]}</tbody></table>`;
  return html`${head}${scrollRegion(`The fields of ${name}`, table)}`;
}
