# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# root.sh - PID 1 of a guest with its root on a disk: mounts that, and goes there, where init.sh is PID 1
#
# vmrun.sh puts the settings before this: root (squashfs or overlay), root_disk.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

mount -t proc proc /proc
mount -t devtmpfs dev /dev
modprobe -a virtio_pci virtio_blk squashfs
mkdir /disk /changes /new
mount -t squashfs -o ro "$root_disk" /disk
if [ "$root" = overlay ]; then
	modprobe overlay
	mount -t tmpfs tmpfs /changes
	mkdir /changes/upper /changes/work
	mount -t overlay -o lowerdir=/disk,upperdir=/changes/upper,workdir=/changes/work overlay /new
else
	mount --move /disk /new
fi
umount /dev /proc
exec switch_root /new /init
