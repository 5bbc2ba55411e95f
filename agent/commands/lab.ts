import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { classify } from '../../schema/classify/classify.ts';
import { emulationNote } from '../../schema/emulation.ts';
import {
  findScenario,
  type ScenarioSet,
  scenarioId,
  scenarioSetNames,
  scenarioSets,
  type TriggeredBy,
  triggersOf,
} from '../../schema/scenario.ts';
import { type Command, jsonOption, type OptionValues, surveyOptions, text } from '../command.ts';
import { lockCampaign, openCampaign, openItems, runCampaign } from '../lab/campaign.ts';
import { confine } from '../lab/confine.ts';
import { trialKernels } from '../lab/flavors.ts';
import { preflight, thisHost } from '../lab/host.ts';
import { type LabMachineName, labMachines } from '../lab/machines.ts';
import { campaignPlan, machineNamed, unmet } from '../lab/plan.ts';
import { type Lab, provision } from '../lab/provision.ts';
import { runTrial } from '../lab/trial.ts';
import { unpackedPrograms } from '../lab/unpack.ts';
import type { Survey } from '../link/survey-api.ts';
import { dataDir } from '../paths.ts';
import { describeControl, describeOutcome, describeTrial } from './describe.ts';
import { surveyLink } from './survey-api.ts';

function list(json: boolean): void {
  if (json) {
    const ids = scenarioSetNames.map((set) => [set, scenarioSets[set].map(scenarioId)] as const);
    console.log(JSON.stringify({ machines: Object.keys(labMachines), scenarios: Object.fromEntries(ids) }));
    return;
  }
  console.log('Machines:');
  for (const name of Object.keys(labMachines)) console.log(`  ${name}`);
  for (const set of scenarioSetNames) {
    console.log(`Scenarios of ${set}:`);
    for (const scenario of scenarioSets[set]) {
      const others = triggersOf(scenario).filter((trigger) => trigger !== 'crashpoint');
      console.log(`  ${scenarioId(scenario)}${others.length > 0 ? `  (also by ${others.join(', ')})` : ''}`);
    }
  }
}

/** LKDTM has to be built from the kernel's sources first: `npm run matrix` does that. */
const triggerNames: readonly TriggeredBy[] = ['crashpoint', 'sysrq'];

/** The set that lists a scenario: the named one, else the first that has it. */
function setOf(scenario: string, named: string | null): ScenarioSet | null {
  const sets = scenarioSetNames.filter((set) => named === null || set === named);
  return sets.find((set) => findScenario(set, scenario) !== null) ?? null;
}

interface OneTrial {
  readonly machine: LabMachineName;
  readonly set: ScenarioSet;
  readonly id: string;
  readonly triggeredBy: TriggeredBy;
  readonly control: boolean;
  readonly json: boolean;
}

/** Runs one trial for whoever sits at the terminal. Nothing is signed, nothing is sent. */
async function runOne(
  ready: Lab,
  { machine, set, id, triggeredBy, control, json }: OneTrial,
): Promise<number> {
  const scenario = findScenario(set, id);
  if (scenario === null) return 2;
  const nonce = randomBytes(16).toString('hex');
  const { evidence, observations } = await runTrial(ready, machine, scenario, {
    now: () => performance.now(),
    triggeredBy,
    beforePlanting: async () => ({ nonce, control }),
    beforeArming: async () => {},
    onObservation: ({ channel, text: line, atMs }) => {
      const shown =
        channel === 'console' || (channel === 'beacon' && !/^ds (file|link|build-id|listing) /.test(line));
      if (!json && shown) console.log(`${(atMs / 1000).toFixed(2).padStart(7)}  ${line}`);
    },
  });
  const outcome = classify(evidence, scenario, 'kdump');
  if (json)
    console.log(JSON.stringify({ machine, set, scenario: id, control, evidence, outcome, observations }));
  else {
    console.log(`\n${machine} ${id}: ${control ? describeControl(outcome) : describeOutcome(outcome)}`);
    if (evidence.survived !== null) console.log(`The system went on: ${evidence.survived}`);
    if (outcome.result === 'failed' && !control)
      console.log(emulationNote('lab', labMachines[machine].driver));
  }
  return outcome.result === 'inconclusive' || (control && outcome.result === 'captured') ? 1 : 0;
}

/** Says what a run would do to this machine. Throws Advice where it could not. */
async function foretell(
  { kernel, what }: { readonly kernel: string; readonly what: string | null },
  values: OptionValues,
): Promise<void> {
  const host = preflight(thisHost());
  if ('advice' in host) throw host.advice;
  const dir = join(dataDir(), 'lab');
  const unpack = (await unpackedPrograms(dir)) === null ? [`programs and the kernel ${kernel}`] : [];
  if (values.json) {
    console.log(JSON.stringify({ install: host.install, unpack, into: dir, kernel, run: what }));
    return;
  }
  console.log(`Install: ${host.install.join(', ') || 'nothing'}`);
  console.log(`Unpack into ${dir}: ${unpack.join(', ') || 'nothing'}`);
  console.log(`Run in guests: ${what ?? 'nothing'}`);
}

/** Runs what is open of the data directory's campaign; a first call plans it. */
async function runAll(ready: Lab, survey: Survey, most: number, json: boolean): Promise<number> {
  const say = (line: string, facts: object) => console.log(json ? JSON.stringify(facts) : line);
  const data = dataDir();
  const campaign = await openCampaign(data, campaignPlan(most));
  if (campaign === null) throw new Error('the campaign has no plan');
  const planned = campaign.items.length;
  const left = openItems(campaign).length;
  let done = planned - left;
  say(`Campaign: ${left} of ${planned} trials to run, two at a time.`, { planned, left });
  const release = await lockCampaign(data);
  const { givenUp } = await runCampaign({
    lab: ready,
    survey,
    data,
    campaign,
    concurrency: 2,
    onTrial: (trial) => {
      if (!trial.control) done++;
      const { item, report, control } = trial;
      say(describeTrial(trial, done, planned), { ...item, control, outcome: report.outcome, done, planned });
    },
    onTrouble: ({ machine, scenario }, what) =>
      say(`        ${machine} ${scenario}: ${what}`, { machine, scenario, trouble: what }),
  }).finally(release);
  say(
    givenUp === 0 ? 'The campaign is complete.' : `${givenUp} trials could not be run; start again to retry.`,
    { given_up: givenUp },
  );
  return givenUp === 0 ? 0 : 1;
}

export const lab: Command = {
  description:
    'Runs real kernels with real drivers on emulated hardware, crashes them, and looks into the dumps. The first\nrun provisions the lab: it installs QEMU and a compiler and unpacks a kernel into the data directory.\nThis machine itself is never crashed: the lab runs without CAP_SYS_MODULE and CAP_SYS_BOOT.\nWith --machine and --scenario it runs one trial and sends nothing; with --campaign it runs the standing\ncampaign and reports to the survey.',
  options: {
    list: { type: 'boolean', help: 'lists machines and scenarios' },
    machine: { type: 'string', value: 'NAME', help: 'the machine of a single trial' },
    scenario: { type: 'string', value: 'ID', help: 'its scenario: crash_point/crash_type/load/mitigation' },
    set: { type: 'string', value: 'SET', help: 'the scenario set, where more than one has it' },
    kernel: { type: 'string', value: 'NAME', help: `the kernel: ${trialKernels.join(', ')} (6.1)` },
    trigger: {
      type: 'string',
      value: 'NAME',
      help: 'crashpoint (our module), or sysrq, without it (crashpoint)',
    },
    control: {
      type: 'boolean',
      help: 'a control trial: the capture kernel is not loaded, and nothing may be found on the dump disk',
    },
    campaign: { type: 'boolean', help: 'runs the campaign, or what is left of it' },
    trials: { type: 'string', value: 'N', help: 'plans a new campaign of only N trials' },
    'dry-run': { type: 'boolean', help: 'prints what would be installed and run, and does nothing' },
    provision: { type: 'boolean', help: 'only makes the lab ready' },
    ...surveyOptions,
    ...jsonOption,
  },
  examples: [
    'dumpsurvey lab --list',
    'dumpsurvey lab --machine am53c974-pc --scenario timer/exception/disk/none',
    'dumpsurvey lab --machine virtio_blk-pc --scenario direct/panic/idle/none --control',
    'dumpsurvey lab --campaign --url http://127.0.0.1:8787',
  ],
  run: async (values) => {
    if (values.list) {
      list(values.json === true);
      return 0;
    }
    const machineText = text(values, 'machine');
    const scenario = text(values, 'scenario');
    const single = machineText !== null && scenario !== null;
    if (!single && !values.campaign && !values.provision) {
      console.error('Say what to run: --machine and --scenario, or --campaign. See dumpsurvey lab --help.');
      return 2;
    }
    const machine = machineText === null ? null : machineNamed(machineText);
    const set = scenario === null ? null : setOf(scenario, text(values, 'set'));
    if (values.control && !single) {
      console.error(
        '--control goes with --machine and --scenario; in a campaign the survey draws the controls.',
      );
      return 2;
    }
    const impossible =
      single &&
      (!machine
        ? `there is no machine ${machineText}`
        : !set
          ? `there is no scenario ${scenario}`
          : unmet(machine, set, scenario));
    const kernel = trialKernels.find((name) => name === (text(values, 'kernel') ?? '6.1'));
    const trigger = triggerNames.find((name) => name === (text(values, 'trigger') ?? 'crashpoint'));
    const wanted = set && scenario ? findScenario(set, scenario) : null;
    if (!kernel || !trigger || (wanted && !triggersOf(wanted).includes(trigger))) {
      const can = wanted ? triggersOf(wanted).filter((name) => triggerNames.includes(name)) : triggerNames;
      console.error(`--kernel takes ${trialKernels.join(', ')}; --trigger takes ${can.join(', ')} here.`);
      return 2;
    }
    const most = Number(text(values, 'trials') ?? Number.POSITIVE_INFINITY);
    if (impossible || Number.isNaN(most) || most < 1) {
      console.error(`${impossible || '--trials takes a number above 0'}. See dumpsurvey lab --list.`);
      return 2;
    }
    if (values['dry-run']) {
      await foretell(
        { kernel, what: single ? `${machineText} ${scenario}` : values.campaign ? 'the campaign' : null },
        values,
      );
      return 0;
    }
    confine();
    const startedAt = performance.now();
    const ready = await provision(
      join(dataDir(), 'lab'),
      (step) => {
        const line = `[${((performance.now() - startedAt) / 1000).toFixed(0).padStart(3)} s] ${step}`;
        if (values.json) console.error(line);
        else console.log(line);
      },
      kernel,
    );
    if (machine && !ready.machines.includes(machine)) {
      console.error(`Linux ${ready.kernel.release} lacks drivers of ${machineText}.`);
      return 2;
    }
    if (machine && set && scenario) {
      const [control, json] = [values.control === true, values.json === true];
      return runOne(ready, { machine, set, id: scenario, triggeredBy: trigger, control, json });
    }
    return values.campaign ? runAll(ready, surveyLink(values, 90_000).survey, most, values.json === true) : 0;
  },
};
