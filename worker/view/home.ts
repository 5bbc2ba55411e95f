/** The home page: what this is in two sentences, then the figures. */
import { headline } from '../../schema/statistics.ts';
import { groupTable } from './cells.ts';
import type { Campaign, HomeData } from './data.ts';
import { failureList } from './failure.ts';
import { counted, whole } from './format.ts';
import { funnel } from './funnel.ts';
import { heatmap } from './heatmap.ts';
import { page } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { failuresFeedPath, logPath, referencePath } from './paths.ts';

const reloadSeconds = 10;

function campaign(c: Campaign): Markup {
  const all = Math.max(c.planned, c.done);
  const counts = html`<strong>${whole(c.done)} of ${counted(all, 'trial')}</strong> done: ${whole(c.captured)} captured,
    ${whole(c.failed)} not captured, ${whole(c.inconclusive)} inconclusive.`;
  if (!c.running) return html`<p>The last campaign: ${counts}</p>`;
  return html`<section class="campaign" aria-labelledby="campaign"><h2 id="campaign">Trials are running</h2>
    <progress value="${c.done}" max="${Math.max(1, all)}" aria-labelledby="campaign">${c.done} of ${all}</progress>
    <p>${counts} This page reloads every ${reloadSeconds} seconds until they are done; the figures below are those of
    the last edition.</p></section>`;
}

function howToRead(note: string): Markup {
  return html`<section aria-labelledby="reading"><h2 id="reading">How to read these figures</h2>
    <ul class="prose">
    <li><strong>Captured</strong> means verified: the dump is of this very crash, every page that it promises is there,
      and the sampled pages hold what was planted in memory before the crash. A file of the right name counts for nothing.</li>
    <li>A machine that was armed and fell silent counts as <strong>not captured</strong>. A trial that failed through the
      survey’s own fault, or provably did not fire, is inconclusive and counts nowhere.</li>
    <li>The interval is an exact (Clopper–Pearson) 95&nbsp;% interval. It allows for chance among independent trials of
      the same configurations, not for machines that were not tried. Out of many cells, some intervals will miss.</li>
    <li>“All types” takes the trials of a driver together as they were run. Drivers with another mix of scenarios are not
      compared by it, and no order of merit follows from it.</li>
    <li><strong>What these figures are not:</strong> nothing here comes from real machines yet. A failure may be the fault
      of the driver, of the kernel, or of QEMU’s device model; its report says what is known.</li>
    </ul>
    <p class="note">${note}</p></section>`;
}

/** The page at `/`. */
export function renderHome(d: HomeData): string {
  const running = d.campaign?.running === true;
  return page({
    title: 'Dump Survey: how likely is Linux to capture its own crash?',
    description:
      'A public measurement of how likely Linux is to capture a kernel crash dump, by driver, chipset and type of crash.',
    edition: d.edition,
    ...(running ? { reloadSeconds } : {}),
    main: html`<h1>How likely is Linux to capture its own crash?</h1>
<p class="lead">Dump Survey crashes Linux kernels on purpose, in a standard set of scenarios, and then checks page by page
  whether the crash dump was really captured. The estimates show which drivers to harden next.</p>
<p class="population"><strong>Population: lab.</strong> Driver against QEMU’s device model, on named configurations.
  Nothing from real machines yet.</p>
${d.campaign === null ? null : campaign(d.campaign)}
<section aria-labelledby="heatmap"><h2 id="heatmap">Capture by driver and crash type</h2>
${heatmap(d)}</section>
<section aria-labelledby="funnel"><h2 id="funnel">Where captures are lost</h2>
${funnel(d.funnel)}</section>
<section aria-labelledby="failures"><h2 id="failures">Latest failures</h2>
${d.failures.length === 0 ? html`<p>No failures have been reported.</p>` : failureList(d.failures)}
<p class="links"><a href="${failuresFeedPath}">Subscribe to all failures (Atom)</a>. Each driver’s page has a feed of its own.</p></section>
<section aria-labelledby="chipsets"><h2 id="chipsets">Capture by chipset</h2>
${groupTable({ caption: 'Probability of a verified dump by chipset, over all drivers', group: 'chipset', head: 'chipset', cells: d.by_chipset, filters: headline })}</section>
${howToRead(d.note)}
<section aria-labelledby="data"><h2 id="data">Data for programs</h2>
<p>Everything here comes from the <a href="${referencePath}">API</a>: statistics by one to three groups as JSON or CSV, every
  report with its signed bytes, and the append-only <a href="${logPath}">log</a> that they stand in.</p></section>`,
  });
}
