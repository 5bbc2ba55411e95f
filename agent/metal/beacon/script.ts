/**
 * The shell that tells beacons in a capture environment. It must run in whatever shell that has (dash, busybox, klibc,
 * bash), it does nothing outside of a capture kernel, and it never keeps a dump from being taken.
 */
import type { BeaconChannel } from '../settings.ts';
import { type Beacon, beaconSteps, outcomes, slotBytes, slotMagic, slotOf } from './slots.ts';

/** Where the environment has its files. Tests name others. */
export interface CaptureFiles {
  readonly vmcore: string;
  readonly pmsg: string;
  readonly pstore: string;
}
const captureFiles: CaptureFiles = { vmcore: '/proc/vmcore', pmsg: '/dev/pmsg0', pstore: '/sys/fs/pstore' };

const slotCases = beaconSteps
  .flatMap((step) => outcomes.map((outcome): Beacon => ({ step, outcome })))
  .map((beacon) => `    '${beacon.step} ${beacon.outcome}') slot=${slotOf(beacon)} ;;`)
  .join('\n');

/** A nonce that is none names no trial: then nothing is told. */
const checkNonce = `  case $nonce in '' | *[!0-9a-f]*) return 0 ;; esac`;

function diskTeller(device: string): string {
  return `device=${device}

# tell STEP OUTCOME: writes the slot of this beacon, if the agent has named a trial on the device.
tell() {
  case "$1 $2" in
${slotCases}
    *) return 0 ;;
  esac
  magic= version= nonce= waited=0
  while [ ! -e "$device" ] && [ $waited -lt 5 ]; do
    sleep 1
    waited=$((waited + 1))
  done
  [ -e "$device" ] || return 0
  read -r magic version nonce < "$device" || return 0
  [ "$magic $version" = '${slotMagic} 1' ] || return 0
${checkNonce}
  line="${slotMagic} $nonce $1 $2"
  # Not every dd knows these words.
  printf '%s\\n' "$line" | dd of="$device" bs=${slotBytes} seek="$slot" conv=notrunc,fsync 2> /dev/null && return 0
  printf '%s\\n' "$line" | dd of="$device" bs=${slotBytes} seek="$slot" 2> /dev/null
  sync
  return 0
}`;
}

function pmsgTeller({ pmsg, pstore }: CaptureFiles): string {
  return `pmsg=${pmsg}
pstore=${pstore}

# tell STEP OUTCOME: one line to pmsg, if the kernel that crashed has named a trial there.
tell() {
  [ -e "$pmsg" ] || modprobe ramoops 2> /dev/null
  [ -e "$pmsg" ] || return 0
  [ -e "$pstore/pmsg-ramoops-0" ] || mount -t pstore pstore "$pstore" 2> /dev/null
  [ -e "$pstore/pmsg-ramoops-0" ] || return 0
  nonce=
  while read -r magic version word rest; do
    [ "$magic $version" = '${slotMagic} 1' ] && nonce=$word
  done < "$pstore/pmsg-ramoops-0"
${checkNonce}
  echo "${slotMagic} $nonce $1 $2" > "$pmsg"
  return 0
}`;
}

/** The whole script: `tell` for the channel, then what is to be told. Ends well whatever happens. */
export function beaconScript(
  channel: Exclude<BeaconChannel, { kind: 'none' }>,
  body: string,
  files: CaptureFiles = captureFiles,
): string {
  const teller = channel.kind === 'disk' ? diskTeller(channel.device) : pmsgTeller(files);
  return `#!/bin/sh
# Tells Dump Survey how far a capture came. Does nothing but in a capture kernel.
[ -e ${files.vmcore} ] || exit 0
${teller}

${body}
exit 0
`;
}
