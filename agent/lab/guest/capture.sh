#!/bin/sh
# The capture kernel's only program: finds the disk under test, writes the dump to it, says how far it got.
. /lib/lab.sh

finish() {
	say "$@"
	reboot -f
}

say capture_booted "$(uname -r)"
[ "$(opt ds.mode)" = bare ] && poweroff -f
load_modules
wait_for_disk 20 || finish fault "dumpsurvey: target $disk missing"
dd if="/dev/$disk" of=/dev/null bs=4096 count=1 2>/dev/null || finish fault "dumpsurvey: target $disk unreadable"
say target_ready "/dev/$disk"
{
	makedumpfile -F -d 31 /proc/vmcore 2>/tmp/makedumpfile
	echo $? >/tmp/status
} | dd of="/dev/$disk" bs=1M iflag=fullblock oflag=seek_bytes seek="$(opt ds.dump_at)" conv=fsync,notrunc 2>/tmp/dd ||
	finish fault "dumpsurvey: writing to $disk failed: $(head -n 1 /tmp/dd)"
read -r status </tmp/status
[ "$status" = 0 ] || finish fault "dumpsurvey: makedumpfile failed with $status: $(tail -n 1 /tmp/makedumpfile)"
finish dump_written
