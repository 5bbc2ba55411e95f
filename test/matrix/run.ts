/**
 * `npm run matrix`: every crash point with every crash type, on real kernels in the lab, against what the catalogue
 * claims of them. Exits with 1 where something is not as claimed. Takes more than an hour; `npm test` runs a sample.
 *
 *   --kernel NAME   one kernel: 6.1, 6.12, 6.1-rt, … (6.1 and 6.12); may be given several times
 *   --part NAME     pairs, axes, set-ups, fallbacks, builds, dkms, cycles, fuzz (all but axes); several times
 *   --point NAME    only this crash point
 *   --type NAME     only this crash type
 *   --resume        keeps what the last run found, and runs what is missing or was not as claimed
 *   --json          prints the findings as JSON, and progress to standard error
 *   --write         writes docs/matrix.md
 */
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type KernelName, kernelNames } from '../../agent/lab/flavors.ts';
import { type Lab, provision } from '../../agent/lab/provision.ts';
import { dataDir, packageDir } from '../../agent/paths.ts';
import { describeHost } from '../bench/host.ts';
import { runMain } from '../main.ts';
import { stamped } from '../progress.ts';
import type { Finding } from './judge.ts';
import { type Part, type PartFindings, parts } from './parts.ts';
import { kernelReport } from './report.ts';
import { detectionRows, fallbackRows, isOnAxis, pairs, type Row, rowId } from './rows.ts';
import { runRow } from './run-row.ts';

const rowParts = {
  axes: (kernel: KernelName) => pairs(kernel).filter(isOnAxis),
  pairs,
  'set-ups': detectionRows,
  fallbacks: fallbackRows,
} as const satisfies Record<string, (kernel: KernelName) => Row[]>;

/** What earlier runs found, the latest of each row. */
async function readFindings(path: string): Promise<Map<string, Finding>> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const findings = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Finding);
  return new Map(findings.map((finding) => [finding.id, finding]));
}

const partNames = Object.keys(parts) as Part[];

async function readParts(path: string): Promise<Partial<Record<Part, PartFindings>>> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  return JSON.parse(text) as Partial<Record<Part, PartFindings>>;
}

/** Runs rows two at a time; each finding is on disk before the next row begins. */
async function runRows(
  lab: Lab,
  rows: readonly Row[],
  path: string,
  say: (line: string) => void,
): Promise<void> {
  const queue = [...rows];
  const startedAt = performance.now();
  let done = 0;
  const worker = async () => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      const finding = await runRow(lab, row);
      await appendFile(path, `${JSON.stringify(finding)}\n`);
      done++;
      const leftS = (((performance.now() - startedAt) / done) * (rows.length - done)) / 1000;
      const left = done === rows.length ? '' : `, about ${Math.ceil(leftS / 60)} min left`;
      const faults = finding.faults.length === 0 ? '' : `: ${finding.faults.join('; ')}`;
      say(`${done} of ${rows.length}${left}: ${finding.id}: ${finding.outcome}${faults}`);
    }
  };
  await Promise.all([worker(), worker()]);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kernel: { type: 'string', multiple: true, default: ['6.1', '6.12'] },
      part: {
        type: 'string',
        multiple: true,
        default: ['pairs', 'set-ups', 'fallbacks', ...Object.keys(parts)],
      },
      point: { type: 'string' },
      type: { type: 'string' },
      resume: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const kernels = kernelNames.filter((name) => values.kernel.includes(name));
  const known: readonly string[] = [...Object.keys(rowParts), ...Object.keys(parts)];
  if (kernels.length < values.kernel.length || values.part.some((name) => !known.includes(name))) {
    console.error(`--kernel takes ${kernelNames.join(', ')}; --part takes ${known.join(', ')}.`);
    return 2;
  }
  const say = stamped(values.json);
  const path = join(dataDir(), 'matrix.jsonl');
  await mkdir(dataDir(), { recursive: true });
  if (!values.resume) await rm(path, { force: true });
  const wanted = (row: Row) =>
    (values.point === undefined || row.scenario.crash_point === values.point) &&
    (values.type === undefined || row.scenario.crash_type === values.type);
  const labDir = join(dataDir(), 'lab');
  const chosen = new Set<string>();
  for (const kernel of kernels) {
    const before = await readFindings(path);
    const names = (Object.keys(rowParts) as (keyof typeof rowParts)[]).filter((n) => values.part.includes(n));
    const rows = names.flatMap((name) => rowParts[name](kernel)).filter(wanted);
    for (const row of rows) chosen.add(rowId(row));
    const open = rows.filter((row) => (before.get(rowId(row))?.faults.length ?? 1) > 0);
    if (open.length > 0) await runRows(await provision(labDir, say, kernel), open, path, say);
  }
  const partsPath = join(dataDir(), 'matrix-parts.json');
  const kept = values.resume ? await readParts(partsPath) : {};
  for (const name of partNames.filter((part) => values.part.includes(part))) {
    kept[name] = await parts[name]({ labDir, kernels, say: (line) => say(`${name}: ${line}`) });
    await writeFile(partsPath, JSON.stringify(kept));
  }
  const others = partNames.flatMap((name) => kept[name] ?? []);

  const findings = [...(await readFindings(path)).values()].filter(
    ({ id }) => values.resume || chosen.has(id),
  );
  const reports = [
    ...kernelNames
      .filter((k) => findings.some(({ row }) => row.kernel === k))
      .map((k) => kernelReport(k, findings)),
    ...others.map(({ title, text }) => `## ${title}\n\n${text}`),
  ];
  if (values.json) console.log(JSON.stringify({ findings, parts: others }));
  else console.log(`\n${reports.join('\n\n')}`);
  if (values.write) await writeFile(join(packageDir, 'docs/matrix.md'), await page(reports));
  const faulty = findings.filter((f) => chosen.has(f.id) && f.faults.length > 0).length;
  say(`${chosen.size} rows, ${faulty} not as the catalogue claims`);
  return faulty > 0 || others.some(({ passed }) => !passed) ? 1 : 0;
}

async function page(reports: readonly string[]): Promise<string> {
  const date = new Date().toISOString().slice(0, 10);
  const host = (await describeHost()).map((line) => `- ${line}`).join('\n');
  return `# The matrix\n\nWhat \`npm run matrix -- --write\` last found, on ${date}. Every row is a real crash of a real kernel on an emulated machine.\n\n${host}\n\n${reports.join('\n\n')}\n`;
}

await runMain(main);
