# Exercises the crash module without a crash: runs what the host says, one line of shell after the other, and says
# what came of each. Sourced by first.sh, whose functions it uses; it never returns.
control=/sys/kernel/debug/crashpoint/control
listing=/sys/kernel/debug/crashpoint/listing

# One command to the module, in one write.
order() { echo "action=$*" >$control; }

# Reads and writes of the disk under test, its ATA ioctls, and packets. The host limits the requests a second, and so
# each program has work for an hour.
start_traffic() {
	dd if="/dev/$disk" of=/dev/null bs=4k iflag=direct 2>/dev/null &
	traffic=$!
	dd if=/dev/zero of="/dev/$disk" bs=4k oflag=direct conv=notrunc 2>/dev/null &
	traffic="$traffic $!"
	while :; do
		[ -t 0 ]
		usleep 200000
	done <"/dev/$disk" &
	traffic="$traffic $!"
	[ -n "$(opt ds.interface)" ] || return 0
	ping -q -i 0.02 -s 1400 10.0.2.2 >/dev/null &
	traffic="$traffic $!"
}

stop_traffic() {
	kill $traffic
	wait $traffic 2>/dev/null
	return 0
}

# Loads the module, plants a nonce, arms as the other words say, fails to unload, disarms, unloads. The name of the
# step that went wrong is all that it says.
cycle() {
	nonce=$1
	shift
	insmod /modules/crashpoint.ko || { echo "load" && return 1; }
	order plant "nonce=$nonce" || { echo "plant" && return 1; }
	case $* in
	*point=direct*) cycle_direct "$@" || return 1 ;;
	*) cycle_armed "$@" || return 1 ;;
	esac
	rmmod crashpoint || { echo "unload" && return 1; }
}

cycle_armed() {
	order arm "nonce=$nonce $*" || { echo "arm" && return 1; }
	usleep 10000
	rmmod crashpoint 2>/dev/null && { echo "unloaded while armed" && return 1; }
	order disarm || { echo "disarm" && return 1; }
}

# The writer that arms this point waits at it, and is told when another one disarms. The module is in use twice then:
# the writer has its file open, and it is armed.
cycle_direct() {
	order arm "nonce=$nonce $*" 2>/dev/null &
	writer=$!
	until grep -q '^crashpoint [0-9]* 2 ' /proc/modules; do usleep 5000; done
	rmmod crashpoint 2>/dev/null && { echo "unloaded while armed" && return 1; }
	order disarm || { echo "disarm" && return 1; }
	wait $writer && { echo "the writer was not told" && return 1; }
	return 0
}

# Writes inputs of the corpus to the control file, each in one write, behind a line in the log that names it. Says
# the number of each, and whether the write failed. The index has lines `number offset length`.
feed() {
	sed -n "$1,$2p" /corpus/index | while read -r number offset length; do
		echo "exercise: input $number" >/dev/kmsg
		dd if=/corpus/inputs of=$control bs="$length" count=1 skip="$offset" iflag=skip_bytes conv=notrunc 2>/dev/null
		echo "$number $?"
	done
}

# One command, with whether it failed.
told() {
	order "$@" 2>/dev/null
	echo "$1 $?"
}

# Arms and disarms, in turn, as the lines of /tmp/armings say, as long as the file is there.
arm_in_turn() {
	turn=1000000000
	while [ -e /tmp/storm ]; do
		while read -r arming && [ -e /tmp/storm ]; do
			turn=$((turn + 1))
			nonce=5707a15707a15707a15707$turn
			told plant "nonce=$nonce"
			case $arming in
			*point=direct*)
				told arm "nonce=$nonce $arming" &
				writer=$!
				while kill -0 $writer 2>/dev/null; do
					usleep 20000
					told disarm
				done
				wait $writer
				;;
			*)
				told arm "nonce=$nonce $arming"
				told disarm
				;;
			esac
		done </tmp/armings
	done
}

# Three writers share the inputs from the first to the last, while another shell reads and another one arms. Says what
# each writer says.
storm() {
	: >/tmp/storm
	third=$((($2 - $1 + 3) / 3))
	writers=
	for from in $1 $(($1 + third)) $(($1 + 2 * third)); do
		to=$((from + third - 1))
		[ $to -le "$2" ] || to=$2
		feed "$from" $to >"/tmp/writer$from" &
		writers="$writers $!"
	done
	arm_in_turn >/tmp/armer &
	armer=$!
	while [ -e /tmp/storm ]; do
		cat $control $listing
		echo read >>/tmp/reads
	done >/dev/null 2>/tmp/unread &
	reader=$!
	wait $writers
	rm /tmp/storm
	wait $armer $reader
	cat /tmp/writer* /tmp/armer /tmp/unread /tmp/reads
}

# Memory that can be given back is, as far as that goes.
settle() {
	for again in 1 2 3 4; do
		echo 3 >/proc/sys/vm/drop_caches
		usleep 250000
	done
}

# Checks every object in every slab that keeps to its red zones and its poison, then says which addresses without a
# name there are among those that allocated objects: of the initialisation of modules, and of modules that are gone.
check_slabs() {
	for cache in /sys/kernel/slab/*/validate; do
		echo 1 >"$cache"
	done 2>/dev/null
	sed -n 's/^ *\(0xffffffffc[0-9a-f]*\)$/\1/p' /sys/kernel/debug/slab/kmalloc-*/alloc_traces
}

say exercise
while read -r line <&4; do
	eval "$line" >/tmp/out 2>&1
	status=$?
	[ -s /tmp/out ] && sed 's/^/ds out /' /tmp/out >&3
	say did $status
done
poweroff -f
