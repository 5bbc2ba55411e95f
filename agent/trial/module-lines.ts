/** The lines in which the kernel module says what it found and did (docs/kernel-module.md), wherever a log was kept. Pure. */
import { type AtCrashSeen, atCrash, type Trigger, trigger } from '../../schema/evidence.ts';

/** The words `name=value` behind a prefix, by their types. A garbled word is no value: its line is then refused as a whole. */
function wordsBehind(line: string, prefix: string) {
  const at = line.indexOf(prefix);
  if (at < 0) return null;
  const words = new Map(
    line
      .slice(at + prefix.length)
      .trim()
      .split(/\s+/)
      .map((w) => w.split('=', 2) as [string, string]),
  );
  const number = (name: string, form: RegExp, base: number) => {
    const word = words.get(name) ?? '';
    return form.test(word) ? Number.parseInt(word, base) : null;
  };
  return {
    text: (name: string) => words.get(name),
    bit: (name: string) => ({ '0': false, '1': true })[words.get(name) ?? ''],
    decimal: (name: string) => number(name, /^-?\d+$/, 10),
    hex: (name: string) => number(name, /^[0-9a-f]{8}$/, 16),
  };
}

/** The fields of the line in which the module says what it found of its own set-up, or null where the line is not one. */
export function parseAtCrash(line: string): (AtCrashSeen & { readonly nonce: string }) | null {
  const words = wordsBehind(line, 'crashpoint: at crash v=1 ');
  if (words === null) return null;
  const { bit, hex } = words;
  const parsed = atCrash.safeParse({
    irqs_off: bit('irqs_off'),
    preempt: hex('preempt'),
    lock_held: bit('lock_held'),
  });
  return parsed.success ? { ...parsed.data, nonce: words.text('nonce') ?? '' } : null;
}

/** The trigger line's fields, or null where the line is not one. */
export function parseTrigger(line: string): (Trigger & { readonly nonce: string }) | null {
  const words = wordsBehind(line, 'crashpoint: v=2 ');
  if (words === null) return null;
  const { text, bit, decimal, hex } = words;
  const parsed = trigger.safeParse({
    crash_point: text('point'),
    crash_type: text('type'),
    in_nmi: bit('in_nmi'),
    in_hardirq: bit('in_hardirq'),
    in_softirq: bit('in_softirq'),
    irqs_off: bit('irqs_off'),
    preempt: hex('preempt'),
    task: text('task'),
    cpu: decimal('cpu'),
    in_flight: decimal('inflight'),
  });
  return parsed.success ? { ...parsed.data, nonce: text('nonce') ?? '' } : null;
}

/** The first of these lines that is this trial's, without its nonce. */
export function ofTrial<T extends { readonly nonce: string }>(
  lines: readonly string[],
  parse: (line: string) => T | null,
  nonce: string,
): Omit<T, 'nonce'> | null {
  const found = lines.map(parse).find((fields) => fields?.nonce === nonce);
  if (!found) return null;
  const { nonce: _, ...rest } = found;
  return rest;
}
