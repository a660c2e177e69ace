# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# doctor.sh - the cases of doctor.tests that run in a guest; prints what guest.sh prints
#
# /rktbox; $modules: none, so that the kernel has none and gets none, or all.
D='/rktbox rkt --dir=/data doctor'

judge() { # NAME GOT WANT
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1 # got \"$2\", want \"$3\""
		sed 's/^/  | /' /out | cut -c1-300
	fi
}

verdicts() { # ID...
	$D --all "$@" >/out 2>&1
	echo "$? $(awk '{printf "%s=%s ", $1, $2}' /out)"
}

loaded() { cut -d' ' -f1 /proc/modules | sort | tr '\n' ' '; }

before=$(loaded)
judge "this is what it was made to be" "$(verdicts root proc sys ns-mnt ns-net openat2 mount-setattr)" \
	'0 root=ok proc=ok sys=ok ns-mnt=ok ns-net=ok openat2=ok mount-setattr=ok '
if [ "$modules" = none ]; then
	judge "overlayfs, EROFS, loop" "$(verdicts overlay overlay-options erofs erofs-file loop store)" \
		'0 overlay=missing overlay-options=unknown erofs=missing erofs-file=missing loop=missing store=degraded '
	grep -q '^overlay .*remedy: CONFIG_OVERLAY_FS, module overlay$' /out
	judge "it says which module" $? 0
	grep -q '^store degraded (faster): tree' /out
	judge "images are unpacked" $? 0
	judge "cgroups version 2" "$(verdicts cgroup cgroup-memory cgroup-cpu cgroup-pids cgroup-io cgroup-devices)" \
		'0 cgroup=ok cgroup-memory=ok cgroup-cpu=ok cgroup-pids=ok cgroup-io=ok cgroup-devices=ok '
	judge "confinement" "$(verdicts landlock selinux apparmor io-throttle caps-limits)" \
		'0 caps-limits=ok landlock=ok selinux=missing apparmor=ok io-throttle=ok '
	mkdir -p /sys/fs/cgroup/a/b
	echo 0 >/sys/fs/cgroup/a/b/cgroup.procs
	judge "a group that was given nothing" "$(verdicts cgroup cgroup-memory cgroup-devices)" \
		'0 cgroup=ok cgroup-memory=missing cgroup-devices=ok '
	grep -q '^cgroup-memory .*: memory limit: the group /sys/fs/cgroup/a/b was not given the cgroup controller "memory"' /out
	judge "and who has to give" $? 0
	echo +memory >/sys/fs/cgroup/a/cgroup.subtree_control
	judge "a group that was given one" "$(verdicts cgroup-memory cgroup-pids)" '0 cgroup-memory=ok cgroup-pids=missing '
	echo 0 >/sys/fs/cgroup/cgroup.procs
	judge "no cgroup stays" "$(find /sys/fs/cgroup -name 'rkt-doctor*')" ''
	judge "a ramfs holds no upper layer" "$(verdicts overlay-upper)" '0 overlay-upper=missing '
	judge "what is loadable is not asked for" "$(verdicts veth bridge macvlan)" '0 veth=unknown bridge=unknown macvlan=unknown '
	rm -rf /lib/modules
	judge "what is not loadable is missing" "$(verdicts veth bridge macvlan)" '0 veth=missing bridge=missing macvlan=missing '
	judge "no module was loaded" "$(loaded)" "$before"
else
	judge "cgroups version 1" "$(verdicts cgroup cgroup-memory cgroup-cpu cgroup-devices)" \
		'0 cgroup=ok cgroup-memory=ok cgroup-cpu=ok cgroup-devices=ok '
	judge "not loaded yet, and left alone" "$(verdicts veth)$(loaded)" "0 veth=unknown $before"
	modprobe -a veth overlay loop erofs
	judge "once they are loaded" "$(verdicts veth overlay overlay-options overlay-volatile erofs erofs-file loop store)" \
		'0 overlay=ok overlay-options=ok overlay-volatile=ok erofs=ok erofs-file=missing loop=ok store=ok veth=ok '
	grep -q '^store ok (faster): loop' /out
	judge "images are mounted from loop devices" $? 0
	judge "no loop device stays" "$(cat /sys/block/loop*/loop/backing_file 2>/dev/null)" ''
	$D >/dev/null
	find /sys/fs/cgroup -name 'rkt-doctor*' >/out
	judge "no cgroup stays" "$(cat /out)" ''
	umount -a -t cgroup
	judge "without cgroups" "$(verdicts cgroup cgroup-memory)" '0 cgroup=missing cgroup-memory=missing '
	umount /proc
	judge "without /proc" "$(verdicts proc ns-mnt overlay)" '1 proc=missing ns-mnt=ok overlay=ok '
	umount -a -t tmpfs,devtmpfs 2>/dev/null
fi
