/**
 * What is said over the second serial port, on which the image has a root shell (image/overlay/usr/local/sbin/metal-control).
 * Pure. Orders and output travel as base64: whatever a program prints is one word here.
 */

/** What the guest says. */
export type Said =
  /** The shell is there: a boot came so far. */
  | { readonly kind: 'up'; readonly bootId: string }
  | { readonly kind: 'out'; readonly id: string; readonly text: Buffer }
  | { readonly kind: 'did'; readonly id: string; readonly status: number };

/** The line that has a command run by bash. */
export function runLine(id: string, command: string): string {
  return `run ${id} ${Buffer.from(command).toString('base64')}`;
}

/** What a line of the guest says, or null where it is none of the protocol's, as after a reset in the middle of one. */
export function readLine(line: string): Said | null {
  const up = /^up ([0-9a-f-]{36})$/.exec(line);
  if (up) return { kind: 'up', bootId: up[1] ?? '' };
  const out = /^out (\w+) ([\w+/=]*)$/.exec(line);
  if (out) return { kind: 'out', id: out[1] ?? '', text: Buffer.from(out[2] ?? '', 'base64') };
  const did = /^did (\w+) (\d+)$/.exec(line);
  if (did) return { kind: 'did', id: did[1] ?? '', status: Number(did[2]) };
  return null;
}
