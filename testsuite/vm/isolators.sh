# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# isolators.sh - a part of guest.sh: isolators with other kernels, in cgroups of version 2, and with AppArmor

id=$($R image list --no-legend --full | cut -f1)

# a pod manifest of one app; isolators are JSON without spaces
pod() { # POD-ISOLATORS APP-ISOLATORS SHELL COMMANDS [OPTION]; its stdout here, UUID in /uuid
	printf '{"acKind": "PodManifest", "acVersion": "0.8.11", "isolators": [%s], "apps": [{"name": "a", "image": {"id": "%s"},
		"app": {"exec": ["/bin/sh", "-c", "%s"], "user": "0", "group": "0", "isolators": [%s]}}]}' "$1" "$id" "$3" "$2" >/pm
	$R run --net=none --uuid-file-save=/uuid $4 --pod-manifest=/pm 2>/err
}
verdict() { # SUBJECT
	$R status --uuid-file=/uuid 2>/dev/null | sed -n "s,^isolator-$1=,,p"
}
is() { # NAME VALUE: an isolator
	printf '{"name": "%s", "value": %s}' "$1" "$2"
}

io="$(is resource/block-bandwidth '{"default": true, "limit": "3M"}'),$(is resource/block-iops '{"default": true, "limit": 77}')"
case $cgroup in
v2)
	disk=$(cat /sys/block/vd*/dev | tail -n 1)
	pod "$(is resource/pids '{"limit": 40}'),$(is resource/cpu '{"limit": "800m"}')" \
		"$io,$(is resource/pids '{"limit": 50}'),$(is resource/memory '{"request": "8Mi", "limit": "48Mi"}'),$(is os/linux/cpu-shares 262144)" \
		'cd /sys/fs/cgroup; grep ^'"$disk"' io.max; cat pids.max memory.low memory.max cpu.weight cpu.max' >/out
	judge "version 2: limits of devices, processes, memory and processors" "$(tr '\n' ' ' </out)" \
		"$disk rbps=3000000 wbps=3000000 riops=77 wiops=77 40 8388608 50331648 10000 80000 100000 "
	judge "and what became of them" "$(verdict app/a/resource/block-iops) $(verdict app/a/resource/pids)" \
		"enforced changed: 40, which is the pod's limit"
	;;
v1 | hybrid)
	pod '' "$io" 'cd /sys/fs/cgroup/blkio && cat blkio.throttle.read_bps_device blkio.throttle.write_iops_device | cut -d\" \" -f2 | sort -u' >/out
	judge "version 1: limits of devices" "$(tr '\n' ' ' </out)$(verdict app/a/resource/block-iops)" '3000000 77 enforced'
	;;
none)
	pod '' "$io" 'echo started' >/out
	judge "without cgroups limits of devices are ignored" "$(cat /out) $(verdict app/a/resource/block-iops | cut -d: -f1)" 'started ignored'
	grep -q 'app a: resource/block-bandwidth is ignored:' /err
	judge "and that is said" $? 0
	;;
esac

# 6.1 has version 2 of Landlock's interface, which cannot deny truncate()
pod '' "$(is os/linux/landlock '{"read": ["/bin", "/dev"], "execute": ["/bin"], "write": ["/dev"]}')" \
	'cat /etc/passwd 2>/dev/null || echo denied; true >/etc/new 2>/dev/null || echo denied; cat /bin/busybox >/dev/null && echo read' >/out
judge "Landlock" "$(tr '\n' ' ' </out)" 'denied denied read '
case $(uname -r) in
6.1.*) want='changed: truncate() is not denied' ;;
*) want=enforced ;;
esac
judge "and what became of it" "$(verdict app/a/os/linux/landlock | cut -c1-33)" "$want"

pod "$(is os/unix/sysctl '{"net.ipv4.ip_default_ttl": "33", "kernel.shmmax": "123456"}')" '' \
	'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmax' >/out
judge "sysctls are the pod's" "$(tr '\n' ' ' </out)$(cat /proc/sys/net/ipv4/ip_default_ttl)" '33 123456 64'
R_before=$R R="$R --render=loop" # which can be mapped everywhere
modprobe loop
pod "$(is os/unix/sysctl '{"net.ipv4.ip_default_ttl": "33", "kernel.shmmax": "123456", "fs.mqueue.msg_max": "7"}')" '' \
	'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmax /proc/sys/fs/mqueue/msg_max' --private-users >/out
judge "own users: sysctls are the pod's" "$(tr '\n' ' ' </out)$(cat /proc/sys/net/ipv4/ip_default_ttl)" '33 123456 7 64'
R=$R_before
pod '' "$(is os/unix/rlimits '{"nofile": {"soft": 20, "hard": "unlimited"}}'),$(is os/linux/oom-score-adj -300)" \
	'ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj' >/out
judge "limits above the caller's, a score below it" "$(tr '\n' ' ' </out)" "20 $(cat /proc/sys/fs/nr_open) -300 "
judge "and what became of it" "$(verdict app/a/os/unix/rlimits)" "changed: nofile 20 to $(cat /proc/sys/fs/nr_open)"

profile() { # NAME COMMANDS
	pod '' "$(is os/linux/apparmor-profile "{\"profile\": \"$1\"}"),$(is os/linux/no-new-privileges "$2")" "$3"
}
judge "doctor knows AppArmor" "$(/rktbox rkt doctor --all apparmor selinux | cut -d' ' -f1,2 | tr '\n' ' ')" 'selinux missing apparmor ok '
if [ -e /policy ]; then
	mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
	cat /policy >/sys/kernel/security/apparmor/.load
	for nnp in false true; do
		profile rktbox-test $nnp 'cat /proc/self/attr/current; cat /etc/passwd >/dev/null 2>&1 || echo denied' >/out
		judge "an AppArmor profile, no_new_privs $nnp" "$(tr '\n' ' ' </out)" 'rktbox-test (enforce) denied '
	done
	judge "and what became of it" "$(verdict app/a/os/linux/apparmor-profile)" enforced
	profile not-there false 'echo started' >/out
	judge "a profile that is not loaded is refused" "$? $(cat /out)$(grep -c 'AppArmor: no profile of that name is loaded (apparmor_parser -r FILE loads one): "not-there"' /err)" '254 1'
	profile rktbox-test false 'exec sleep 1000' >/out &
	i=0
	until uuid=$(cat /uuid) && [ "$($R enter "$uuid" /bin/cat /proc/self/attr/current 2>/dev/null)" = 'rktbox-test (enforce)' ]; do
		i=$((i + 1))
		[ $i -lt 100 ] || break
		sleep 0.1
	done
	judge "who enters has it, too" "$($R enter "$uuid" /bin/cat /etc/passwd 2>&1 | grep -c 'Permission denied')" 1
	$R stop "$uuid" >/out 2>&1
	wait
	profile rktbox-lenient false 'cat /proc/self/attr/current; cat /etc/passwd >/dev/null 2>&1 && echo read' >/out
	judge "a profile that only complains" "$(tr '\n' ' ' </out)$(verdict app/a/os/linux/apparmor-profile)" 'rktbox-lenient (complain) read enforced'
	# of no isolator: that of whoever started rkt, which is PID 1's and the app's
	: >/uuid
	(
		printf 'exec rktbox-lenient' >/proc/self/attr/exec || exit
		pod '' '' 'exec sleep 1000'
	) >/out &
	i=0
	until uuid=$(cat /uuid) && [ "$($R enter "$uuid" /bin/cat /proc/self/attr/current 2>/dev/null)" = 'rktbox-lenient (complain)' ]; do
		i=$((i + 1))
		[ $i -lt 100 ] || break
		sleep 0.1
	done
	judge "who enters has a profile that is no isolator's" \
		"$($R enter "$uuid" /bin/cat /proc/self/attr/current /proc/1/attr/current 2>/err | tr '\n' ' ')" \
		'rktbox-lenient (complain) rktbox-lenient (complain) '
	$R stop "$uuid" >/out 2>&1
	wait
fi
