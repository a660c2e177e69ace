#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh - what `make demo` runs: an image is packed, stored and run, and everything is taken away again
#
# The image is Debian's redis-server with the libraries it needs; where there is no such package, busybox
# as a web server. Every command is shown as it is typed; the first that fails ends the demo.
set -eu
export LC_ALL=C

top=$(cd "$(dirname "$0")/.." && pwd)
bin=${RKTBOX_O:-${O:-build}}
case $bin in /*) ;; *) bin=$top/$bin ;; esac

if [ "$(id -u)" != 0 ]; then
	echo "demo: running a pod takes root: it is namespaces, mounts and cgroups. Please: sudo make demo" >&2
	exit 1
fi
if [ ! -x "$bin/rktbox" ]; then
	echo "demo: there is no $bin/rktbox yet: make" >&2
	exit 1
fi

bold='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
work=$(mktemp -d "${TMPDIR:-/tmp}/rktbox-demo.XXXXXX")
pod=''
PATH=$bin:$PATH
export ACTOOL="$bin/actool"

clean_up() {
	status=$?
	trap '' INT TERM
	if [ -n "$pod" ] && kill -0 "$pod" 2>/dev/null; then
		rkt --dir="$work/data" stop --force "$(cat "$work/uuid")" >/dev/null 2>&1 || kill "$pod"
		wait "$pod" || :
	fi
	[ ! -d "$work/data" ] || rkt --dir="$work/data" gc --grace-period=0s >/dev/null 2>&1 || :
	rm -rf --one-file-system "$work"
	[ $status = 0 ] || echo "demo: failed; what came last above says where" >&2
	exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() { printf '\n%s\n' "$*"; }

show() { # COMMAND as it is typed; its output follows
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
	sh -c "$*" 2>&1
}

wait_for() { # SECONDS COMMAND
	left=$(($1 * 10))
	until sh -c "$2" >/dev/null 2>&1; do
		left=$((left - 1))
		if [ $left -le 0 ]; then
			echo "demo: waited $1 s in vain for: $2" >&2
			exit 1
		fi
		sleep 0.1
	done
}

mounts() { awk '{print $5}' /proc/self/mountinfo | sort; }

cd "$work"
mounts >mounts.before

# ---- the images: layouts are directories with a manifest and a rootfs

echo "rktbox $(rktbox --version | sed 's/rktbox //'): one static binary of $(stat -c %s "$bin/rktbox") bytes"
if "$top/testsuite/images/redis.sh" LAYOUT="$work/server" 2>why &&
	"$top/testsuite/images/redis-client.sh" LAYOUT="$work/client" 2>why; then
	volume=--volume=data,kind=empty,uid=101,gid=101
	what="Debian's redis-server" server=example.com/redis client=example.com/redis-client
	enter='/usr/bin/redis-cli get greeting'
	answer='GET: hello from the other app' greeting='hello from the other app'
else
	cat why >&2
	"$top/testsuite/images/httpd.sh" LAYOUT="$work/server"
	"$top/testsuite/images/httpd-client.sh" LAYOUT="$work/client"
	volume=''
	what='a web server, this busybox,' server=example.com/httpd client=example.com/httpd-client
	enter='/bin/wget -q -O - http://127.0.0.1:8080/'
	answer='GET: hello from the other app' greeting='hello from the other app'
fi

say "1. An image is a directory with a manifest and a root file system. This one holds $what
   and nothing but what it needs:"
show 'cat server/manifest'
show 'find server/rootfs -type f | wc -l'

say "2. Pack it, and see whether it keeps every rule of the specification:"
show 'actool build server server.aci'
show 'actool build client client.aci'
show 'actool validate -debug server.aci client.aci'

say "3. Put both images into a store. Signatures are asked for unless one says otherwise:"
show 'rkt --dir=data --insecure-options=image fetch server.aci client.aci'
show 'rkt --dir=data image list'

say "4. Run them as one pod: two apps with a network of their own, in which the second talks to the
   first. There is no daemon; the pod is a child of this shell (here in the background):"
run="rkt --dir=data --insecure-options=image run --net=none --uuid-file-save=uuid $volume \
$server --memory=256M --- $client -- 600"
printf '%s$ %s &%s\n' "$bold" "$run" "$plain"
$run >pod.out 2>&1 </dev/null &
pod=$!
wait_for 30 "! kill -0 $pod || grep -q '$answer' pod.out"
if ! grep -q "$answer" pod.out; then
	cat pod.out >&2
	echo "demo: the second app got no answer" >&2
	exit 1
fi
show 'grep -E "SET|GET" pod.out'
uuid=$(cat uuid)
short=${uuid%%-*}

say "5. Look at it, as a whole, by app, and from inside:"
show 'rkt --dir=data list'
show "rkt --dir=data status $short"
show "rkt --dir=data logs --app=${client#*/} $short"
show "rkt --dir=data enter --app=${client#*/} $short $enter" | tee entered
grep -q "$greeting" entered

say "6. Stop it. Its directory stays until it is collected, so that logs and status can be read:"
show "rkt --dir=data stop $short"
wait "$pod" || { echo "demo: rkt run ended with status $?" >&2; exit 1; }
pod=''
show 'rkt --dir=data list'
show "rkt --dir=data gc --grace-period=0s"
show "rkt --dir=data image rm $server $client"
show "rkt --dir=data image gc"

say "7. What is left of it all: mounts, cgroups, processes, files of pods and images."
mounts >mounts.after
left=0
processes() {
	for p in /proc/[0-9]*; do
		command=$(tr '\0' ' ' 2>/dev/null <"$p/cmdline") || continue
		case $command in *"$uuid"* | *"$work/data"*) echo "${p#/proc/} $command" ;; esac
	done
}
check() { # WHAT LINES
	printf '   %-10s %s\n' "$1" "${2:-none}"
	[ -z "$2" ] || left=1
}
check mounts "$(comm -13 mounts.before mounts.after)"
check cgroups "$(find /sys/fs/cgroup -type d -name "*$uuid*")"
check processes "$(processes)"
check pods "$(find data/pods -mindepth 2)"
check images "$(find data/cas -type f -size +0 ! -name backend)"
[ $left = 0 ] || { echo "demo: something is left" >&2; exit 1; }
say "That was all. README has a tour of the rest; rkt --help and man/ the details."
