/**
 * Sample machines and what they say, signed as the agent signs (tweetnacl). Made up: nothing here was measured.
 * Used by every suite that needs valid requests, and by suites that spoil one thing of a valid request.
 */
import { createHash } from 'node:crypto';
import nacl from 'tweetnacl';
import { fromBase64, fromHex, toBase64, toHex, utf8 } from '../../schema/bytes.ts';
import { classify } from '../../schema/classify/classify.ts';
import {
  type Envelope,
  hashInput,
  leadingZeroBits,
  ownerStatement,
  type PayloadKind,
  payloadType,
  powBits,
  preAuthEncoding,
  rotationStatement,
  workInput,
} from '../../schema/envelope.ts';
import type { DumpFinding, WatchedEvidence } from '../../schema/evidence.ts';
import { kernelOptions } from '../../schema/kernel-options.ts';
import type { Profile, ProfileOf } from '../../schema/profile.ts';
import { type Scenario, scenarioId } from '../../schema/scenario.ts';
import { type KeyRole, namesOf } from '../../schema/vocabulary.ts';
import type {
  ReportBody as AnyReport,
  TicketsBody as AnyTickets,
  ArmedBody,
  DecisionBody,
  EnrolBody,
  InviteBody,
  RevokeBody,
  RotateBody,
  Ticket,
  WithdrawBody,
} from '../../schema/wire.ts';

type ReportBody = Extract<AnyReport, { version: '1.0' }>;
type TicketsBody = Extract<AnyTickets, { version: '1.0' }>;

export interface KeyPair {
  readonly publicHex: string;
  readonly secretKey: Uint8Array;
}

/** A key pair that follows from a name, so that a failing test can be repeated. */
export function keyPair(name: string): KeyPair {
  const seed = createHash('sha256').update(`dumpsurvey sample ${name}`).digest();
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(seed));
  return { publicHex: toHex(publicKey), secretKey };
}

/** An envelope over any bytes. */
export function sealBytes(kind: PayloadKind, payload: Uint8Array, key: KeyPair): Envelope {
  const type = payloadType(kind);
  const sig = nacl.sign.detached(preAuthEncoding(type, payload), key.secretKey);
  return {
    payload: toBase64(payload),
    payloadType: type,
    signatures: [{ keyid: key.publicHex, sig: toBase64(sig) }],
  };
}

/** An envelope over the JSON text of a value. */
export function seal(kind: PayloadKind, body: unknown, key: KeyPair): Envelope {
  return sealBytes(kind, utf8(JSON.stringify(body)), key);
}

/** The first counter that is work enough for a key. */
export function work(publicHex: string): number {
  const untilCounter = createHash('sha256').update(workInput(fromHex(publicHex), 0).subarray(0, -1));
  for (let counter = 0; ; counter++) {
    if (leadingZeroBits(untilCounter.copy().update(String(counter)).digest()) >= powBits) return counter;
  }
}

const nothing = {
  vendor: null,
  device: null,
  subsystem_vendor: null,
  subsystem_device: null,
  class: null,
  revision: null,
  build_id: null,
} as const;

type FirstProfile = ProfileOf<'1.0'>;

/** A profile of a small emulated machine whose dump target has a driver of this name. */
export function sampleProfile(driver = 'virtio_blk', changes: Partial<FirstProfile> = {}): FirstProfile {
  return {
    version: '1.0',
    population: 'lab',
    lab_machine: `q35-${driver}`,
    kernel: { release: '6.1.0-41-amd64', series: '6.1', preemption: 'voluntary' },
    chipset: 'Q35',
    firmware: 'none',
    cpu: { vendor: 'AuthenticAMD', family: 15, model: 107, count: 2 },
    memory_mib: 512,
    iommu: false,
    crash_kernel_mib: 128,
    tools: { kexec: '2.0.25', makedumpfile: '1.7.2' },
    devices: [
      { ...nothing, bus: 'virtio', address: 'virtio0', driver },
      {
        ...nothing,
        bus: 'pci',
        address: '0000:00:02.0',
        driver: 'e1000',
        vendor: '0x8086',
        device: '0x100e',
      },
      { ...nothing, bus: 'pci', address: '0000:00:00.0', driver: null },
    ],
    dump_target: ['virtio0'],
    ...changes,
  };
}

/** The same machine, as a profile of 1.1 says it. */
export function wholeProfile(driver = 'virtio_blk'): ProfileOf<'1.1'> {
  const { kernel, ...first } = sampleProfile(driver);
  const options = Object.fromEntries(namesOf(kernelOptions).map((name) => [name, 'y'] as const));
  return {
    ...first,
    version: '1.1',
    kernel: { ...kernel, lockdown: 'none', options: options as ProfileOf<'1.1'>['kernel']['options'] },
    distribution: { id: 'debian', version: '12' },
    hypervisor: true,
    firmware_vendor: 'SeaBIOS',
    firmware_year: 2014,
    secure_boot: false,
    iommu_domain: 'none',
    dump_stack: ['virtio', 'partition', 'ext4'],
    devices_left_out: 0,
  };
}

const wholeDump: DumpFinding = {
  format: 'flattened',
  fault: null,
  byte_count: 31_457_280,
  truncated: false,
  incomplete_flag: false,
  pages: { promised: 9000, present: 9000, undecodable: 0 },
  armed: 'present',
  fired: 'present',
  canaries: { planted: 12, good: 12, changed: 0, missing: 0 },
  kernel_release: '6.1.0-41-amd64',
  vmcoreinfo: 'resolved',
  log_lines: 812,
};

/** What became of the sample trials: a verified dump, a device that does not come back, a silent hang, a fault of the harness. */
export type Fate = 'captured' | 'device' | 'hang' | 'inconclusive';

/** The evidence that a trial of this fate leaves. */
export function sampleEvidence(fate: Fate, scenario: Scenario): WatchedEvidence {
  const saw: WatchedEvidence['channel']['saw'] = [
    { stage: 'armed', at_ms: 0, line: 'crashpoint: armed' },
    { stage: 'fired', at_ms: 210, line: 'crashpoint: fired' },
  ];
  const noticed: WatchedEvidence['channel']['saw'] = [
    { stage: 'detected', at_ms: 215, line: 'Kernel panic - not syncing: crashpoint' },
    { stage: 'handed_over', at_ms: 900, line: 'Linux version 6.1.0-41-amd64' },
    { stage: 'capture_booted', at_ms: 3100, line: 'dumpsurvey: capture_booted' },
  ];
  const written: WatchedEvidence['channel']['saw'] = [
    { stage: 'target_ready', at_ms: 3300, line: 'dumpsurvey: target_ready' },
    { stage: 'dump_written', at_ms: 7000, line: 'dumpsurvey: dump_written' },
  ];
  const whole: WatchedEvidence = {
    channel: {
      name: 'serial',
      could_see: [
        'armed',
        'fired',
        'detected',
        'handed_over',
        'capture_booted',
        'target_ready',
        'dump_written',
      ],
      saw: [...saw, ...noticed, ...written],
    },
    trigger: {
      crash_point: scenario.crash_point,
      crash_type: scenario.crash_type,
      in_nmi: false,
      in_hardirq: false,
      in_softirq: false,
      irqs_off: false,
      preempt: 1,
      task: 'user',
      cpu: 0,
      in_flight: 4,
    },
    at_crash: { irqs_off: false, preempt: 1, lock_held: false },
    survived: null,
    dump: wholeDump,
    watchdog: { present: false, fired: false, timeout_ms: 0 },
    exit: 'power-off',
    harness_fault: null,
    crash_log: ['[   12.000001] Kernel panic - not syncing: crashpoint'],
    capture_log: ['[    0.000000] Linux version 6.1.0-41-amd64'],
    duration_ms: 11_400,
  };
  if (fate === 'captured') return whole;
  if (fate === 'hang') {
    return {
      ...whole,
      channel: { ...whole.channel, saw },
      dump: null,
      exit: 'timeout',
      capture_log: [],
      crash_log: [],
    };
  }
  if (fate === 'inconclusive') {
    return { ...whole, dump: null, harness_fault: 'the serial line could not be opened' };
  }
  return {
    ...whole,
    channel: { ...whole.channel, saw: [...saw, ...noticed] },
    dump: null,
    exit: 'reboot',
    capture_log: [
      '[    1.431118] BUG: kernel NULL pointer dereference, address: 0000000000000008',
      '[    1.431288] Oops: 0000 [#1] PREEMPT SMP NOPTI',
      '[    1.431461] RIP: 0010:esp_reset_cleanup+0x4d/0x140 [esp_scsi]',
      '[    1.431555] Call Trace:',
      '[    1.431722]  scsi_esp_intr+0x9c1/0x1d70 [esp_scsi]',
      '[    1.431977] Kernel panic - not syncing: Fatal exception in interrupt',
    ],
  };
}

/** An emulated machine with its owner, and everything that it can say. */
export interface SampleMachine {
  readonly key: KeyPair;
  readonly owner: KeyPair;
  readonly profileText: string;
  readonly profileSha256: string;
  readonly enrol: (changes?: Partial<EnrolBody>) => EnrolBody;
  readonly tickets: (
    request: string,
    scenarios: readonly string[],
    changes?: Partial<TicketsBody>,
  ) => TicketsBody;
  readonly armed: (ticket: Ticket, atMs: number) => ArmedBody;
  readonly report: (ticket: Ticket, fate: Fate, atMs: number, changes?: Partial<ReportBody>) => ReportBody;
}

const atSomeTime = '2026-11-20T00:00:00.000Z';

/** What changes keys or trust must be signed shortly before it is sent. */
const justNow = () => new Date().toISOString();

/** The sample machine of a name; its dump target has the driver. */
export function sampleMachine(
  name: string,
  profile: Profile = sampleProfile(),
  ownerName = 'owner',
): SampleMachine {
  const key = keyPair(`machine ${name}`);
  const owner = keyPair(ownerName);
  const profileText = JSON.stringify(profile);
  const profileSha256 = createHash('sha256').update(profileText).digest('hex');
  const ownerSignature = nacl.sign.detached(ownerStatement(fromHex(key.publicHex)), owner.secretKey);
  let counter: number | undefined;
  return {
    key,
    owner,
    profileText,
    profileSha256,
    enrol: (changes = {}) => {
      counter ??= work(key.publicHex);
      return {
        version: '1.0',
        machine: key.publicHex,
        owner: owner.publicHex,
        owner_signature: toHex(ownerSignature),
        profile: profileText,
        work: { counter },
        agent_version: '0.1.0',
        created_at: atSomeTime,
        ...changes,
      };
    },
    tickets: (request, scenarios, changes = {}) => ({
      version: '1.0',
      machine: key.publicHex,
      request,
      profile_sha256: profileSha256,
      set: 'standard/1',
      scenarios: [...scenarios],
      mechanism: 'kdump',
      environment: 'instrumented',
      created_at: atSomeTime,
      ...changes,
    }),
    armed: (ticket, atMs) => ({
      version: '1.0',
      machine: key.publicHex,
      nonce: ticket.nonce,
      armed_at: new Date(atMs).toISOString(),
    }),
    report: (ticket, fate, atMs, changes = {}) => {
      const evidence = sampleEvidence(fate, ticket.scenario);
      return {
        version: '1.0',
        machine: key.publicHex,
        nonce: ticket.nonce,
        profile_sha256: ticket.profile_sha256,
        population: 'lab',
        scenario: ticket.scenario,
        mechanism: ticket.mechanism,
        environment: ticket.environment,
        triggered_by: 'crashpoint',
        sysctls: { panic_on_oops: 1 },
        agent_version: '0.1.0',
        emulator: 'QEMU 7.2.19 (tcg)',
        armed_at: new Date(atMs - 20_000).toISOString(),
        reported_at: new Date(atMs).toISOString(),
        evidence,
        outcome: classify(evidence, ticket.scenario, ticket.mechanism),
        ...changes,
      };
    },
  };
}

/** A request id that follows from a name. */
export function requestId(name: string): string {
  return createHash('sha256').update(`request ${name}`).digest('hex').slice(0, 32);
}

/** The id of a scenario that every sample can run. */
export const simpleScenario = 'direct/panic/idle/none';

/** The ids of a set's entries. */
export function idsOf(scenarios: readonly Scenario[]): string[] {
  return scenarios.map(scenarioId);
}

/** What names a signed payload: the SHA-256 of its `hashInput`. */
export function hashOf(kind: PayloadKind, { payload, signatures }: Envelope): string {
  const bytes = hashInput(kind, fromHex(signatures[0]?.keyid ?? ''), fromBase64(payload));
  return createHash('sha256').update(bytes).digest('hex');
}

/** A request for tickets of version 1.1. */
export function ticketsRequest(
  machine: SampleMachine,
  name: string,
  scenarios: readonly string[],
  { controls = false, offline = false },
): Envelope {
  const body: AnyTickets = {
    ...machine.tickets(requestId(name), scenarios),
    version: '1.1',
    controls,
    offline,
  };
  return seal('tickets', body, machine.key);
}

/** A report that amends the first one on its trial. */
export function amendment(
  machine: SampleMachine,
  ticket: Ticket,
  fate: Fate,
  atMs: number,
  amends: Extract<AnyReport, { version: '1.1' }>['amends'],
  changes: Partial<ReportBody> = {},
): Envelope {
  const body: AnyReport = { ...machine.report(ticket, fate, atMs, changes), version: '1.1', amends };
  return seal('report', body, machine.key);
}

/** The rotation of a key, signed by both. */
export function rotation(
  role: KeyRole,
  key: KeyPair,
  next: KeyPair,
  changes: Partial<RotateBody> = {},
): Envelope {
  const statement = rotationStatement(fromHex(key.publicHex), fromHex(next.publicHex));
  const body: RotateBody = {
    version: '1.0',
    role,
    key: key.publicHex,
    next: next.publicHex,
    next_signature: toHex(nacl.sign.detached(statement, next.secretKey)),
    created_at: justNow(),
    ...changes,
  };
  return seal('rotate', body, key);
}

/** An owner's revocation of a machine or of himself. */
export function revocation(
  owner: KeyPair,
  role: KeyRole,
  key: string,
  from_index: number,
  created_at = justNow(),
): Envelope {
  const body: RevokeBody = {
    version: '1.0',
    owner: owner.publicHex,
    role,
    key,
    from_index,
    created_at,
  };
  return seal('revoke', body, owner);
}

/** A withdrawal of a machine's or an owner's data. */
export function withdrawal(signer: KeyPair, role: KeyRole, key: string, created_at = justNow()): Envelope {
  const body: WithdrawBody = {
    version: '1.0',
    signer: signer.publicHex,
    role,
    key,
    created_at,
  };
  return seal('withdraw', body, signer);
}

/** An invitation. */
export function invitation(owner: KeyPair, invited: string, created_at = justNow()): Envelope {
  const body: InviteBody = { version: '1.0', owner: owner.publicHex, invited, created_at };
  return seal('invite', body, owner);
}

/** An operator's decision. */
export function decision(
  operator: KeyPair,
  action: DecisionBody['action'],
  kind: DecisionBody['subject']['kind'],
  value: string,
  changes: Partial<DecisionBody> = {},
): Envelope {
  const body: DecisionBody = {
    version: '1.0',
    operator: operator.publicHex,
    action,
    subject: { kind, value },
    from_index: null,
    reason: 'a test',
    created_at: justNow(),
    ...changes,
  };
  return seal('decision', body, operator);
}
