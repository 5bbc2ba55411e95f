/** One driver as dump target: for its maintainers. */

import type { DriverAnswer } from '../../schema/answer/driver.ts';
import { crashPoints } from '../../schema/crash-point.ts';
import { crashTypes } from '../../schema/crash-type.ts';
import { headline } from '../../schema/statistics.ts';
import { estimateSentence, groupTable } from './cells.ts';
import { countsAgainstDriver, failureArticles } from './failure.ts';
import { funnel } from './funnel.ts';
import { page } from './layout.ts';
import { html } from './markup.ts';
import { driverApiPath, driverFeedPath } from './paths.ts';

function whatOfType(name: string): string | null {
  return Object.hasOwn(crashTypes, name) ? crashTypes[name as keyof typeof crashTypes].what : null;
}

function whereOfPoint(name: string): string | null {
  return Object.hasOwn(crashPoints, name) ? crashPoints[name as keyof typeof crashPoints].where : null;
}

/** The page at `/drivers/<driver>`. */
export function renderDriver(d: DriverAnswer): string {
  const against = d.failures.filter(countsAgainstDriver);
  const beside = d.failures.filter((failure) => !countsAgainstDriver(failure));
  const filters = { driver: d.driver, role: 'dump_target', ...headline };
  const feed = { title: `Failures of ${d.driver}`, path: driverFeedPath(d.driver) };
  return page({
    title: `${d.driver}: crash dump capture · Dump Survey`,
    description: `How likely Linux is to capture a crash dump through the driver ${d.driver}, and where it fails.`,
    edition: d.edition,
    feed,
    json: driverApiPath(d.driver),
    main: html`<h1><span class="kind">Driver</span> <span class="term">${d.driver}</span></h1>
<p class="lead">${estimateSentence(d.total)}</p>
<p class="population"><strong>Population: lab.</strong> The dump is written through this driver, against QEMU’s device
  model, on named configurations. Nothing from real machines yet.</p>
<p class="links"><a href="${feed.path}">Feed of this driver’s failures (Atom)</a>, <a href="${driverApiPath(d.driver)}">this page as JSON</a></p>
<section aria-labelledby="failures"><h2 id="failures">Failures of the driver, the kernel, or of unknown cause</h2>
${against.length === 0 ? html`<p>None reported.</p>` : failureArticles(against)}</section>
${
  beside.length === 0
    ? null
    : html`<section aria-labelledby="beside"><h2 id="beside">Failures charged elsewhere</h2>
<p>Detection, the capture environment, resources: these are failures of the trial, but not of this driver.</p>
${failureArticles(beside)}</section>`
}
<section aria-labelledby="types"><h2 id="types">By crash type</h2>
${groupTable({ caption: `${d.driver}: probability of a verified dump by crash type`, group: 'crash_type', head: 'crash type', cells: d.by_crash_type, explain: whatOfType, filters })}</section>
<section aria-labelledby="points"><h2 id="points">By crash point</h2>
${groupTable({ caption: `${d.driver}: probability of a verified dump by crash point`, group: 'crash_point', head: 'crash point', cells: d.by_crash_point, explain: whereOfPoint, filters })}</section>
<section aria-labelledby="chipsets"><h2 id="chipsets">By chipset</h2>
${groupTable({ caption: `${d.driver}: probability of a verified dump by chipset`, group: 'chipset', head: 'chipset', cells: d.by_chipset, filters })}</section>
<section aria-labelledby="funnel"><h2 id="funnel">Where captures are lost</h2>
${funnel(d.funnel)}</section>
<p class="note">${d.note}</p>`,
  });
}
