# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# init.sh - PID 1 of the guest: mounts, modules, the command, and its status on the console
#
# vmrun.sh puts the settings before this: cgroup, net, n_disks, modules, root.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
if [ "$root" = squashfs ]; then
	for d in /tmp /run; do mount -t tmpfs -o mode=1777 tmpfs $d; done
fi
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
ln -sf /proc/self/fd /dev/fd
chmod 1777 /tmp /dev/shm
hostname vmrun
ip link set lo up

mount_v2() {
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	for c in $(cat /sys/fs/cgroup/cgroup.controllers); do
		echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control
	done
}

mount_v1() {
	mount -t tmpfs cgroup /sys/fs/cgroup
	for c in $(awk '$4 == 1 {print $1}' /proc/cgroups); do
		mkdir "/sys/fs/cgroup/$c"
		mount -t cgroup -o "$c" cgroup "/sys/fs/cgroup/$c" || rmdir "/sys/fs/cgroup/$c"
	done
}

case $cgroup in
v2) mount_v2 ;;
v1) mount_v1 ;;
hybrid)
	mount_v1
	mkdir /sys/fs/cgroup/unified
	mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
	;;
esac 2>/dev/null

[ "$n_disks" = 0 ] || modprobe -a virtio_pci virtio_blk
if [ -n "$net" ]; then
	modprobe -a virtio_pci virtio_net
	ip link set eth0 up
	ip addr add 10.0.2.15/24 dev eth0
	ip route add default via 10.0.2.2
fi
case $modules in
'') ;;
none) echo /none >/proc/sys/kernel/modprobe ;;
*) modprobe -a $modules ;;
esac

stty -F /dev/ttyS1 raw -echo
setsid sh /.vmrun/command </dev/null >/dev/ttyS1 2>&1
status=$?
sync
dmesg -n 1
stty -F /dev/ttyS1 raw # waits until the output is out
printf '\nVMRUN_STATUS=%s\n' $status >/dev/ttyS0
stty -F /dev/ttyS0 raw
reboot -f
