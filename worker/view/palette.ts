/**
 * The colours, once for light and once for dark. The heat scale runs from orange (lost) over grey to blue
 * (captured): people with any of the common colour deficiencies can tell its ends apart, and every cell says its
 * figure in words as well. A test holds each pair of text and ground to WCAG 2.2 AA.
 */

export interface Palette {
  readonly ground: string;
  readonly panel: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly link: string;
  /** Ground and edge of what must not be overlooked. */
  readonly alert: string;
  readonly alertEdge: string;
  /** Bars of the funnel. */
  readonly bar: string;
  /** Grounds of the five classes of the heat scale, from 0 to 100 %. */
  readonly heat: readonly [string, string, string, string, string];
  readonly heatText: string;
}

export const light: Palette = {
  ground: '#ffffff',
  panel: '#f4f5f7',
  text: '#1a1c20',
  muted: '#565b66',
  line: '#d3d7de',
  link: '#0b57a4',
  alert: '#fff2e2',
  alertEdge: '#b8560b',
  bar: '#2f7fc1',
  heat: ['#e9863f', '#f8caa0', '#eeece8', '#b9d6ee', '#6fabde'],
  heatText: '#14161a',
};

export const dark: Palette = {
  ground: '#14161a',
  panel: '#1d2026',
  text: '#e8eaee',
  muted: '#a9afba',
  line: '#3a3f49',
  link: '#8cc2ff',
  alert: '#33230f',
  alertEdge: '#f0a45c',
  bar: '#5a9fdc',
  heat: ['#a04708', '#643a17', '#3a3b40', '#1f4a70', '#0d62a6'],
  heatText: '#ffffff',
};
