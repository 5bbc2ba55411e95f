#!/bin/sh
# Makes the root file system of the guest in the directory $1: Debian 12 as its packages leave it, and beside it what
# $2 holds. $3 is where packages are kept between runs, $4 a package of our own to install, or empty. All of it runs
# on this processor: the guest's is emulated, and slow. Run it in a mount namespace of its own: mounts end with it.
set -eu
root=$1 overlay=$2 cache=$3 own=$4
shift 4
mirror=http://deb.debian.org/debian
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
mkdir -p "$cache"
debootstrap --variant=minbase --cache-dir="$cache" bookworm "$root" "$mirror"
# Services are not to start in here, and nobody is to wait for a disk that is none.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
echo "deb $mirror bookworm main" >"$root/etc/apt/sources.list"
# Drivers of the guest only: a small initrd is read and unpacked much faster. An installer finds them by looking at the
# machine ("dep"), which from here would be another one.
mkdir -p "$root/etc/initramfs-tools/conf.d" "$root/usr/share/initramfs-tools/modules.d"
echo MODULES=list >"$root/etc/initramfs-tools/conf.d/driver-policy"
printf '%s\n' virtio_pci virtio_blk ext4 >"$root/usr/share/initramfs-tools/modules.d/guest"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mkdir -p "$root/var/cache/apt/archives"
mount --bind "$cache" "$root/var/cache/apt/archives"
cp /etc/resolv.conf "$root/etc/resolv.conf"
within() { chroot "$root" "$@"; }
within apt-get update -q
within apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-unsafe-io "$@"
# Only now: a boot loader's configuration would have the packages ask what the root is on.
cp -a "$overlay/." "$root/"
within systemctl enable metal-control.service systemd-networkd.service
within systemd-machine-id-setup
# As the package grub-pc leaves them, which wants to write to a disk; this one is a file on another machine.
mkdir -p "$root/boot/grub/i386-pc"
cp "$root"/usr/lib/grub/i386-pc/*.mod "$root"/usr/lib/grub/i386-pc/*.lst "$root/boot/grub/i386-pc/"
cp "$root/usr/share/grub/default/grub" "$root/etc/default/grub"
# A machine that was installed long ago has the initrd of its capture kernel. kdump-tools makes it again at the next
# load unless this copy says what it was made with.
kernel=$(basename "$root"/lib/modules/*)
mkdir -p "$root/var/lib/kdump"
cp "$root/etc/kdump/sysctl.conf" "$root/var/lib/kdump/latest_sysctls-$kernel"
within kdump-config symlinks "$kernel"
if [ -n "$own" ]; then
	cp "$own" "$root/root/own.deb"
	within dpkg -i /root/own.deb
	rm "$root/root/own.deb"
fi
umount "$root/var/cache/apt/archives" "$root/sys" "$root/proc"
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf" "$root"/var/lib/apt/lists/*_dists_*
