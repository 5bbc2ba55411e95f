/** The parts of the matrix that are no crashes: how the module builds, comes and goes, and takes nonsense. */
import { type KernelName, kernelNames } from '../../agent/lab/flavors.ts';
import { ensureHost } from '../../agent/lab/host.ts';
import { buildForFlavor } from '../../agent/lab/kbuild.ts';
import { provision } from '../../agent/lab/provision.ts';
import { cycleFaults, cycleModule, growth } from '../lab/module-cycles.ts';
import { fuzzFaults, fuzzModule } from '../lab/module-fuzz.ts';
import { buildWithDkms } from './dkms.ts';
import { table } from './report.ts';

export interface PartOptions {
  readonly labDir: string;
  readonly kernels: readonly KernelName[];
  readonly say: (line: string) => void;
}

export interface PartFindings {
  readonly title: string;
  readonly text: string;
  readonly passed: boolean;
}

/** The module against the headers of every flavor, with W=1 and sparse. */
async function builds({ labDir, say }: PartOptions): Promise<PartFindings> {
  await ensureHost(say, ['sparse']);
  const rows: string[][] = [];
  let passed = true;
  for (const name of kernelNames) {
    const { release, sparse, warnings } = await buildForFlavor(labDir, name, say);
    passed &&= warnings.length === 0 && sparse;
    rows.push([release, sparse ? 'yes' : 'no', warnings.length === 0 ? 'none' : warnings.join(' ')]);
  }
  return {
    title: 'Builds, every flavor',
    text: table(['Linux', 'sparse looked at it', 'warnings (W=1, sparse)'], rows),
    passed,
  };
}

/** The module as DKMS builds it. */
async function dkms({ labDir, kernels, say }: PartOptions): Promise<PartFindings> {
  const rows: string[][] = [];
  for (const name of kernels) {
    const { release, status } = await buildWithDkms(labDir, name, say);
    rows.push([release, status]);
  }
  return {
    title: 'DKMS',
    text: table(['Linux', 'dkms status'], rows),
    passed: rows.every(([, status]) => status?.endsWith('built')),
  };
}

const cycleCount = 1000;

/** Load, plant, arm, disarm, unload, over all points under traffic, with slub_debug=FZPU: Debian has no KASAN kernel. */
async function cycles({ labDir, kernels, say }: PartOptions): Promise<PartFindings> {
  const rows: string[][] = [];
  let passed = true;
  for (const name of kernels) {
    const lab = await provision(labDir, say, name);
    say(`${cycleCount} cycles on Linux ${lab.kernel.release}`);
    const report = await cycleModule(lab, cycleCount);
    const faults = cycleFaults(report);
    passed &&= faults.length === 0;
    const { Slab = 0, VmallocUsed = 0, Percpu = 0, MemFree = 0 } = growth(report);
    const kib = [MemFree, Slab, VmallocUsed, Percpu].map(String);
    rows.push([lab.kernel.release, String(report.cycles), ...kib, faults.join('; ') || 'nothing']);
  }
  const head = ['Linux', 'cycles', 'less free KiB', 'slab KiB', 'vmalloc KiB', 'per-CPU KiB', 'wrong'];
  return {
    title: 'Load, arm, disarm, unload',
    text: `Debian has no kernel with KASAN: these ran with \`slub_debug=FZPU\`. Memory is compared between cycle 50 and the end.\n\n${table(head, rows)}`,
    passed,
  };
}

const inputCount = 5000;

/** Nonsense for the control file. */
async function fuzz({ labDir, kernels, say }: PartOptions): Promise<PartFindings> {
  const rows: string[][] = [];
  let passed = true;
  for (const name of kernels) {
    const lab = await provision(labDir, say, name);
    say(`${inputCount} inputs on Linux ${lab.kernel.release}`);
    const report = await fuzzModule(lab, inputCount, 1);
    const faults = fuzzFaults(report);
    passed &&= faults.length === 0;
    const refused = String(report.fed.filter(({ failed }) => failed).length + report.storm.failed);
    const { armed, reads } = report.storm;
    const counts = [report.inputs, refused, report.refusals, armed, reads].map(String);
    rows.push([lab.kernel.release, ...counts, faults.join('; ') || 'nothing']);
  }
  const head = [
    'Linux',
    'inputs',
    'writes that failed',
    'refusals in the log',
    'armed meanwhile',
    'read meanwhile',
    'wrong',
  ];
  return { title: 'Nonsense for the control file', text: table(head, rows), passed };
}

export const parts = { builds, dkms, cycles, fuzz } as const satisfies Record<
  string,
  (o: PartOptions) => Promise<PartFindings>
>;
export type Part = keyof typeof parts;
