/** What a decision would do to this machine, step by step, for whoever asks before. Reads only. */
import { sysctlsOf } from '../../schema/crash-type.ts';
import { armCommand } from './module.ts';
import type { Next } from './next.ts';
import type { Site } from './prepare.ts';
import { mountsIn, quiescePlan } from './quiesce.ts';
import { readSysctl, sysctlPath } from './sysctls.ts';
import type { System } from './system.ts';
import { proofTimeoutMs, timeoutForTrialMs, watchdogsOf } from './watchdog.ts';

/** The steps of a decision, in order; none where it does nothing to the machine. */
export function stepsOf(n: Next, system: Pick<System, 'tree'>, site: Site): string[] {
  const { tree } = system;
  const mounts = quiescePlan(mountsIn(tree.read('/proc/self/mountinfo') ?? ''), site.needed);
  const quiet = [
    'synchronize all file systems',
    ...mounts.map(({ path }) => `make ${path} read-only, or freeze it, until the crash`),
  ];
  const [dog] = watchdogsOf(tree);
  if (n.do === 'prove-watchdog')
    return [
      ...quiet,
      `start ${dog?.name} (${dog?.identity}) with ${proofTimeoutMs / 1000} s, and leave it alone`,
    ];
  if (n.do !== 'trial') return [];
  const { scenario } = n;
  const sysctls = Object.entries(sysctlsOf(scenario.crash_type, scenario.set_up)).map(
    ([name, value]) => `write ${value} to ${sysctlPath(name)} (it is ${readSysctl({ tree }, name)})`,
  );
  const device =
    scenario.load === 'disk' && site.disk !== null ? tree.read(`/sys/block/${site.disk}/dev`) : null;
  const command = armCommand({
    nonce: '0'.repeat(32),
    point: scenario.crash_point,
    type: scenario.crash_type,
    device,
    inFlight: scenario.in_flight_min,
    timeoutMs: 0,
  });
  const load =
    scenario.load === 'disk'
      ? `write to files in ${site.scratch}, with at least ${scenario.in_flight_min} requests in flight on ${site.disk}`
      : `put the load ${scenario.load} on it`;
  return [
    'ask the survey for a ticket',
    ...sysctls,
    ...((readSysctl({ tree }, 'panic') ?? 0) === 0 ? [`write 10 to ${sysctlPath('panic')}`] : []),
    'load the module crashpoint and plant its records',
    ...quiet,
    ...(scenario.load === 'idle' ? [] : [load]),
    'say to the survey that the machine is about to be armed, and write that to the journal',
    ...(dog
      ? [
          `start ${dog.name} (${dog.identity}) with ${timeoutForTrialMs([]) / 1000} s or less, and leave it alone`,
        ]
      : []),
    `CRASH: ${command}`,
    'after the reboot: look at the dump, report, remove it',
  ];
}
