# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# devices.sh - in a guest with cgroups of version 2 and a root that can be left: an app that keeps CAP_SYS_ADMIN
#
# After stores.sh, whose judge it uses. /admin.aci has a busybox and /detach in it.
place=devices

R='/rktbox rkt --dir=/run/devices --insecure-options=image'
$R fetch /admin.aci >/run/out 2>/run/err
admin() { # SCRIPT
	$R run --net=none $pod_options example.com/admin --exec=/bin/sh -- -c "mkdir /m; mount -t devtmpfs dev /m && echo mounted; $1" 2>/run/err
}

pod_options=''
judge "an app mounts a devtmpfs, and opens what it has in /dev" "$(admin 'head -c 1 /m/zero | wc -c')" "$(printf 'mounted\n1')"
judge "and nothing else" "$(admin '(exec 3</m/console) || echo refused; (exec 3<>/m/loop-control) || echo refused')" \
	"$(printf 'mounted\nrefused\nrefused')"
judge "by its cgroup" "$(grep -c 'Operation not permitted' /run/err)" 2
judge "it makes no node" "$(admin 'mount -t tmpfs t /m; mknod /m/n c 5 1 || echo not made; mknod /m/n c 1 3 || echo not made')" \
	"$(printf 'mounted\nnot made\nnot made')"
judge "it does not get rid of that" "$(admin 'mkdir /c; mount -t cgroup2 c /c && /detach /c; (exec 3</m/console) || echo refused')" \
	"$(printf 'mounted\nNo such file or directory\nrefused')"
pod_options='--volume=c,kind=host,source=/dev/console,readOnly=true --mount=volume=c,target=/console'
judge "a device volume, for reading" "$(admin '(exec 3</m/console) && echo opened; (exec 3>/m/console) || echo refused')" \
	"$(printf 'mounted\nopened\nrefused')"
$R gc --grace-period=0s >/run/out 2>&1
$R gc --grace-period=0s >/run/out 2>&1
judge "gc leaves no cgroup" "$(find /sys/fs/cgroup -type d | grep -E '[0-9a-f]{8}-[0-9a-f]{4}')" ''
