import { expect, test } from 'vitest';
import { dark, light, type Palette } from './palette.ts';
import { stylesheet } from './style.ts';

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function textPairs(p: Palette): readonly (readonly [string, string, string])[] {
  return [
    ...[p.ground, p.panel, p.alert].flatMap((ground) => [
      ['text', p.text, ground] as const,
      ['muted', p.muted, ground] as const,
      ['link', p.link, ground] as const,
    ]),
    ...p.heat.map((ground, at) => [`heat ${at}`, p.heatText, ground] as const),
  ];
}

test.each([
  ['light', light],
  ['dark', dark],
] as const)('%s: text has 4.5:1, shapes that mean something 3:1', (_name, p) => {
  for (const [what, text, ground] of textPairs(p)) {
    expect(contrast(text, ground), `${what} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  }
  expect(contrast(p.bar, p.panel), 'bar on its track').toBeGreaterThanOrEqual(3);
  expect(contrast(p.alertEdge, p.ground), 'edge of an alert').toBeGreaterThanOrEqual(3);
});

test('the heat scale keeps its order of blue minus red, for eyes that confuse red and green', () => {
  for (const { heat } of [light, dark]) {
    const blueness = heat.map((c) => Number.parseInt(c.slice(5, 7), 16) - Number.parseInt(c.slice(1, 3), 16));
    expect(blueness).toEqual([...blueness].sort((a, b) => a - b));
  }
});

test('the stylesheet loads nothing', () => {
  expect(stylesheet).not.toMatch(/url\(|@import|@font-face/);
  expect(stylesheet.split('{').length).toBe(stylesheet.split('}').length);
});
