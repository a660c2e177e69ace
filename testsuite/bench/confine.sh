#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# confine.sh - part of `make bench`: what defences cost, entering, many apps in a pod, many pods at once
#
#	usage: confine.sh [RUNS [PODS]]
#
# On a tmpfs, as bench.sh. Wall time, medians; commands that are compared take turns.
. "$(dirname "$0")/../lib.sh"

need_root
runs=${1:-100}
pods=${2:-500}
C=$WORK # lib.sh wants it
bench=$TOP/testsuite/bench
. "$bench/kit.sh"

headline "$runs runs"
"${CC:-gcc}" -std=gnu17 -Os -nostdlib -static -s -o "$WORK/noop" "$bench/noop.c" || exit 1
"${CC:-gcc}" -std=gnu17 -Os -nostdlib -static -s -DPAUSE -o "$WORK/pause" "$bench/noop.c" || exit 1
make_layout "$WORK/l" example.com/noop '"exec": ["/noop"], "user": "0", "group": "0"'
mkdir "$WORK/l/rootfs/proc" "$WORK/l/rootfs/sys" "$WORK/l/rootfs/dev"
cp "$WORK/noop" "$WORK/pause" "$WORK/l/rootfs"
"$ACTOOL" build --owner-root "$WORK/l" "$WORK/noop.aci" && image=$($RKT fetch --full "$WORK/noop.aci" 2>/dev/null) || exit 1
row '' rktbox peer ratio bound ''

run="$RKT run --net=none"
bare="$RKT --insecure-options=seccomp,paths run --net=none"
measure -n "$runs" -w 20 "$run --private-users $image" "$bare $image" "$run $image"
judged 'start with every defence' "$(median 1)" "$(median 2)" 1.15 'of one without filter, masks and user namespace'
compared '  without the user namespace' "$(median 3)" "$(median 2)" 'of the same'

private_kib() { # PID...: its own memory
	for p in "$@"; do cat "/proc/$p/smaps_rollup"; done |
		awk '/^Private_(Clean|Dirty):/ {sum += $2} END {print sum + 0}'
}

pause() { # NAME OPTION...: a pod that goes on running
	name=$1
	shift
	spawn "$name" $run --uuid-file-save="$C/$name.uuid" "$image" --exec=/pause "$@"
}

pause one
pod_ready one || exit 1
measure -n "$runs" "$RKT enter $(cat one.uuid) /noop"
bounded 'enter' "$(awk -v us="$(median 1)" 'BEGIN { print us / 1000 }')" ms 6
$RKT stop --force "$(cat one.uuid)" >/dev/null

apps='' i=0
while [ $i -lt 16 ]; do
	apps="$apps $image --name=app$i"
	i=$((i + 1))
done
measure -n "$runs" "$run $apps" "$run $image"
compared '16 apps in one pod' "$(median 1)" "$(median 2)" 'of one app'

# ---- many at once. How long a start takes is measured with a pod that ends at once, beside those that go on.

$RKT gc --grace-period=0s >/dev/null 2>&1
measure -n "$runs" "$run $image"
first=$(median 1) i=1
while [ $i -lt "$pods" ]; do
	pause "p$i"
	hosts="${hosts:-} $pid"
	i=$((i + 1))
done
i=1
while [ $i -lt "$pods" ]; do
	pod_ready "p$i" || exit 1
	inners="${inners:-} $($RKT status "$(cat "p$i.uuid")" | sed -n 's/^pid=//p')"
	i=$((i + 1))
done
sleep 1
measure -n "$runs" "$run $image"
judged "start no. $pods of so many at once" "$(median 1)" "$first" 1.5 'of the first'
# shellcheck disable=SC2086
bounded "private memory of a pod, of $((pods - 1)) at once" "$(($(private_kib $hosts $inners) / (pods - 1)))" KiB 1024
measure -n 10 "$RKT list"
row "list of $pods pods" "$(ms "$(median 1)")" '' '' '' ''
for u in p*.uuid; do $RKT stop --force "$(cat "$u")"; done >/dev/null
_end_spawned
