#!/bin/sh
# Makes the root file system of the guest in the directory $1: Debian 12 as its packages leave it, and beside it what
# $2 holds. $3 is where packages are kept between runs. Run it in a mount namespace of its own: mounts end with it.
set -eu
root=$1 overlay=$2 cache=$3
mirror=http://deb.debian.org/debian
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
mkdir -p "$cache"
debootstrap --variant=minbase --cache-dir="$cache" bookworm "$root" "$mirror"
# Services are not to start in here, and nobody is to wait for a disk that is none.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
echo "deb $mirror bookworm main" >"$root/etc/apt/sources.list"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mkdir -p "$root/var/cache/apt/archives"
mount --bind "$cache" "$root/var/cache/apt/archives"
cp /etc/resolv.conf "$root/etc/resolv.conf"
within() { chroot "$root" "$@"; }
within apt-get update -q
shift 3
within apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-unsafe-io "$@"
# Only now: a boot loader's configuration would have the packages ask what the root is on.
cp -a "$overlay/." "$root/"
within systemctl enable metal-control.service systemd-networkd.service
umount "$root/var/cache/apt/archives" "$root/sys" "$root/proc"
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf" "$root"/var/lib/apt/lists/*_dists_*
