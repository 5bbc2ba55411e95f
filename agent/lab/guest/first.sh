#!/bin/sh
# The first kernel's only program: says what the machine is, loads the capture kernel and the crash module,
# plants what it is told to plant, waits to be told to go on, puts load on the disk under test, and arms.
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

# Eight writers, each behind the dump's place on the disk, past the page cache.
start_load() {
	[ "$(opt ds.load)" = disk ] || return 0
	for writer in 0 1 2 3 4 5 6 7; do
		dd if=/dev/zero of="/dev/$disk" bs=64k oflag=direct,seek_bytes conv=notrunc \
			seek=$(($(opt ds.load_at_mib) * 1048576 + writer * 33554432)) count=512 2>/dev/null &
	done
}

# Requests that the kernel counts as in flight on the disk under test.
in_flight() {
	read -r reads writes <"/sys/block/$disk/inflight"
	echo $((reads + writes))
}

load_modules
say booted "$(uname -r)"
[ "$(opt ds.mode)" = bare ] && poweroff -f
wait_for_disk 10 || give_up "the disk under test did not appear in the first kernel"
mount -t debugfs debugfs /sys/kernel/debug
inventory
say inventoried

kexec -s -p /capture/vmlinuz --initrd=/capture/initrd --append="$(cat /capture/cmdline) ds.disk=$disk" ||
	give_up "kexec did not load the capture kernel"
rm /capture/vmlinuz /capture/initrd
insmod /modules/crashpoint.ko || give_up "the crash module did not load"
control=/sys/kernel/debug/crashpoint/control
read -r order nonce <&4
[ "$order" = plant ] || give_up "the order was not to plant"
echo "action=plant nonce=$nonce" >$control || give_up "the crash module did not plant: $(dmesg | tail -n 1)"
for pair in $(opt ds.sysctls | tr , ' '); do
	file=/proc/sys/$(echo "${pair%=*}" | tr . /)
	echo "${pair#*=}" >"$file" && say sysctl "${pair%=*}=$(cat "$file")" || give_up "sysctl $pair was refused"
done
sed 's/^/ds listing /' /sys/kernel/debug/crashpoint/listing >&3

# Two seconds between pings: the timer never runs out while this system works.
watchdog -F -t 2 -T "$(opt ds.watchdog_s)" /dev/watchdog &
pinger=$!
say prepared
read -r order <&4
[ "$order" = go ] || give_up "the order was not to arm"

start_load
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
say armed "inflight=$(in_flight)"
read -r device <"/sys/block/$disk/dev"
echo "action=arm nonce=$nonce point=$(opt ds.point) type=$(opt ds.type) device=$device inflight=$least" >$control
status=$?
left=40
while [ $left -gt 0 ]; do
	dmesg | grep -q 'crashpoint: v=1 nonce' && break
	[ $status = 0 ] || give_up "the crash module did not arm: $(dmesg | tail -n 1)"
	left=$((left - 1))
	sleep 1
done
[ $left -gt 0 ] || { echo action=disarm >$control; say unfired; poweroff -f; }
dmesg | grep -q 'crashpoint: survived' && say survived
# Whatever hangs is ended by the watchdog.
sleep 600
