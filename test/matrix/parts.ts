/** The parts of the matrix that are no crashes: how the module builds. */
import { type KernelName, kernelNames } from '../../agent/lab/flavors.ts';
import { ensureHost } from '../../agent/lab/host.ts';
import { buildForFlavor } from '../../agent/lab/kbuild.ts';
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

export const parts = { builds, dkms } as const satisfies Record<
  string,
  (o: PartOptions) => Promise<PartFindings>
>;
export type Part = keyof typeof parts;
