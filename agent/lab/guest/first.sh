#!/bin/sh
# The first kernel's only program: says what the machine is, loads the capture kernel (unless it is told that this is a
# control trial) and the crash module, plants what it is told to plant, waits to be told to go on, puts load on the disk
# under test, and arms.
. /lib/lab.sh

give_up() {
	say fault "$*"
	poweroff -f
}

# What the profile is made of: `file:contents`, `link -> target`, and build-ids of modules in hexadecimal.
inventory() {
	grep -sH '' /proc/sys/kernel/osrelease /proc/cpuinfo /sys/kernel/kexec_crash_size /sys/kernel/kexec/crash_size \
		/sys/bus/pci/devices/*/vendor /sys/bus/pci/devices/*/device /sys/bus/pci/devices/*/class \
		/sys/bus/pci/devices/*/subsystem_vendor /sys/bus/pci/devices/*/subsystem_device \
		/sys/bus/pci/devices/*/revision /sys/bus/virtio/devices/*/vendor /sys/bus/virtio/devices/*/device |
		sed 's/^/ds file /' >&3
	grep -H MemTotal /proc/meminfo | sed 's/^/ds file /' >&3
	grep -sH '' /proc/sys/kernel/version /sys/kernel/debug/sched/preempt | sed 's/^/ds file /' >&3
	ls -ld "/sys/block/$disk" /sys/bus/pci/devices/*/driver /sys/bus/virtio/devices/*/driver \
		/sys/bus/pci/devices/*/driver/module /sys/bus/virtio/devices/*/driver/module /sys/class/iommu/* \
		2>/dev/null | sed -n 's/.* \(\/sys[^ ]* -> .*\)/ds link \1/p' >&3
	[ -d /sys/firmware/efi ] && say file /sys/firmware/efi/fw_platform_size:64
	for module in /sys/bus/pci/devices/*/driver/module /sys/bus/virtio/devices/*/driver/module; do
		[ -d "$module" ] || continue
		name=$(readlink "$module")
		set -- $(od -An -v -tx1 "$module/notes/.note.gnu.build-id")
		say build-id "${name##*/} $(IFS= && echo "$*")"
	done
}

# What the hardware does at the crash, whatever the crash point is.
start_load() {
	case $(opt ds.load) in
	disk) write_disk ;;
	memory) take_memory ;;
	net) send_packets ;;
	esac
}

# What makes this crash point be hit on a machine that does nothing else.
start_stimulus() {
	case $(opt ds.stimulus) in
	disk) read_disk ;;
	ata) ata_ioctls ;;
	net) send_packets ;;
	reclaim) take_memory ;;
	esac
}

# Eight writers, each behind the dump's place on the disk, past the page cache.
write_disk() {
	for writer in 0 1 2 3 4 5 6 7; do
		dd if=/dev/zero of="/dev/$disk" bs=64k oflag=direct,seek_bytes conv=notrunc \
			seek=$(($(opt ds.load_at_mib) * 1048576 + writer * 33554432)) count=512 2>/dev/null &
	done
}

# One small read after the other, past the page cache.
read_disk() {
	while :; do
		dd if="/dev/$disk" of=/dev/null bs=4k count=64 iflag=direct 2>/dev/null
		usleep 20000
	done &
}

# Asking whether the disk is a terminal is an ioctl that neither the block nor the SCSI layer knows: it goes on to libata.
ata_ioctls() {
	while :; do
		[ -t 0 ]
		usleep 10000
	done <"/dev/$disk" &
}

# Packets to the gateway, which sends each back.
send_packets() {
	for sender in 0 1 2 3; do
		ping -q -i 0.01 -s 1400 10.0.2.2 >/dev/null &
	done
}

# More of the disk than fits into the page cache, again and again.
take_memory() {
	while :; do
		dd if="/dev/$disk" of=/dev/null bs=1M 2>/dev/null
	done &
}

# Requests that the kernel counts as in flight on the disk under test.
in_flight() {
	read -r reads writes <"/sys/block/$disk/inflight"
	echo $((reads + writes))
}

# The PCI device that the disk under test hangs on: the last one on its path.
pci_device() {
	readlink -f "/sys/block/$disk" | tr / '\n' | grep -E '^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$' | tail -n 1
}

# The keys of arming that this crash point needs, beside the disk whose requests are counted.
needed_keys() {
	case $(opt ds.needs) in
	interface) echo "interface=$(opt ds.interface)" ;;
	pci) echo "pci=$(pci_device)" ;;
	esac
}

apply_sysctls() {
	for pair in $(opt ds.sysctls | tr , ' '); do
		file=/proc/sys/$(echo "${pair%=*}" | tr . /)
		echo "${pair%=*}=$(cat "$file")" >>/tmp/sysctls
		echo "${pair#*=}" >"$file" && say sysctl "${pair%=*}=$(cat "$file")" || give_up "sysctl $pair was refused"
	done
}

restore_sysctls() {
	[ -f /tmp/sysctls ] || return 0
	while read -r pair; do
		file=/proc/sys/$(echo "${pair%=*}" | tr . /)
		echo "${pair#*=}" >"$file"
		say restored "${pair%=*}=$(cat "$file")"
	done </tmp/sysctls
}

# Arms the mechanism under test, or does not: in a control trial nothing may be there that could capture.
arm_mechanism() {
	case $order in
	plant)
		kexec -s -p /capture/vmlinuz --initrd=/capture/initrd --append="$(cat /capture/cmdline) ds.disk=$disk" ||
			give_up "kexec did not load the capture kernel"
		wanted=1
		;;
	control) wanted=0 ;;
	*) give_up "the order was not to plant" ;;
	esac
	rm /capture/vmlinuz /capture/initrd
	[ "$(crash_loaded)" = $wanted ] || give_up "kexec_crash_loaded is $(crash_loaded), and not $wanted"
}

# Whether this kernel has a capture kernel to go to, in its own words: 1 or 0. Newer kernels say it in another place.
crash_loaded() {
	cat /sys/kernel/kexec/crash_loaded 2>/dev/null || cat /sys/kernel/kexec_crash_loaded
}

# The three triggers. Each has prepare_*, which plants, and pull_*, which runs in a task of its own: the crash may
# kill it, or put it to sleep for ever.
prepare_crashpoint() {
	insmod /modules/crashpoint.ko || give_up "the crash module did not load"
	echo "action=plant nonce=$nonce" >$control || give_up "the crash module did not plant: $(dmesg | tail -n 1)"
	sed 's/^/ds listing /' /sys/kernel/debug/crashpoint/listing >&3
}

pull_crashpoint() {
	read -r device <"/sys/block/$disk/dev"
	echo "action=arm nonce=$nonce point=$(opt ds.point) type=$(opt ds.type) device=$device inflight=$least $(needed_keys)" >$control
}

# Without the module, lines in the log are planted: the host sends them.
prepare_log() {
	echo on >/proc/sys/kernel/printk_devkmsg
	dmesg -n 7
	while read -r order line <&4 && [ "$order" = line ]; do
		echo "$line" >/dev/kmsg || give_up "the log took no line"
	done
	say planted "$nonce"
}

prepare_sysrq() {
	echo 1 >/proc/sys/kernel/sysrq
	prepare_log
}

pull_sysrq() {
	echo c >/proc/sysrq-trigger
}

prepare_lkdtm() {
	insmod /modules/lkdtm.ko || give_up "LKDTM did not load"
	prepare_log
}

pull_lkdtm() {
	opt ds.lkdtm >/sys/kernel/debug/provoke-crash/DIRECT
}

fired() {
	dmesg | grep -qE 'crashpoint: v=2 nonce|sysrq: Trigger a crash|lkdtm: Performing direct entry'
}

load_modules
say booted "$(uname -r)"
[ "$(opt ds.mode)" = bare ] && poweroff -f
wait_for_disk 10 || give_up "the disk under test did not appear in the first kernel"
mount -t debugfs debugfs /sys/kernel/debug
[ -z "$(opt ds.interface)" ] || {
	ip link set "$(opt ds.interface)" up
	ip addr add 10.0.2.15/24 dev "$(opt ds.interface)"
}
[ "$(opt ds.mode)" = exercise ] && . /lib/exercise.sh
inventory
say inventoried

read -r order nonce <&4
arm_mechanism
control=/sys/kernel/debug/crashpoint/control
trigger=$(opt ds.trigger)
"prepare_$trigger"
apply_sysctls

# Two seconds between pings: the timer never runs out while this system works.
watchdog -F -t 2 -T "$(opt ds.watchdog_s)" /dev/watchdog &
pinger=$!
say prepared
read -r order <&4
[ "$order" = go ] || give_up "the order was not to arm"

start_load
start_stimulus
least=$(opt ds.inflight)
left=200
while [ "$(in_flight)" -lt "$least" ]; do
	[ $left -gt 0 ] || give_up "the load did not bring $least requests in flight"
	left=$((left - 1))
	usleep 20000
done
[ -c /dev/watchdog ] || give_up "there is no watchdog"
# Without its pinger the timer goes on: it ends what hangs, here and in the capture kernel.
kill -9 $pinger
say armed "inflight=$(in_flight) kexec_crash_loaded=$(crash_loaded)"
{
	"pull_$trigger"
	echo $? >/tmp/pulled
} &

left=40
while ! fired; do
	[ $left -gt 0 ] || break
	case $(cat /tmp/pulled 2>/dev/null) in
	# Nothing yet: its task may be waiting, or have no processor left to go on with.
	'' | 0) ;;
	*) fired || give_up "the trigger was refused: $(dmesg | tail -n 1)" ;;
	esac
	left=$((left - 1))
	sleep 1
done
if [ $left = 0 ]; then
	[ $trigger = crashpoint ] && echo action=disarm >$control
	restore_sysctls
	say unfired
	poweroff -f
fi

# What is still alive after this time has not noticed anything. The module says what it expected; of a processor
# that loops it does not, and that is left to the watchdog.
sleep "$(opt ds.patience_s)"
[ $trigger != crashpoint ] || dmesg | grep -q 'crashpoint: survived' || echo action=disarm >$control
expected=$(dmesg | sed -n 's/.*crashpoint: survived nonce=[0-9a-f]* //p' | tail -n 1)
[ $trigger = crashpoint ] || expected="the system went on after $trigger"
[ -n "$expected" ] || sleep 600
restore_sysctls
say survived "$expected"
poweroff -f
