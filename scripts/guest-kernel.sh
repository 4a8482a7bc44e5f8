#!/bin/bash
# Unpacks a kernel of Debian or Ubuntu for a virtual machine of the tests, with what it needs until it has this machine's files. Nothing is
# installed: this machine boots as before. Needs depmod and modprobe (kmod). Neither is made twice.
#   scripts/guest-kernel.sh          makes <cache>/guest/kernel and <cache>/guest/initramfs
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${LONGHOUSE_CACHE:-/var/cache/longhouse}/guest
recipe=$(sha256sum scripts/guest-kernel.sh scripts/guest-init.sh | sha256sum | cut -c1-16)
[ "$(cat "$cache/recipe" 2>/dev/null)" != "$recipe" ] || exit 0
PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
echo 'Fetching a kernel for virtual machines ...'
apt-cache show busybox-static >/dev/null 2>&1 || apt-get update -qq
depends() { apt-cache depends "$1" | awk '$1 == "Depends:" { print $2 }'; }
release=$({ depends linux-image-amd64; depends linux-image-generic; } 2>/dev/null | sed -n 's/^linux-image-\([0-9]\)/\1/p' | head -1)
[ -n "$release" ] || { echo 'no package linux-image-amd64 or linux-image-generic is known here' >&2; exit 1; }
packages=("linux-image-$release" busybox-static)
# Ubuntu's modules are packages of their own.
! apt-cache show "linux-modules-$release" >/dev/null 2>&1 || packages+=("linux-modules-$release")
chown _apt "$work" 2>/dev/null || true
(cd "$work" && apt-get download -qq "${packages[@]}" >/dev/null)
for package in "$work"/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work" --exclude='./usr/share/*'; done
[ -e "$work/lib" ] || ln -s usr/lib "$work/lib"
depmod -b "$work" "$release"

root=$work/root
mkdir -p "$root"/{bin,modules,proc,sys,dev,host}
cp "$work"/*/busybox "$root/bin/busybox" 2>/dev/null || cp "$work/usr/bin/busybox" "$root/bin/busybox"
cp scripts/guest-init.sh "$root/init"
chmod 755 "$root/init"
for module in virtio_pci virtio_blk 9pnet_virtio 9p xfs ext4 quota_v2 crc32c_generic; do
  modprobe -d "$work" -S "$release" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
done | awk '!seen[$0]++' >"$work/order"
number=100
while read -r file; do
  to=$root/modules/$((number++))-$(basename "$file" | sed 's/\.ko.*/.ko/')
  case $file in
    *.zst) zstd -qdc "$file" >"$to" ;;
    *.xz) xz -dc "$file" >"$to" ;;
    *) cp "$file" "$to" ;;
  esac
done <"$work/order"
mkdir -p "$cache"
(cd "$root" && find . | bin/busybox cpio -o -H newc 2>/dev/null) >"$cache/initramfs"
cp "$work/boot/vmlinuz-$release" "$cache/kernel"
echo "$recipe" >"$cache/recipe"
