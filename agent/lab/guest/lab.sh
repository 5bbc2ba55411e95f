# What both guests share: file systems, modules, the disk under test, and the beacon channel (ttyS1), which is
# independent of the console and of the dump target.
export PATH=/bin:/sbin LD_LIBRARY_PATH=/lib
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
stty -F /dev/ttyS1 raw -echo
exec 3>/dev/ttyS1 4</dev/ttyS1

# One beacon: a word, and what belongs to it.
say() { echo "ds $*" >&3; }

read -r command_line </proc/cmdline

# The value of a word of the kernel command line.
opt() {
	for word in $command_line; do
		case $word in "$1"=*) echo "${word#*=}" ;; esac
	done
}

disk=$(opt ds.disk)

load_modules() {
	while read -r module; do
		insmod "/modules/$module" || say fault "dumpsurvey: module $module refused"
	done </etc/modules
}

# Waits for the disk under test, for $1 seconds at most.
wait_for_disk() {
	left=$(($1 * 20))
	while [ ! -b "/dev/$disk" ]; do
		[ $left -gt 0 ] || return 1
		left=$((left - 1))
		usleep 50000
	done
}
