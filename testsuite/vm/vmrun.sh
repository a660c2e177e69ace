#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# vmrun.sh - runs a shell command as root in a throw-away QEMU guest and exits with its status
#
# The guest's root holds busybox and the files given; it is an initramfs, or what -r says. Its kernel is Debian's, and QEMU too
# where it is not installed; both are downloaded once into the cache, nothing is installed on the host.
# The command's output is this script's output; the guest's console is shown when it dies without a status.
set -eu

usage() {
	cat >&2 <<-'EOT'
	usage: vmrun.sh [OPTION...] -- 'SHELL COMMANDS'
	  -m MB             memory (512)
	  -c N              processors (1)
	  -t SECONDS        the guest is killed after that (120)
	  -d IMAGE          a raw disk: the first is /dev/vda; or options of qemu's -drive, beginning
	                    with driver=
	  -f HOST:GUEST     copy a file or directory into the guest
	  -b HOST[:GUEST]   the same, with the shared libraries of a dynamic executable
	  -k KERNEL         6.1 (default), 6.12, or the name of a Debian package
	  -M 'MODULE ...'   load these first; "none": and no module by itself either
	  -r ROOT           what / is: tmpfs (default), ramfs, squashfs (a disk, read-only, with a
	                    tmpfs on /tmp and /run), or overlay: a tmpfs above the squashfs
	  -a 'ARGUMENTS'    of the kernel
	  -n                a network: eth0 is 10.0.2.15/24, the host 10.0.2.2
	  --cgroup KIND     on /sys/fs/cgroup: v2 (default), v1, hybrid or none
	  -v                the console on stderr
	  --fetch           only fill the cache
	-d, -f and -b may be repeated.
	Exit status: the command's; 124 time is over, 125 the guest died, 126 no guest could be made.
	Environment: VMRUN_ACCEL=kvm|tcg; VMRUN_DRIVE, more disk options; VMRUN_PIDFILE=FILE, of qemu
	EOT
	exit 126
}

die() {
	echo "vmrun: $*" >&2
	exit 126
}

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rktbox/vm
top=$(mktemp -d "${TMPDIR:-/tmp}/vmrun.XXXXXX")
stage=$top/root
qemu_pid=''
clean_up() {
	[ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null || :
	rm -rf "$top"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$stage" "$cache"

. "$here/parts.sh"

# ---- what the guest gets

put() { # HOST GUEST: into the initramfs; a link at the top is followed
	[ -e "$1" ] || die "no such file: $1"
	case $2 in
	/*) ;;
	*) die "not an absolute path in the guest: $2" ;;
	esac
	mkdir -p "$stage${2%/*}"
	if [ -d "$1" ]; then
		mkdir -p "$stage$2"
		cp -a "$1/." "$stage$2/"
	else
		cp -pL "$1" "$stage$2"
	fi
}

put_arg() { # HOST[:GUEST]
	case $1 in
	?*:/*) put "${1%%:/*}" "/${1#*:/}" ;;
	/*) put "$1" "$1" ;;
	*) usage ;;
	esac
}

put_libraries() { # HOST[:GUEST]
	for lib in $(ldd "${1%%:/*}" 2>/dev/null | grep -o '/[^ )]*' || :); do put "$lib" "$lib"; done
}

n_disks=0 devices=''
add_disk() {
	case $1 in
	*\ *) die "a disk's name cannot have blanks: $1" ;;
	driver=*) drive=$1 ;;
	*,*) die "a disk's name cannot have commas: $1" ;;
	*)
		[ -f "$1" ] || [ -b "$1" ] || die "no such disk: $1"
		drive=format=raw,file=$1,${VMRUN_DRIVE:-cache=writeback}
		;;
	esac
	devices="$devices -drive if=none,id=d$n_disks,$drive -device virtio-blk-pci,drive=d$n_disks"
	n_disks=$((n_disks + 1))
}

memory=512 cpus=1 limit=120 kernel=6.1 modules='' append='' root=tmpfs net='' verbose='' cgroup=v2 fetch=''
while [ $# -gt 0 ]; do
	case $1 in
	-[mctdfbkMra] | --cgroup)
		[ $# -ge 2 ] || usage
		opt=$1 arg=$2
		shift 2
		;;
	*)
		opt=$1
		shift
		;;
	esac
	case $opt in
	-m) memory=$arg ;;
	-c) cpus=$arg ;;
	-t) limit=$arg ;;
	-d) add_disk "$arg" ;;
	-f) put_arg "$arg" ;;
	-b)
		put_arg "$arg"
		put_libraries "$arg"
		;;
	-k) kernel=$arg ;;
	-M) modules=$arg ;;
	-a) append=$arg ;;
	-r)
		case $arg in tmpfs | ramfs | squashfs | overlay) root=$arg ;; *) usage ;; esac
		;;
	-n) net=1 ;;
	-v) verbose=1 ;;
	--cgroup)
		case $arg in v1 | v2 | hybrid | none) cgroup=$arg ;; *) usage ;; esac
		;;
	--fetch) fetch=1 ;;
	--) break ;;
	*) usage ;;
	esac
done
[ -n "$fetch" ] || [ $# -ge 1 ] || usage

find_qemu
find_kernel "$kernel"
[ -z "$fetch" ] || exit 0

# ---- the guest's root: the kernel's part of it, and this run's

script() { # FILE SCRIPT: that script with the settings before it
	{
		echo '#!/bin/busybox sh'
		echo "cgroup=$cgroup net='$net' n_disks=$n_disks modules='$modules' root=$root root_disk=$root_disk"
		cat "$here/$2"
	} >"$1"
	chmod 755 "$1"
}

# All of it on a disk of its own, and an initramfs with nothing but the way there
make_root_disk() {
	command -v mksquashfs >/dev/null || die "needs mksquashfs (of squashfs-tools)"
	mkdir "$top/whole" "$top/first"
	(cd "$top/whole" && "$kernel_dir/busybox" cpio -id 2>/dev/null) <"$kernel_dir/base.cpio"
	cp -a "$stage/." "$top/whole"
	mksquashfs "$top/whole" "$top/root.squashfs" -quiet -no-progress >"$top/err" 2>&1 || die "$(cat "$top/err")"
	root_disk=/dev/vd$(echo abcdefgh | cut -c$((n_disks + 1)))
	add_disk "$top/root.squashfs"
	stage=$top/first
	script "$stage/init" root.sh
}

root_disk=''
mkdir "$stage/.vmrun"
printf '%s\n' "$*" >"$stage/.vmrun/command"
script "$stage/init" init.sh
case $root in
squashfs | overlay) make_root_disk ;;
ramfs) append="rootfstype=ramfs $append" ;;
esac
# archives add up
(cd "$stage" && find . | "$kernel_dir/busybox" cpio -o -H newc 2>/dev/null) >"$top/run.cpio"
cat "$kernel_dir/base.cpio" "$top/run.cpio" >"$top/initrd"

# KVM only where the processor itself runs guests: other hypervisors may offer /dev/kvm too, but only for
# guest kernels made for them.
accel='-accel tcg'
if [ -d /sys/module/kvm_intel ] || [ -d /sys/module/kvm_amd ]; then accel='-accel kvm -accel tcg'; fi
[ -z "${VMRUN_ACCEL:-}" ] || accel="-accel $VMRUN_ACCEL"
[ -z "$net" ] || devices="$devices -netdev user,id=n0 -device virtio-net-pci,netdev=n0,romfile="

# ---- the run: the console goes to a file, the command's output over a second line to stdout

set +e
# shellcheck disable=SC2086
LD_LIBRARY_PATH=$qemu_lib timeout -k 5 "$limit" "$qemu" $qemu_data -nodefaults -no-user-config \
	-display none -no-reboot -M pc $accel -cpu max -m "$memory" -smp "$cpus" \
	${VMRUN_PIDFILE:+-pidfile "$VMRUN_PIDFILE"} \
	-kernel "$kernel_dir/vmlinuz" -initrd "$top/initrd" $devices -serial "file:$top/console" \
	-chardev stdio,id=out,signal=off -serial chardev:out \
	-append "console=ttyS0 quiet no_timer_check reboot=t panic=-1 $append" </dev/null 2>"$top/err" &
qemu_pid=$!
wait "$qemu_pid"
qemu_status=$?
qemu_pid=''
set -e
touch "$top/console"
[ -z "$verbose" ] || cat "$top/console" >&2
status=$(tr -d '\r' <"$top/console" | sed -n 's/^VMRUN_STATUS=\([0-9]*\)$/\1/p' | tail -n 1)
[ -z "$status" ] || exit "$status"
[ -n "$verbose" ] || tail -n 25 "$top/console" >&2
cat "$top/err" >&2
echo "vmrun: no status from the guest (at most $limit s; qemu: $qemu_status)" >&2
if [ "$qemu_status" = 124 ]; then exit 124; else exit 125; fi
