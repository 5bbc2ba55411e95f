/**
 * What makes a distribution's own capture environment tell beacons: files, settings and commands. Pure. The environment
 * is then `instrumented`: a factor of the trial, because it is no longer quite the distribution's own.
 */
import type { DumpLayout } from '../../../schema/after-reboot.ts';
import type { PackageFile } from '../../install/units.ts';
import type { BeaconChannel } from '../settings.ts';
import { beaconScript } from './script.ts';

export interface BeaconInstall {
  readonly hooks: readonly PackageFile[];
  /** Assignments that belong into a file of the distribution, which is its owner's to edit. */
  readonly settings: readonly { readonly file: string; readonly name: string; readonly value: string }[];
  /** What makes the capture image anew, and has it loaded. The same command undoes, once the files are gone. */
  readonly hooksCommand: readonly string[] | null;
}

type Telling = Exclude<BeaconChannel, { kind: 'none' }>;

const nothing: BeaconInstall = { hooks: [], settings: [], hooksCommand: null };
const script = (path: string, contents: string): PackageFile => ({ path, contents, mode: 0o755 });
const shell = (...lines: readonly string[]) => ['sh', '-c', lines.join(' && ')];
const teller = '/usr/lib/dumpsurvey/beacon';

/** `beacon STEP OUTCOME [DIRECTORY]`: with a directory, only if that can be written to. */
const tellArguments = `[ -z "$3" ] || [ -w "$3" ] || exit 0
tell "$1" "$2"`;

/**
 * kdump-tools 1.8.1 has no hooks of its own. Its image is made by initramfs-tools, whose scripts run before the root file
 * system is mounted; the dump is taken by a unit, which a drop-in precedes; and the reboot goes through systemd-shutdown.
 */
function debian(channel: Telling): BeaconInstall {
  const modules =
    channel.kind === 'disk'
      ? `[ ! -b ${channel.device} ] || block_dev_mod_add ${channel.device}`
      : 'manual_add_modules ramoops';
  const hook = `#!/bin/sh
# Puts Dump Survey's beacon into the capture kernel's image, and into no other.
[ "$1" != prereqs ] || exit 0
[ "$CONFDIR" = /var/lib/kdump/initramfs-tools ] || exit 0
. /usr/share/initramfs-tools/hook-functions
copy_file script ${teller}
${modules}
exit 0
`;
  const early = `#!/bin/sh
# Only the capture kernel's image has the beacon.
[ "$1" != prereqs ] || exit 0
[ -x ${teller} ] || exit 0
${teller} capture_booted success
${teller} target_ready fail
exit 0
`;
  // The unit has the settings in its environment. To systemd, $$ is one dollar sign.
  const dropIn = `[Service]
ExecStartPre=-/bin/sh -c 'exec ${teller} target_ready success "$$\{KDUMP_COREDIR:-/var/crash}"'
`;
  const atShutdown = `#!/bin/sh
[ "$1" = reboot ] && ${teller} rebooting success
exit 0
`;
  const units = ['kdump-tools', 'kdump-tools-dump'];
  return {
    hooks: [
      script(teller, beaconScript(channel, tellArguments)),
      script('/etc/initramfs-tools/hooks/dumpsurvey-beacon', hook),
      script('/etc/initramfs-tools/scripts/init-premount/dumpsurvey-beacon', early),
      ...units.map((unit) => ({
        path: `/etc/systemd/system/${unit}.service.d/dumpsurvey-beacon.conf`,
        contents: dropIn,
        mode: 0o644,
      })),
      script('/usr/lib/systemd/system-shutdown/dumpsurvey-beacon', atShutdown),
    ],
    settings: [],
    hooksCommand: shell(
      '/etc/kernel/postinst.d/kdump-tools "$(uname -r)"',
      'systemctl daemon-reload',
      'systemctl restart kdump-tools.service',
    ),
  };
}

/** kdump-utils runs what lies in pre.d before the dump and in post.d after it, the latter with the dump's exit status. */
function fedora(channel: Telling): BeaconInstall {
  return {
    hooks: [
      script(
        '/etc/kdump/pre.d/dumpsurvey-beacon',
        beaconScript(channel, 'tell capture_booted success\ntell dump_written fail'),
      ),
      script(
        '/etc/kdump/post.d/dumpsurvey-beacon',
        beaconScript(channel, '[ "$1" = 0 ] || exit 0\ntell dump_written success\ntell rebooting success'),
      ),
    ],
    settings: [],
    hooksCommand: shell('kdumpctl rebuild', 'systemctl restart kdump.service'),
  };
}

/** SUSE's kdump runs one command before the dump and one after it, and puts named programs into its image. */
function suse(channel: Telling): BeaconInstall {
  const [before, after] = [`${teller}-before`, `${teller}-after`] as const;
  const file = '/etc/sysconfig/kdump';
  return {
    hooks: [
      script(before, beaconScript(channel, 'tell capture_booted success')),
      script(after, beaconScript(channel, 'tell rebooting success')),
    ],
    settings: [
      { file, name: 'KDUMP_PRESCRIPT', value: before },
      { file, name: 'KDUMP_POSTSCRIPT', value: after },
      { file, name: 'KDUMP_REQUIRED_PROGRAMS', value: `${before} ${after} dd sync` },
    ],
    hooksCommand: shell('mkdumprd -f', 'systemctl restart kdump.service'),
  };
}

const installs = { debian, fedora, suse } as const satisfies Record<
  DumpLayout,
  (channel: Telling) => BeaconInstall
>;

/** What is to be written, set and run for beacons over a channel; nothing where there is none. */
export function beaconInstall(layout: DumpLayout, channel: BeaconChannel): BeaconInstall {
  return channel.kind === 'none' ? nothing : installs[layout](channel);
}
