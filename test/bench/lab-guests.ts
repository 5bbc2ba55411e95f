/** The guests of the lab that the benchmark runs: whole trials, and both kernels bare. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { captureCommandLine, firstCommandLine, qemuArguments } from '../../agent/lab/command-line.ts';
import { build, type LabMachineName, labMachines } from '../../agent/lab/machines.ts';
import { beaconsIn, type Observation } from '../../agent/lab/observe.ts';
import type { Lab } from '../../agent/lab/provision.ts';
import { startGuest } from '../../agent/lab/qemu.ts';
import { runTrial, type TrialOptions, type TrialRun } from '../../agent/lab/trial.ts';
import { classify } from '../../schema/classify/classify.ts';
import { findScenario } from '../../schema/scenario.ts';

/** The machine of all measurements: the one whose devices cost least. */
export const benchMachine: LabMachineName = 'virtio_blk-pc';

/** A guest or a trial that was timed, in milliseconds: by the clock, and in processor time of the emulator. */
export interface Timed<T> {
  readonly ms: number;
  readonly cpuMs: number;
  readonly result: T;
}

/** Processor time of all processes that this one has started and that have ended: `cutime` and `cstime` of proc(5), in 10 ms. */
function cpuMsOfEnded(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').pop()?.split(' ') ?? [];
  return 10 * (Number(fields[13]) + Number(fields[14]));
}

/** Runs a trial that must capture. */
export async function capturedTrial(
  lab: Lab,
  id: string,
  onDisk?: TrialOptions['onDisk'],
): Promise<Timed<TrialRun>> {
  const scenario = findScenario('standard/1', id);
  if (scenario === null) throw new Error(`standard/1 has no ${id}`);
  const [startedAt, cpuBefore] = [performance.now(), cpuMsOfEnded()];
  const result = await runTrial(lab, benchMachine, scenario, {
    now: () => performance.now(),
    beforePlanting: async () => ({ nonce: randomBytes(16).toString('hex') }),
    beforeArming: async () => {},
    ...(onDisk ? { onDisk } : {}),
  });
  const [ms, cpuMs] = [performance.now() - startedAt, cpuMsOfEnded() - cpuBefore];
  const outcome = classify(result.evidence, scenario, 'kdump');
  if (outcome.result !== 'captured') throw new Error(`${id} was not captured: ${JSON.stringify(outcome)}`);
  return { ms, cpuMs, result };
}

const bareKernels = {
  /** The first kernel, as each trial boots it. */
  first: { beacon: 'booted', memoryMib: build.memoryMib, processors: build.processors },
  /** The capture kernel's bzImage with its initramfs, in as much memory as a trial reserves for it. */
  capture: { beacon: 'capture_booted', memoryMib: build.crashKernelMib, processors: 1 },
} as const;

/** Boots one of the kernels alone, from QEMU's start to its end: the guest powers off where its user space begins. */
export async function bareBoot(lab: Lab, which: keyof typeof bareKernels): Promise<Timed<Observation[]>> {
  const machine = labMachines[benchMachine];
  const { beacon, memoryMib, processors } = bareKernels[which];
  const images = lab.images(benchMachine);
  await mkdir(join(lab.dir, 'trials'), { recursive: true });
  const dir = await mkdtemp(join(lab.dir, 'trials/'));
  const disk = join(dir, 'disk.img');
  try {
    await writeFile(disk, '');
    await truncate(disk, build.diskBytes);
    const boot =
      which === 'first'
        ? {
            kernel: lab.kernel.vmlinux,
            initrd: images.first,
            commandLine: firstCommandLine(machine, { mode: 'bare' }),
          }
        : {
            kernel: lab.kernel.bzImage,
            initrd: images.capture,
            commandLine: `${captureCommandLine()} ds.disk=${machine.disk} ds.mode=bare`,
          };
    const result: Observation[] = [];
    const see = (channel: Observation['channel']) => (text: string, atMs: number) =>
      result.push({ channel, text, atMs });
    const [startedAt, cpuBefore] = [performance.now(), cpuMsOfEnded()];
    const args = qemuArguments(machine, { ...boot, memoryMib, processors, disk, iops: null });
    const event = see('event');
    const guest = startGuest(
      args,
      { onConsole: see('console'), onBeacon: see('beacon'), onEvent: (name, _, atMs) => event(name, atMs) },
      () => performance.now(),
    );
    const { code, said } = await guest.exited;
    const [ms, cpuMs] = [performance.now() - startedAt, cpuMsOfEnded() - cpuBefore];
    if (code !== 0 || !beaconsIn(result).some(({ word }) => word === beacon)) {
      throw new Error(`the ${which} kernel did not boot bare (${code}): ${said}`);
    }
    return { ms, cpuMs, result };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
