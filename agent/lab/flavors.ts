/**
 * The kernels that the lab runs: Debian 12's own, by series and flavor. `rt` is PREEMPT_RT, `cloud` a kernel with
 * few drivers.
 */

export interface Flavor {
  /** As in the name of the package of its sources, `linux-source-6.12`. */
  readonly series: '6.1' | '6.12';
  /** Debian's package that depends on the newest image of this series and flavor. */
  readonly metapackage: string;
  /** Why the lab runs no trial on it, though modules are built for it; left out where it does. */
  readonly noTrials?: string;
}

/** The kernels by name. */
export const flavors = {
  '6.1': { series: '6.1', metapackage: 'linux-image-amd64' },
  '6.12': { series: '6.12', metapackage: 'linux-image-6.12-amd64' },
  '6.1-rt': { series: '6.1', metapackage: 'linux-image-rt-amd64' },
  '6.12-rt': { series: '6.12', metapackage: 'linux-image-6.12-rt-amd64' },
  '6.1-cloud': {
    series: '6.1',
    metapackage: 'linux-image-cloud-amd64',
    noTrials: "it has no driver of the lab's watchdog, i6300esb",
  },
  '6.12-cloud': { series: '6.12', metapackage: 'linux-image-6.12-cloud-amd64' },
} as const satisfies Record<string, Flavor>;
export type KernelName = keyof typeof flavors;

export const kernelNames = Object.keys(flavors) as KernelName[];
/** The kernels that the lab runs trials on. */
export const trialKernels = kernelNames.filter((name) => !('noTrials' in flavors[name]));
