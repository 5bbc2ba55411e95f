/**
 * Numbers and times as people read them. Rounding never makes a figure look better than it is: an estimate is
 * 0 % or 100 % only where it is exactly that, and an interval is rounded outwards.
 */
import type { Cell } from '../../schema/statistics.ts';

/** Guards `floor` and `ceil` against the last bit of 0.07 × 100. */
const tiny = 1e-9;

/** A proportion as `88 %`; `<1 %` and `>99 %` where whole numbers would claim certainty. */
export function percent(proportion: number): string {
  const hundredfold = proportion * 100;
  if (hundredfold > 0 && hundredfold < 1) return '<1\u00a0%';
  if (hundredfold > 99 && hundredfold < 100) return '>99\u00a0%';
  return `${Math.round(hundredfold)}\u00a0%`;
}

/** An interval as `47–100 %`, rounded outwards. */
export function interval(low: number, high: number): string {
  return `${Math.floor(low * 100 + tiny)}–${Math.ceil(high * 100 - tiny)}\u00a0%`;
}

/** `7 of 8`. */
export function capturedOf(cell: Pick<Cell, 'captured' | 'trials'>): string {
  return `${cell.captured} of ${cell.trials}`;
}

/** `1 trial`, `8 trials`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

/** A whole number with thin spaces between thousands: `25 165 824`. */
export function whole(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Milliseconds as seconds: `4.21 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)}\u00a0s`;
}

/** `2026-11-23 14:49 UTC` of an RFC 3339 time in UTC; anything else as it stands. */
export function moment(instant: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z$/.exec(instant);
  return parts === null ? instant : `${parts[1]} ${parts[2]}\u00a0UTC`;
}
