# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# bare.sh - a host that has next to nothing; runs inside the guest and prints what guest.sh does
#
# Its root is read-only and holds rkt and mount points: no shell, no /etc, no /run, no /tmp. What carries this script out
# is the guest's busybox, which is in nobody's file system any more. All that rkt does has 64 MiB of memory, the store
# on a tmpfs included. vm.tests puts /rktbox and /busybox.aci beside it.

. /judge.sh
# shellcheck disable=SC2034 # of judge.sh
said=/data/err
if [ -z "${inside:-}" ]; then
	mkdir /tmp/bare
	mount -t tmpfs bare /tmp/bare && cd /tmp/bare && mkdir dev proc sys data old && cp /rktbox rkt || exit 9
	mount -t tmpfs data data && cp /busybox.aci /i386.aci data || exit 9
	mount -t proc proc proc && mount -t sysfs sysfs sys && mount -t devtmpfs dev dev || exit 9
	mount -t cgroup2 cgroup2 sys/fs/cgroup && mount -o remount,ro . || exit 9
	# with the applets of the shell itself, wherever its file is
	inside=1 busybox unshare -m busybox sh /bare.sh || echo "not ok - all cases # status $?"
	return
fi

mount --make-rprivate / && pivot_root . old && cd / && umount -l /old || exit 9
group=/sys/fs/cgroup/bare
mkdir $group && echo 64M >$group/memory.max && echo $$ >$group/cgroup.procs || exit 9
R="/rkt --dir=/data/store --insecure-options=image"

judge "nothing but rkt and mount points" "$(ls -A / | tr '\n' ' ')" 'data dev old proc rkt sys '
judge "the root is read-only" "$(touch /x 2>/dev/null || echo no)" no
$R fetch /data/busybox.aci >/data/out 2>/data/err
judge "fetch" "$?" 0
rm /data/busybox.aci
$R run --net=none example.com/busybox --exec=/bin/sh -- -c 'echo in the pod; exit 7' >/data/out 2>/data/err
judge "the status of an app" "$?" 7
judge "what it printed" "$(cat /data/out)" 'in the pod'
judge "the image's root" "$($R run --net=none example.com/busybox --exec=/bin/sh -- -c 'ls -d /bin/sh /rkt 2>/dev/null' 2>/data/err)" /bin/sh
$R run --net=none --uuid-file-save=/data/uuid example.com/busybox --exec=/bin/sleep -- 1000 >/data/out 2>/data/err &
i=0
until $R status --uuid-file=/data/uuid 2>/dev/null | grep -q '^pid='; do
	i=$((i + 1))
	[ $i -lt 600 ] || break
	sleep 0.1
done
judge "a pod runs" "$($R list --no-legend 2>/data/err | grep -c running)" 1
judge "enter" "$($R enter "$(cat /data/uuid)" /bin/sh -c 'echo $((6 * 7))' 2>/data/err)" 42
$R stop --uuid-file=/data/uuid >/data/out 2>/data/err
judge "stop" "$?" 0
wait
$R gc --grace-period=0s >/data/out 2>/data/err
judge "gc" "$? $($R list --no-legend)" '0 '
$R image rm example.com/busybox >/data/out 2>/data/err
judge "image rm" "$?" 0
$R fetch /data/i386.aci >/data/out 2>/data/err
$R run --net=none example.com/i386 -- getpid >/data/out 2>/data/err
status=$?
$R gc --grace-period=0s >/data/out2 2>&1
$R image rm example.com/i386 >/data/out2 2>&1
case $(uname -r) in
6.1.*) # cannot be told not to
	judge "a 32-bit image" "$status $(cat /data/out)" '0 getpid 0'
	;;
*)
	judge "a 32-bit image, which this kernel does not run" "$status $(cat /data/out)$(tail -n 1 /data/err)" \
		'126 Error: Unable to execute "/calls": Exec format error (see rkt doctor exec-32)'
	judge "and why" "$(/rkt doctor --all exec-32 2>&1 | sed 's/;.*//')" 'exec-32 missing (feature): a program for it is not executed'
	;;
esac
judge "no mount is left" "$(grep -c /data/ /proc/mounts)" 0
judge "nobody was killed for want of memory" "$(grep -h '^oom' $group/memory.events | tr '\n' ' ')" 'oom 0 oom_kill 0 oom_group_kill 0 '
