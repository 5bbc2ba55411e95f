/** The units that go on with a campaign after a reboot, and now and then. Pure. */

/** A file with its place below the root. */
export interface PackageFile {
  readonly path: string;
  readonly contents: string;
  /** Permission bits. */
  readonly mode: number;
}

/** The units, for a command that is found at `command`. */
export function units(command: string, directory: string): readonly PackageFile[] {
  const service = `[Unit]
Description=Dump Survey: goes on with the campaign of crash tests
Documentation=man:dumpsurvey(8)
Wants=network-online.target
After=network-online.target kdump-tools.service kdump.service dkms.service
ConditionKernelCommandLine=!dumpsurvey.off
ConditionPathExists=/var/lib/dumpsurvey/metal/consent.json

[Service]
Type=oneshot
ExecStart=${command} run --resume
# A trial syncs, quiesces and crashes: systemd must not end it halfway.
TimeoutStartSec=infinity
KillMode=mixed
`;
  const timer = `[Unit]
Description=Dump Survey: looks now and then whether a trial is due
Documentation=man:dumpsurvey(8)

[Timer]
# From when systemd comes to it, not from the start of the kernel: a machine whose start takes longer than that, as with a
# check of its file systems, would find the time passed already, and never begin.
OnActiveSec=2min
OnUnitInactiveSec=15min

[Install]
WantedBy=timers.target
`;
  return [
    { path: `${directory}/dumpsurvey.service`, contents: service, mode: 0o644 },
    { path: `${directory}/dumpsurvey.timer`, contents: timer, mode: 0o644 },
  ];
}
