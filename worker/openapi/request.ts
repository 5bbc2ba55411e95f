/** From the values of an operation's parameters to the address that they make. */
import type { ExampleValues } from './operation.ts';
import type { Parameter } from './types.ts';

/** Whether a value of a path's parameter may be several segments: its pattern has slashes. */
export function spansSegments({ in: place, schema }: Pick<Parameter, 'in' | 'schema'>): boolean {
  return place === 'path' && (schema.pattern ?? '').includes('\\/');
}

/** One value as it stands in an address: a list with commas between its members. */
function written(value: string | readonly string[]): string {
  return typeof value === 'string' ? encodeURIComponent(value) : value.map(encodeURIComponent).join(',');
}

/** The address, with its query, of a template such as `/v1/reports/{id}` and the values of its parameters. */
export function addressOf(
  template: string,
  parameters: readonly Pick<Parameter, 'name' | 'in' | 'schema'>[],
  values: ExampleValues,
): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = parameters.find((p) => p.name === name && p.in === 'path');
    const text = written(values[name] ?? '');
    return parameter !== undefined && spansSegments(parameter) ? text.replaceAll('%2F', '/') : text;
  });
  const query = parameters
    .filter((parameter) => parameter.in === 'query')
    .flatMap(({ name }) => {
      const value = values[name];
      return value === undefined ? [] : [`${encodeURIComponent(name)}=${written(value)}`];
    });
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}
