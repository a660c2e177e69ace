# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# eio.sh - the cases of eio.tests that run in the guest: a disk that fails at the Nth system call of a command
#
# /dev/vda is an ext4 below a dm-flakey; /images/{base,top,new}.aci, of which top has base as a dependency; /failat,
# dmsetup and e2fsck. Then the disk is whole again, and what is on it is judged. Prints what guest.sh prints.
# Kinds of failure: "writes" fail, "reads" (since Linux 6.5), or "all". $points: how many for each command and kind; $kinds: which,
# or nothing for the one that tells more about a command.

R='/rktbox rkt --dir=/data/rkt --insecure-options=image'
export DM_DISABLE_UDEV=1
sectors=$(cat /sys/class/block/vda/size)
mkdir -p /data
modprobe -a dm-mod dm-flakey loop

ok() { echo "ok - $1"; }

not_ok() { # NAME WHY
	echo "not ok - $1 # $2"
	for f in /cmd.out /cmd.err /out; do
		[ ! -s $f ] || tail -n 6 $f | cut -c1-300 | sed 's/^/  | /'
	done
	bad=1
}

# what happens at the call; the file system is not told before, or it would write what it has
cat >/fail <<-EOT
	#!/bin/sh
	case \$1 in
	writes) features='1 error_writes' ;;
	reads) features='1 error_reads' ;;
	all) features='' ;;
	esac
	dmsetup load disk --table "0 $sectors flakey /dev/vda 0 0 1000 \$features" &&
	dmsetup suspend --nolockfs --noflush disk && dmsetup resume disk || exit 1
	[ \$1 = writes ] || echo 3 >/proc/sys/vm/drop_caches
EOT
chmod 755 /fail
dmsetup create disk --table "0 $sectors linear /dev/vda 0" || exit 9

# A directory that cannot be read says nothing of what is mounted in it.
go_down() {
	for m in $(sed -n 's,^[^ ]* \(/data/rkt/cas/mnt/[^ ]*\) .*,\1,p' /proc/self/mounts); do umount "$m"; done 2>/dev/null
	umount /data
}

go_up() {
	dmsetup load disk --table "0 $sectors linear /dev/vda 0" && dmsetup suspend --nolockfs --noflush disk &&
		dmsetup resume disk && mount -t ext4 /dev/mapper/disk /data
}

# Whole again: the journal is replayed, by the mount first as on any host, and what the kernel noted of the errors
# needs a look.
heal() {
	go_down >/out 2>&1 || { not_ok "$at" "cannot unmount: $(mount | grep -c /data) mounts"; return 1; }
	go_up >/out 2>&1 || { not_ok "$at" "cannot mount"; return 1; }
	umount /data
	e2fsck -fp /dev/mapper/disk >/out 2>&1
	[ $? -le 1 ] || not_ok "$at" "e2fsck"
	mount -t ext4 /dev/mapper/disk /data
}

ids() { $R image list --full --no-legend --fields=id 2>/out; }

# Nothing that was acknowledged is lost, nothing is wrong, nothing is left, and it goes on.
judge_store() {
	[ -z "$prepared" ] || $R status "$prepared" 2>/out | grep -q state=prepared || not_ok "$at" "the prepared pod is lost"
	for id in $must; do
		ids | grep -q "$id" || not_ok "$at" "image $id is lost"
	done
	[ -z "$removed" ] || ! ids | grep -q "$removed" || not_ok "$at" "the removed image is back"
	$R gc --grace-period=0s --expire-prepared=0s >/out 2>&1 || not_ok "$at" "gc"
	[ -z "$($R list --no-legend 2>/out)" ] || not_ok "$at" "pods are left"
	left=$(find /data/rkt \( -name '.tmp.*' -o -name '.trash.*' -o -path '*/cas/mnt/*' -o -path '*/pods/*/*-*-*-*' \))
	[ -z "$left" ] || not_ok "$at" "left: $left"
	[ "$(find /data/rkt/cas/blob -type f | wc -l)" = "$(ids | wc -l)" ] || not_ok "$at" "blobs without an image"
	for id in $(ids); do
		$R image verify "$id" >/out 2>&1 || not_ok "$at" "image verify"
	done
	$R fsck >/out 2>&1 || not_ok "$at" "rkt fsck"
	[ "$($R run --net=none example.com/top --exec=/bin/cat -- /base /top 2>/out | tr '\n' ' ')" = 'base top ' ] ||
		not_ok "$at" "it does not go on working"
	$R gc --grace-period=0s >/out 2>&1
}

# A failure is told once, and with what the disk said: EIO, or that the file system has become read-only for it.
judge_command() {
	prepared='' removed=''
	case $status in
	0)
		[ -z "$promise" ] || must="$must $promise"
		case $command in
		*' prepare '*) prepared=$(cat /cmd.out) ;;
		*' image rm '*) removed=$new ;;
		*/bin/cat*) [ "$(tr '\n' ' ' </cmd.out)" = 'base top ' ] || not_ok "$at" "status 0 without what the app says" ;;
		esac
		;;
	*)
		grep -v -e '^image: using image' -e ': warning: ' -e ' image(s) could not be verified$' \
			-e ' image(s) cannot be removed$' /cmd.err >/said
		# an app whose files cannot be read ends as it likes, and says so itself; one whose own program cannot is killed
		# (SIGBUS), which nobody but its status tells
		[ "$status" = 135 ] && grep -q -x base /cmd.out && return
		grep -q -E 'I/O error|Input/output error|Read-only file system|Bus error' /said ||
			not_ok "$at" "status $status without the reason"
		# gc goes on, and tells of each thing that it could not remove
		[ "$name" = gc ] || [ "$(grep -c -E '^(run|fetch|image|prepare|stage1): ' /said)" -le 1 ] ||
			not_ok "$at" "status $status with more than one message"
		;;
	esac
	if grep -q -E 'panic|assert|Sanitizer|egmentation' /cmd.err; then not_ok "$at" "it crashed"; fi
}

once() { # KIND N
	bad=''
	at="$name: $1 fail from call $2 of $total on"
	$prepare >/out 2>&1 || { not_ok "$at" "prepare"; return; }
	sync
	[ "$1" = writes ] || echo 3 >/proc/sys/vm/drop_caches
	# shellcheck disable=SC2086
	FAILAT_COUNT=/count /failat "$calls" "$2" "/fail $1" $command >/cmd.out 2>/cmd.err
	status=$?
	dmsetup table disk | grep -q flakey || not_ok "$at" "the disk did not fail"
	judge_command
	heal || return
	judge_store
	[ -n "$bad" ] || ok "$at: status $status${verbose:+: $(tail -n 1 /said | cut -c1-200)}"
	: >/said
}

# try NAME KIND PREPARE PROMISE COMMAND...: PROMISE is the image that is in the store when the command succeeds
try() {
	name=$1 kind=$2 prepare=$3 promise=$4
	shift 4
	command=$*
	for kind in ${kinds:-$kind}; do
		[ "$kind" = writes ] && calls=writes || calls=all
		$prepare >/out 2>&1
		sync
		[ "$kind" = writes ] || echo 3 >/proc/sys/vm/drop_caches
		at="$name: $kind"
		# shellcheck disable=SC2086
		FAILAT_COUNT=/count /failat "$calls" 0 : $command >/cmd.out 2>/cmd.err || not_ok "$name" "fails on a whole disk"
		[ -z "$promise" ] || must="$must $promise"
		total=$(cat /count)
		$R gc --grace-period=0s --expire-prepared=0s >/out 2>&1
		i=0
		while [ $i -lt "$points" ]; do
			once "$kind" $((1 + (i * 2 + 1) * total / (2 * points)))
			i=$((i + 1))
		done
	done
}

# ---- what is prepared

mount -t ext4 /dev/mapper/disk /data || exit 9
base=$($R fetch --full /images/base.aci 2>/out) top=$($R fetch --full /images/top.aci 2>/out)
new=$($R fetch --full /images/new.aci 2>/out)
$R image rm "$new" >/out 2>&1
must="$base $top"

nothing() { :; }
forget_new() {
	must="$base $top"
	! ids | grep -q "$new" || $R image rm "$new"
}
have_new() {
	$R fetch /images/new.aci && must="$base $top $new"
}
will_forget_new() {
	have_new
	must="$base $top"
}
forget_rendered() { rm -rf /data/rkt/cas/index/* /data/rkt/cas/recipe/*; }
forget_trees() { rm -rf /data/rkt/cas/tree/*; }
have_garbage() {
	$R run --net=none example.com/top --exec=/bin/true && $R prepare example.com/top &&
		$R fetch /images/new.aci && $R run --net=none example.com/new --exec=/bin/true && $R image rm "$new"
	must="$base $top"
}

try "fetch" writes forget_new "$new" $R fetch /images/new.aci
try "fetch again" writes have_new "$new" $R fetch /images/new.aci
try "render a merged image" all forget_rendered '' $R run --net=none example.com/top --exec=/bin/cat -- /base /top
try "unpack a merged image" writes forget_trees '' $R --render=tree run --net=none example.com/top --exec=/bin/cat -- /base /top
try "run" all nothing '' $R run --net=none example.com/top --exec=/bin/cat -- /base /top
try "prepare" writes nothing '' $R prepare example.com/top
try "image rm" writes will_forget_new '' $R image rm "$new"
try "gc" writes have_garbage '' $R gc --grace-period=0s --expire-prepared=0s
try "image verify" all nothing '' $R image verify example.com/top
