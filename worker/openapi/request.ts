/** From the values of an operation's parameters to the address that they make. */
import type { ExampleValues } from './operation.ts';
import type { Parameter } from './types.ts';

/** One value as it stands in an address: a list with commas between its members. */
function written(value: string | readonly string[]): string {
  return typeof value === 'string' ? encodeURIComponent(value) : value.map(encodeURIComponent).join(',');
}

/** The address, with its query, of a template such as `/v1/reports/{id}` and the values of its parameters. */
export function addressOf(
  template: string,
  parameters: readonly Pick<Parameter, 'name' | 'in'>[],
  values: ExampleValues,
): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => written(values[name] ?? ''));
  const query = parameters
    .filter((parameter) => parameter.in === 'query')
    .flatMap(({ name }) => {
      const value = values[name];
      return value === undefined ? [] : [`${encodeURIComponent(name)}=${written(value)}`];
    });
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}
