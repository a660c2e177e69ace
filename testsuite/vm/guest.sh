# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# guest.sh - the cases that run inside the guest; prints "ok - NAME" or "not ok - NAME # WHY" for each
#
# vm.tests puts these beside it: /rktbox, /busybox.aci (with /escape and /calls in it), /isolators.sh, /learn.sh, perhaps /policy, and
# in $cgroup what is mounted.

. /judge.sh
R="/rkt --dir=${data:-/data} --insecure-options=image"
ln -s rktbox /rkt
touch /only-on-the-host

app() { # SHELL COMMANDS, in a pod of one app; its stdout here
	$R run --net=none $pod_options example.com/busybox $options --exec=/bin/sh -- -c "$1" 2>/err
}

group_value() { # V2FILE V1CONTROLLER V1FILE: of the pod that runs
	for d in $(find /sys/fs/cgroup -type d -name "*$uuid*"); do
		find "$d" \( -name "$1" -o -path "*/$2/*$3" \) -exec cat {} \;
	done 2>/dev/null | sort -u | grep -v -e '^max' -e '^9223372036854771712' -e '^-1$' | head -n 1
}

$R fetch /busybox.aci >/out 2>/err
judge "fetch" "$?" 0

pod_options='' options=''
judge "the app's root is the image's" "$(app 'ls -d /only-on-the-host /rktbox /.vmrun /bin/busybox 2>/dev/null')" /bin/busybox
judge "no process of the host in the app's /proc" "$(app 'grep -l "vmru[n]" /proc/[0-9]*/cmdline | wc -l')" 0
app 'exit 7' >/out
judge "exit status" "$?" 7
app 'kill -TERM $$' >/out
judge "exit status after a signal" "$?" 143
app '/escape /only-on-the-host; echo $?' >/out
judge "no way out of the root" "$(cat /out)" 1
judge "no mount of the host in the app's table" \
	"$(app "awk '\$5 !~ \"^/(proc|sys|dev)(/|\$)\" {print \$5}' /proc/self/mountinfo" | grep -v -e '^/etc/' -e '^/run' | sort -u | tr '\n' ' ')" '/ '
judge "two starts do not see each other's files" "$(app 'echo x >/tmp/x'; app 'ls /tmp')" ''
pod_options='--no-overlay'
judge "a copied root" "$(app 'ls -d /only-on-the-host /bin/busybox 2>/dev/null')" /bin/busybox
pod_options='' options='--readonly-rootfs'
judge "a read-only root" "$(app 'touch /x 2>/dev/null || echo no')" no
options=''
judge "a denied call" "$(app '/calls getpid unshare i386 newer')" "$(printf 'getpid 0\nunshare 1\ni386 38\nnewer 38')"
options='--seccomp mode=remove,errno=ENOTTY,getpid,sendmsg'
judge "a set of denied calls" "$(app '/calls getpid getppid unshare')" "$(printf 'getpid 25\ngetppid 0\nunshare 25')"
$R run --net=none --uuid-file-save=/uuid example.com/busybox --seccomp mode=retain,write,uname --exec=/calls -- \
	getpid uname capset >/out 2>/err
judge "a set of allowed calls" "$(cat /out)" "$(printf 'getpid 1\nuname 14\ncapset 1')"
judge "what was denied" "$($R logs --denied "$(cat /uuid)" | sort | tr '\n' ' ')" 'capset 1 getpid 1 '
options=''

# devices as volumes: node 5:1 is none that apps have by themselves
pod_options='--volume=k,kind=host,source=/dev/console,readOnly=true' options='--mount volume=k,target=/dev/k'
if [ "$cgroup" = none ]; then
	app true >/out
	judge "a device volume that cannot be kept apart is refused" \
		"$? $(grep -c 'the cgroup controller "devices" is not available' /err)" '254 1'
else
	judge "a read-only device volume" \
		"$(app '(exec 3</dev/k) && echo opened; (exec 3>/dev/k) || echo refused; mknod /n c 5 1 || echo not made')" \
		"$(printf 'opened\nrefused\nnot made')"
	judge "by the cgroup, and not by the mount" "$(grep -c -E "/dev/k.*Operation not permitted|/n.*Operation not permitted" /err)" 2
	judge "the standard nodes" "$(app 'for n in null zero full random urandom; do head -c 1 /dev/$n >/dev/null && echo $n; done' | wc -l)" 5
	pod_options='--volume=k,kind=host,source=/dev/console'
	judge "a device volume" "$(app '(exec 3<>/dev/k) && echo opened')" opened
fi
pod_options='' options=''
# users of the pod's own: of a host whose root file system cannot be mapped, roots are in memory and volumes refused
pod_options='--private-users'
case $root-$(uname -r) in
ramfs-* | tmpfs-6.1*) want=refused ;;
*) want='' ;;
esac
if [ "$want" ] && [ -z "${data:-}" ]; then
	app true >/out
	judge "own users: an image that cannot be mapped" \
		"$(grep -c 'the image as it is rendered (another way, --render=erofs, loop or tree, may do): \(rootfs\|tmpfs\), of which this kernel' /err)" 1
	modprobe loop
	R_before=$R R="$R --render=loop"
fi
judge "own users: ids of the host that nobody has" \
	"$(app 'set -- $(cat /proc/self/uid_map /proc/self/gid_map); echo $1 $3 $4 $6; [ $2 = $5 ] && [ $2 -ge 1879048192 ] && id -u')" \
	"$(printf '0 65536 0 65536\n0')"
judge "own users: files belong to the pod's" \
	"$(app 'touch /x /tmp/y /dev/z; chown 7:8 /bin/busybox; stat -c %u:%g / /x /tmp/y /dev /dev/z /dev/pts/ptmx /bin/busybox | sort -u')" \
	"$(printf '0:0\n7:8')"
judge "own users: no way out of the root" "$(app '/escape /only-on-the-host; echo $?')" 1
judge "own users: files of the host's root" "$(app 'cat /proc/kpagecount 2>/dev/null || echo no')" no
mkdir -p "${data:-/data}/../vol"
echo x >"${data:-/data}/../vol/f"
chmod 600 "${data:-/data}/../vol/f"
[ "$want" ] && [ -z "${data:-}" ] || want='0:0 0:0'
pod_options="--private-users --volume=v,kind=host,source=$(cd "${data:-/data}/../vol" && pwd) --mount volume=v,target=/v"
judge "own users: a host volume" \
	"$(app 'touch /v/new && stat -c %u:%g /v/f | tr "\n" " "' && stat -c %u:%g "${data:-/data}/../vol/new" ||
		{ grep -q 'volume v: .*: \(rootfs\|tmpfs\), of which this kernel cannot map owners' /err && echo refused; })" "$want"
# one that keeps CAP_SYS_ADMIN, on a host whose root it could get back without a user namespace
pod_options=''
$R prepare example.com/busybox --exec=/bin/sh -- -c \
	'mount -t tmpfs x /tmp && echo mounted; umount -l /; umount /proc/keys; ls -d /only-on-the-host; /escape /only-on-the-host; echo $?' >/uuid 2>/err
$R cat-manifest "$(cat /uuid)" | tr -d '\n' | sed 's|"app": *{|&"isolators":[{"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_SYS_ADMIN","CAP_SYS_CHROOT"]}}],|' >/manifest
judge "own users: CAP_SYS_ADMIN gets nothing of the host" \
	"$($R run --net=none --private-users --pod-manifest=/manifest 2>/err | tr '\n' ' ')" 'mounted 1 '
$R rm "$(cat /uuid)" >/out 2>/err

$R run --private-users --net=none --uuid-file-save=/uuid2 example.com/busybox --user=1000 --group=1000 --exec=/bin/sleep -- 1000 >/out2 2>/err2 &
i=0
until $R enter "$(cat /uuid2 2>/dev/null)" /bin/sh -c 'id -u; test "$(readlink /proc/self/ns/user)" = "$(readlink /proc/2/ns/user)"' >/entered 2>/dev/null; do
	i=$((i + 1))
	[ $i -lt 100 ] || break
	sleep 0.1
done
judge "own users: enter is in the app's user namespace" "$i $(cat /entered)" "${i%100*} 1000"
$R stop "$(cat /uuid2)" >/out2 2>&1
wait
R=${R_before:-$R}

# Since 6.11 a kernel may have the memory controller for v2 only; 6.12 of Debian is such a one.
limits='--memory=48Mi --cpu=500m'
case $cgroup in
none) limits='' ;;
v1) [ -d /sys/fs/cgroup/memory ] || limits='' ;;
esac
$R run --net=none --uuid-file-save=/uuid example.com/busybox $limits --exec=/bin/sleep -- 1000 >/out 2>/err &
i=0
until $R status --uuid-file=/uuid 2>/dev/null | grep -q '^pid='; do
	i=$((i + 1))
	[ $i -lt 600 ] || break
	sleep 0.1
done
uuid=$(cat /uuid)
judge "a pod runs" "$($R status "$uuid" | grep '^state=')" state=running
if [ -n "$limits" ]; then
	judge "the memory limit is in the cgroup" "$(group_value memory.max memory memory.limit_in_bytes)" 50331648
	judge "the cpu limit is in the cgroup" "$(group_value cpu.max cpu cpu.cfs_quota_us | cut -d' ' -f1)" 50000
fi
judge "enter shows the app's root" "$($R enter "$uuid" /bin/sh -c 'ls -d /only-on-the-host /bin/busybox' 2>/dev/null)" \
	/bin/busybox
$R stop "$uuid" >/out 2>/err
judge "stop" "$?" 0
wait
judge "the pod has exited" "$($R status "$uuid" | grep '^state=')" state=exited

if [ -n "$limits" ]; then
	$R run --net=none example.com/busybox --memory=16M --exec=/bin/sh -- -c \
		'head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null' >/out 2>/err
	judge "an app that wants more memory than it may have is killed" "$?" 137
else
	$R run --net=none example.com/busybox --memory=16M --exec=/bin/true >/out 2>/err
	judge "a limit that cannot be is refused" \
		"$? $(grep -c 'memory limit: the cgroup controller "memory" is not available: mount cgroup2' /err)" '254 1'
fi

. /isolators.sh
. /learn.sh

$R gc --grace-period=0s >/out 2>&1
$R gc --grace-period=0s >/out 2>&1
judge "gc leaves no pod" "$($R list --no-legend 2>/err)" ''
judge "gc leaves no mount" "$(grep -E "${data:-/data}/|overlay" /proc/mounts)" ''
judge "gc leaves no cgroup" "$(find /sys/fs/cgroup -type d | grep -E '[0-9a-f]{8}-[0-9a-f]{4}')" ''
judge "gc leaves no process" "$(ps | grep -E 'stage1|sleep 1000' | grep -v grep)" ''

# ---- a user's pods, in a user namespace

mkdir -p /etc /home/user
grep -q '^user:' /etc/passwd 2>/dev/null || printf 'root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >/etc/passwd
grep -q '^user:' /etc/group 2>/dev/null || printf 'root:x:0:\nuser:x:1000:\n' >/etc/group
chown 1000:1000 /home/user
as_user() { # ARGUMENTS of rkt; where groups of version 2 are, alone in one that is the user's
	set -- /rkt --insecure-options=image --dir=/home/user/data "$@"
	if [ $cgroup = v2 ]; then
		[ -d /sys/fs/cgroup/user ] || mkdir /sys/fs/cgroup/user
		for c in memory cpu pids; do echo +$c >/sys/fs/cgroup/cgroup.subtree_control; done 2>/dev/null
		chown 1000:1000 /sys/fs/cgroup/user /sys/fs/cgroup/user/cgroup.*
	fi
	# shellcheck disable=SC2016
	sh -c '[ ! -d /sys/fs/cgroup/user ] || echo $$ >/sys/fs/cgroup/user/cgroup.procs
		exec su user -s /bin/sh -c "exec $*"' sh "$@"
}
as_user fetch /busybox.aci >/out 2>/err
judge "a user fetches" "$?" 0
as_user run example.com/busybox --exec=/escape -- /only-on-the-host >/out 2>/err
judge "a user's pod: no way out of the root" "$?" 1
as_user run example.com/busybox --memory=48Mi --exec=/bin/sh -- -c '"cat /sys/fs/cgroup/memory.max /proc/self/uid_map; ls -d /only-on-the-host /bin/busybox"' \
	>/out 2>/err
case $cgroup in v2) want='50331648 ' ;; *) want='' ;; esac
judge "a user's pod: its root, its ids, its limit" "$(tr -s ' \n' ' ' </out | sed 's/^ //')" "${want}0 1000 1 /bin/busybox "
judge "a user's pod: a limit that cannot be is told" "$(grep -c 'resource/memory is ignored: ' /err)" "$([ $cgroup = v2 ] || echo 1)$([ $cgroup != v2 ] || echo 0)"
# which are his, as its root
printf '{"acKind": "PodManifest", "acVersion": "0.8.11", "isolators": [{"name": "os/unix/sysctl", "value":
	{"net.ipv4.ip_default_ttl": "33", "kernel.shmmax": "123456"}}], "apps": [{"name": "a", "image": {"id": "%s"}, "app":
	{"exec": ["/bin/cat", "/proc/sys/net/ipv4/ip_default_ttl", "/proc/sys/kernel/shmmax"], "user": "0", "group": "0"}}]}' "$id" >/pm
as_user run --pod-manifest=/pm >/out 2>/err
judge "a user's pod: sysctls" "$? $(tr '\n' ' ' </out)" '0 33 123456 '
as_user gc --grace-period=0s >/out 2>/err
judge "a user's pods: gc" "$? $(as_user list --no-legend) $(find /sys/fs/cgroup/user -mindepth 1 -type d 2>/dev/null)" '0  '

# what users are refused by, as it is called; the one of AppArmor only some kernels have
forbidden() { # SETTING VALUE
	f=/proc/sys/$(echo "$1" | tr . /)
	was=$(cat "$f")
	echo "$2" >"$f"
	as_user run example.com/busybox >/out 2>/err
	judge "$1 is $2: a user is told" \
		"$? $(grep -c "^run: .*: $1 is $2: root can .*sysctl $1=.* (see rkt doctor ns-user-nonroot)$" /err)" '254 1'
	as_user doctor >/out 2>/err
	judge "$1 is $2: so does the doctor" "$? $(grep -c "^ns-user-nonroot missing .*: $1 is $2: root can .*sysctl $1=" /out)" '1 1'
	$R doctor ns-user-nonroot >/out 2>/err
	judge "$1 is $2: and root's" "$(grep -c "^ns-user-nonroot missing .*: $1 is $2: root can .*sysctl $1=" /out)" 1
	echo "$was" >"$f"
}
forbidden user.max_user_namespaces 0
forbidden kernel.unprivileged_userns_clone 0
[ ! -e /proc/sys/kernel/apparmor_restrict_unprivileged_userns ] || forbidden kernel.apparmor_restrict_unprivileged_userns 1
as_user run example.com/busybox --exec=/bin/true >/out 2>/err
judge "and allowed again" $? 0
