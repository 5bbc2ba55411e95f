/** The funnel: how many trials are proven to have reached each stage. Counts of these trials, not estimates. */

import type { FunnelCounts } from '../../schema/answer/driver.ts';
import { mechanisms, type Stage, stages } from '../../schema/vocabulary.ts';
import { whole } from './format.ts';
import { html, type Markup } from './markup.ts';
import { scrollRegion } from './scroll.ts';

interface FunnelRow {
  readonly stage: Stage;
  /** Trials proven to have reached this stage or a later one. */
  readonly reached: number;
  /** Trials of which nothing after this stage is proven. */
  readonly ended: number;
}

/** All trials of the funnel, and its rows in the mechanism's order of stages. A stage it does not have proves nothing. */
export function funnelRows(f: FunnelCounts): {
  readonly trials: number;
  readonly rows: readonly FunnelRow[];
} {
  const order: readonly Stage[] = mechanisms[f.mechanism].stages;
  const endedAt = (stage: Stage) =>
    f.ended.reduce((sum, count) => sum + (count.stage === stage ? count.trials : 0), 0);
  const rows = order.map((stage, at) => ({
    stage,
    reached: order.slice(at).reduce((sum, later) => sum + endedAt(later), 0),
    ended: endedAt(stage),
  }));
  return { trials: f.ended.reduce((sum, count) => sum + count.trials, 0), rows };
}

/** The numbers beside it say the same: the bar is hidden from screen readers. */
function bar(part: number, all: number): Markup {
  const width = all === 0 ? 0 : Math.round((part / all) * 1000) / 10;
  return html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="bar-all" width="100" height="10"/><rect class="bar-part" width="${width}" height="10"/></svg>`;
}

/** The funnel as a table with bars. */
export function funnel(f: FunnelCounts): Markup {
  const { trials, rows } = funnelRows(f);
  if (trials === 0) return html`<p>No trials yet.</p>`;
  const written = rows.at(-1)?.ended ?? 0;
  const line = (name: string, what: string, reached: number, ended: number | null) =>
    html`<tr><th scope="row"><span class="term">${name}</span> <span class="note">${what}</span></th>
      <td class="bars">${whole(reached)} of ${whole(trials)} ${bar(reached, trials)}</td>
      <td class="number">${ended === null ? '–' : whole(ended)}</td></tr>`;
  return scrollRegion(
    `Funnel of ${f.mechanism}`,
    html`<table class="funnel"><caption>Stages of ${f.mechanism}, and how many trials are proven to have reached each.
      These are counts of the trials that ran. A stage that nobody could observe counts as not proven.</caption>
      <thead><tr><th scope="col">stage</th><th scope="col">proven</th><th scope="col" class="number">nothing later proven</th></tr></thead>
      <tbody>${rows.map(({ stage, reached, ended }, at) =>
        line(
          stage,
          stages[stage],
          reached,
          at === rows.length - 1 ? Math.max(0, written - f.captured) : ended,
        ),
      )}${line('verified', 'the dump is readable, complete and accurate', f.captured, null)}</tbody></table>`,
  );
}
