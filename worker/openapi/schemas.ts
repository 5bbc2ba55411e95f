/** JSON Schemas (2020-12) of the shapes, made of the very schemas that check what travels. */
import * as z from 'zod';
import { enrolBody } from '../../schema/wire.ts';
import { components } from './components.ts';
import type { Operation } from './operation.ts';
import { operationList } from './operations.ts';
import type { JsonSchema, Parameter } from './types.ts';

const pathOf = (name: string) => `#/components/schemas/${name}`;

/** Every shape of the table of operations by its name, those without a name of their own too. */
function namedShapes(): ReadonlyMap<z.ZodType, string> {
  const names = new Map<z.ZodType, string>(
    Object.entries(components).map(([name, schema]): [z.ZodType, string] => [schema, name]),
  );
  const name = (schema: z.ZodType, fallback: string) => {
    if (!names.has(schema)) names.set(schema, fallback);
  };
  for (const [id, operation] of operationList as readonly (readonly [string, Operation])[]) {
    const called = id.charAt(0).toUpperCase() + id.slice(1);
    if (operation.takes) name(operation.takes.payload, `${called}Payload`);
    for (const { content } of Object.values(operation.answers)) {
      const json = content['application/json'];
      if (json) name(json, `${called}Answer`);
    }
  }
  return names;
}

/** The component schemas, and the reference to each shape that has one. */
export function componentSchemas(): {
  readonly schemas: Record<string, JsonSchema>;
  readonly refTo: (schema: z.ZodType) => JsonSchema;
} {
  const names = namedShapes();
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    uri: pathOf,
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== enrolBody.shape.profile) return;
      jsonSchema.contentMediaType = 'application/json';
      jsonSchema.contentSchema = { $ref: pathOf('Profile') };
    },
  });
  const bare = Object.entries(schemas).map(([name, { $id: _, $schema: __, ...schema }]) => [name, schema]);
  return {
    schemas: Object.fromEntries(bare) as Record<string, JsonSchema>,
    refTo: (schema) => {
      const name = names.get(schema);
      if (name === undefined) return inline(schema);
      return { $ref: pathOf(name) };
    },
  };
}

function inline(schema: z.ZodType, io: 'input' | 'output' = 'input'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest as JsonSchema;
}

/**
 * The parameters that an object of text values describes. A list, which the schema splits at commas, is described
 * as the list that it becomes.
 */
export function parametersOf(place: 'path' | 'query', schema: z.ZodObject | undefined): Parameter[] {
  if (schema === undefined) return [];
  const read = z.toJSONSchema(schema, { io: 'output' });
  const required = z.toJSONSchema(schema, { io: 'input' }).required ?? [];
  return Object.entries(read.properties ?? {}).map(([name, property]): Parameter => {
    const { description, ...rest } = property as JsonSchema;
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      ...(rest.type === 'array' ? { style: 'form', explode: false } : {}),
      schema: rest,
    };
  });
}
