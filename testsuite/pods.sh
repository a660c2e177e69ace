# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# pods.sh - pod directories made by hand, for the tests of commands that read them; after lib.sh
#
#   hand_pod PLACE [APP...]   a pod in pods/PLACE with these apps (default: web); $uuid and $dir are set.
#                             Its stage 1 is the built-in one; an app's image is example.com/APP:1.0.
#   hand_stage1 ENTRY...      gives $dir a foreign stage 1 whose entry points note in $C/called what they got:
#                             "ENTRY ARGS...", then the current directory
#   ended APP STATUS [TIME]   the app of $dir has ended
#   runs [PID]                $dir's lock is held by a process, $holder, until stops; its pid file says PID
#   stops                     it is not any more
#   verbs_refuse UUID ERE     every verb on pods ends with 254 and a message like ERE, and changes nothing

hand_manifest() { # APP...
	printf '{"acKind":"PodManifest","acVersion":"0.8.11","apps":['
	_comma=''
	for _a; do
		printf '%s{"name":"%s","image":{"name":"example.com/%s","id":"sha512-%s","labels":[' \
			"$_comma" "$_a" "$_a" "$HAND_ID"
		printf '{"name":"version","value":"1.0"}]},"app":{"exec":["/bin/true"],"user":"0","group":"0"}}'
		_comma=,
	done
	printf '],"userLabels":{"tier":"test"}}\n'
}
HAND_ID=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

hand_pod() {
	_place=$1
	shift
	[ $# -gt 0 ] || set -- web
	uuid=$(cat /proc/sys/kernel/random/uuid)
	dir=$DATA/pods/$_place/$uuid
	mkdir -p "$dir/stage1/rootfs/rkt/status" "$dir/logs"
	hand_manifest "$@" >"$dir/pod"
	: >"$dir/created"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"rktbox/stage1-init",' >"$dir/stage1/manifest"
	printf '"annotations":[{"name":"rktbox/stage1","value":"built-in"}]}\n' >>"$dir/stage1/manifest"
	case $_place in run | exited-garbage) echo 4194303 >"$dir/pid" ;; esac
}

hand_stage1() {
	{
		printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/stage1",'
		printf '"labels":[{"name":"os","value":"linux"},{"name":"arch","value":"%s"}],"annotations":[' "$ARCH"
		printf '{"name":"coreos.com/rkt/stage1/run","value":"/run"}'
		for _e; do
			printf ',{"name":"coreos.com/rkt/stage1/%s","value":"/%s"}' "$_e" "$_e"
			{
				echo '#!/bin/sh'
				echo "{ echo $_e \"\$@\"; pwd -P; } >>'$C/called'"
				echo "[ ! -e '$C/$_e.fails' ] || exit 3"
			} >"$dir/stage1/rootfs/$_e"
			chmod 755 "$dir/stage1/rootfs/$_e"
		done
		printf ']}\n'
	} >"$dir/stage1/manifest"
}

ended() {
	echo "$2" >"$dir/stage1/rootfs/rkt/status/$1"
}

# shellcheck disable=SC2016
runs() {
	[ -z "${1:-}" ] || echo "$1" >"$dir/pid"
	rm -f "$C/holder.out" # of the one before, which would be believed
	spawn holder sh -c 'exec 9<"$1" && flock -x 9 && echo locked && exec sleep 1000' holder "$dir"
	holder=$pid
	wait_for 5 grep -qs locked "$C/holder.out"
}

stops() {
	kill -KILL "$holder"
	wait_gone "$holder" 5
}

_pods_now() {
	find "$DATA/pods" | sort
}

verbs_refuse() {
	_pods_now >"$C/before"
	for _v in 'status' 'stop' 'stop --force' 'rm' 'enter' 'cat-manifest' 'logs' 'logs -f' 'export'; do
		_more=''
		case $_v in export) _more=$C/out.aci ;; enter) _more=/bin/true ;; esac
		# shellcheck disable=SC2086
		expect_status 254 $RKT $_v "$1" $_more
		expect_err "$2"
	done
	_pods_now >"$C/after"
	cmp "$C/before" "$C/after"
	[ ! -e "$C/out.aci" ]
}
