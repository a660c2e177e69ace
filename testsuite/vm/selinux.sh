# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# selinux.sh - in a guest whose kernel has SELinux: labels of apps, with the policy of selinux.conf in force
#
# /rktbox, /busybox.aci, /selinux (the policy, compiled). Prints what guest.sh prints.
. /judge.sh
R='/rkt --dir=/data --insecure-options=image'
volumes='{"volume": "v", "path": "/v"}, {"volume": "e", "path": "/e"}'
case $(uname -r) in
6.1.*) # cannot map the owners of a tmpfs
	modprobe loop
	R="$R --render=loop"
	unmapped=''
	;;
*)
	unmapped=$volumes
	;;
esac
ln -s rktbox /rkt

mkdir /vol /autoexec /data
mount -t tmpfs data /data # whose files a pod with users of its own can have
echo secret >/vol/secret
$R fetch /busybox.aci >/out 2>/err
judge "fetch" "$?" 0
id=$($R image list --no-legend --full | cut -f1)

context() { # TYPE [LEVEL]: an isolator
	printf '{"name": "os/linux/selinux-context", "value": {"user": "u", "role": "r", "type": "%s", "level": "%s"}}' "$1" "${2:-s0}"
}
pod() { # POD-ISOLATORS APP-ISOLATORS SHELL COMMANDS [OPTION...]; stdout here, UUID in /uuid
	printf '{"acKind": "PodManifest", "acVersion": "0.8.11", "isolators": [%s],
		"volumes": [{"name": "v", "kind": "host", "source": "/vol"}, {"name": "e", "kind": "host", "source": "/autoexec"}],
		"apps": [{"name": "a", "image": {"id": "%s"}, "mounts": [%s],
		"app": {"exec": ["%s", "sh", "-c", "%s"], "user": "0", "group": "0", "isolators": [%s]}}]}' \
		"$1" "$id" "${mounts-$volumes}" "${program:-/bin/busybox}" "$3" "$2" >/pm
	shift 3
	$R run "$@" --net=none --uuid-file-save=/uuid --pod-manifest=/pm 2>/err
}
verdict() { # SUBJECT
	$R status --uuid-file=/uuid 2>/dev/null | sed -n "s,^isolator-$1=,,p"
}
# what an app sees of its label, and what it may do
look='tr -d \"\\000\" </proc/self/attr/current; echo; cat /proc/version >/dev/null 2>&1 && echo version; cat /v/secret 2>/dev/null; true'
looks() { # POD-ISOLATORS APP-ISOLATORS [OPTION...]
	p=$1 a=$2
	shift 2
	pod "$p" "$a" "$look" "$@" | tr '\n' ' '
}
in_pod() { # COMMAND...: what enter gets, once the pod's app is what it will be
	i=0
	until [ "$($R enter "$(cat /uuid)" /bin/cat /ready 2>/err)" = ready ]; do
		i=$((i + 1))
		[ $i -lt 600 ] || break
		sleep 0.1
	done
	$R enter "$(cat /uuid)" "$@" 2>/err | tr -d '\000'
}
end_pod() {
	$R stop --uuid-file=/uuid >/out 2>&1
	wait
}

# ---- a kernel with SELinux and without a policy: nothing is in force
mount -t selinuxfs selinuxfs /sys/fs/selinux
judge "without a policy, doctor says so" "$(/rktbox rkt doctor --all selinux | cut -d' ' -f1,2)" 'selinux missing'
pod '' "$(context app_t)" 'echo started' >/out
judge "without a policy a label is ignored" "$(cat /out) $(verdict app/a/os/linux/selinux-context)" \
	"started ignored: SELinux is not in force on this host (rkt doctor selinux)"
pod '' "$(context app_t)" 'echo started' --strict >/out
judge "and --strict refuses it" "$? $(cat /out)" '254 '

# ---- with one, but permissive
cat /selinux >/sys/fs/selinux/load || echo "not ok - the policy is loaded"
echo 0 >/sys/fs/selinux/enforce
mount -t tmpfs -o context=u:object_r:secret_t:s0 secret /vol && echo secret >/vol/secret
mount -t tmpfs -o context=u:object_r:auto_exec_t:s0 auto /autoexec && cp /bin/busybox /autoexec
judge "permissive: the label is set, and nothing denied" "$(looks '' "$(context app_t)")" 'u:r:app_t:s0 version secret '
judge "permissive: and that is said" "$(verdict app/a/os/linux/selinux-context)" \
	'changed: the label is set, but SELinux is permissive on this host: what it forbids is only logged'

# ---- in force
echo 1 >/sys/fs/selinux/enforce
judge "doctor knows SELinux" "$(/rktbox rkt doctor --all selinux apparmor | cut -d' ' -f1,2 | tr '\n' ' ')" 'selinux ok apparmor missing '
judge "an app without a label may do what rkt may" "$(looks '' '')" 'u:r:host_t:s0-s0:c0,c1 version secret '
judge "an app with a label may not" "$(looks '' "$(context app_t)")" 'u:r:app_t:s0 '
judge "and what became of it" "$(verdict app/a/os/linux/selinux-context)" enforced
judge "with a level of several categories" "$(looks '' "$(context app_t s0:c0,c1)")" 'u:r:app_t:s0:c0,c1 '
judge "with no_new_privs" "$(looks '' "$(context app_t), {\"name\": \"os/linux/no-new-privileges\", \"value\": true}")" 'u:r:app_t:s0 '
judge "the pod's label is the app's" "$(looks "$(context app_t)" '')" 'u:r:app_t:s0 '
judge "unless it has one" "$(looks "$(context strange_t)" "$(context app_t)")" 'u:r:app_t:s0 '
judge "with a copied root" "$(looks '' "$(context app_t)" --no-overlay)" 'u:r:app_t:s0 '
mounts=$unmapped
judge "with users of its own" "$(looks '' "$(context app_t)" --private-users)" 'u:r:app_t:s0 '
unset mounts

pod '' "$(context nowhere_t)" 'echo started' >/out
judge "a context that the policy does not have is refused" "$? $(cat /out)" '254 '
judge "with cause and remedy" "$(cat /err)" 'stage1: app a: SELinux: the policy of this host has no context "u:r:nowhere_t:s0": one of user, role, type and level is none of its, or they do not go together (seinfo -u -r -t lists them; semodule -i FILE adds some)'
pod '' "$(context strange_t)" 'echo started' >/out
judge "one that the policy lets us not go to is refused" "$? $(cat /out)" '126 '
judge "with the label as a cause" "$(cat /err)" 'Error: Unable to execute "/bin/busybox": Permission denied (by the file'"'"'s mode, or because SELinux does not let rkt execute it with the label "u:r:strange_t:s0": its log tells)'
(
	printf u:r:meek_t:s0 >/proc/self/attr/exec || exit
	pod '' "$(context app_t)" 'echo started' >/out
)
judge "one where we may set none is refused" "$? $(cat /out)" '254 '
judge "with cause and remedy" "$(cat /err)" 'stage1: app a: SELinux: label "u:r:app_t:s0": the policy of this host does not let rkt set labels: allow its domain "process setexec", and "transition" to the label'"'s"

# ---- enter
pod '' "$(context app_t)" 'echo ready >/ready; exec sleep 1000' >/out &
judge "who enters has the label" "$(in_pod /bin/sh -c 'cat /proc/self/attr/current; cat /proc/version 2>/dev/null || echo denied')" 'u:r:app_t:s0denied'
end_pod
mounts=$unmapped
pod '' "$(context app_t)" 'echo ready >/ready; exec sleep 1000' --private-users >/out &
unset mounts
judge "with users of the pod's own, too" "$(in_pod /bin/sh -c 'cat /proc/self/attr/current; cat /proc/version 2>/dev/null || echo denied')" \
	'u:r:app_t:s0denied'
end_pod
program=/e/busybox
judge "a label by the policy, of the program" "$(looks '' '')" 'u:r:auto_t:s0-s0:c0,c1 '
pod '' '' 'echo ready >/ready; exec sleep 1000' >/out &
judge "who enters has that, too" "$(in_pod /bin/sh -c 'cat /proc/self/attr/current; cat /proc/version 2>/dev/null || echo denied')" \
	'u:r:auto_t:s0-s0:c0,c1denied'
end_pod
program=''
(
	printf u:r:pods_t:s0 >/proc/self/attr/exec || exit
	pod '' '' 'echo ready >/ready; exec sleep 1000'
) >/out &
judge "a label by the policy, of all of rkt" "$(in_pod /bin/cat /proc/self/attr/current)" 'u:r:pods_t:s0'
judge "which is PID 1's, too" "$(in_pod /bin/cat /proc/1/attr/current)" 'u:r:pods_t:s0'
end_pod
