/**
 * A strict reader of Prometheus' text format 0.0.4, written from its specification
 * (prometheus.io/docs/instrumenting/exposition_formats), and not from what writes it.
 */

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: ReadSample[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const labelPair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|(?=\}))/;
const number = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;

const unescaped = (text: string) => text.replaceAll(/\\([\\"n])/g, (_, c: string) => (c === 'n' ? '\n' : c));

function numberOf(text: string): number {
  if (!number.test(text)) throw new Error(`${text} is no number`);
  return Number(text.replace('Inf', 'Infinity'));
}

function readSample(line: string): ReadSample {
  const name = metricName.exec(line)?.[0];
  if (name === undefined) throw new Error(`no name: ${line}`);
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    while (!rest.startsWith('}')) {
      const [pair, label = '', value = ''] = labelPair.exec(rest) ?? [];
      if (pair === undefined || label in labels) throw new Error(`labels: ${line}`);
      labels[label] = unescaped(value);
      rest = rest.slice(pair.length);
    }
    rest = rest.slice(1);
  }
  const [gap, value, ...more] = rest.split(' ');
  if (gap !== '' || value === undefined || more.length > 0) throw new Error(`value: ${line}`);
  return { name, labels, value: numberOf(value) };
}

function checkHistogram(name: string, { samples }: ReadFamily): void {
  const key = ({ labels: { le: _, ...rest } }: ReadSample) => JSON.stringify(rest);
  for (const group of Map.groupBy(samples, key).values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => numberOf(labels.le ?? ''));
    const counts = buckets.map(({ value }) => value);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const ascending = (values: readonly number[]) =>
      values.every((v, i) => i === 0 || v >= (values[i - 1] ?? 0));
    const complete = bounds.at(-1) === Infinity && counts.at(-1) === count;
    const summed = group.filter((sample) => sample.name === `${name}_sum`).length === 1;
    if (
      !ascending(bounds) ||
      !ascending(counts) ||
      !complete ||
      !summed ||
      group.length !== buckets.length + 2
    ) {
      throw new Error(`the histogram ${name} does not add up: ${JSON.stringify(group)}`);
    }
  }
}

/** The families of a text. Throws an Error that names what is not as the format says. */
export function readMetrics(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, ReadFamily>();
  const seen = new Set<string>();
  let current = '';
  let help = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name = '', words = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} stands twice`);
      [current, help] = [name, words];
    } else if (keyword === 'TYPE') {
      if (name !== current || !['counter', 'gauge', 'histogram'].includes(words)) throw new Error(line);
      families.set(name, { type: words, help, samples: [] });
    } else {
      const sample = readSample(line);
      const family = families.get(current);
      const suffix = sample.name.slice(current.length);
      const suffixes = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      if (!sample.name.startsWith(current) || !suffixes.includes(suffix))
        throw new Error(`out of place: ${line}`);
      if (family?.type === 'counter' && !(sample.value >= 0)) throw new Error(`a counter below 0: ${line}`);
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(identity)) throw new Error(`twice: ${line}`);
      seen.add(identity);
      family?.samples.push(sample);
    }
  }
  for (const [name, family] of families) {
    if (family.help === '') throw new Error(`${name} says nothing of itself`);
    if (family.type === 'counter' && !name.endsWith('_total'))
      throw new Error(`${name} counts, and is no _total`);
    if (family.type === 'histogram') checkHistogram(name, family);
  }
  return families;
}
