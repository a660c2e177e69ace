#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# many.sh [--ext4] [IMAGES [PODS]] - what 10,000 images and 10,000 pods cost, next to what one of each costs
#
# The images are imported; the pods are copies of one that was run, each with a manifest of its own. On a tmpfs, or with
# --ext4 on an ext4 that is made anew in a file there. Wall time is a median and tells what else the machine does as well;
# processor time is the least of all runs, and is what the bounds are for (they are for 10,000, on a machine that does
# 1 GB/s of sha512, and for a smaller number of images and pods none are judged).
. "$(dirname "$0")/../lib.sh"
need_root
need python3 strace
need_file "${BUSYBOX:-/no/static/busybox}"
fs=tmpfs
if [ "${1:-}" = --ext4 ]; then
	fs=ext4
	shift
fi
n_images=${1:-10000} n_pods=${2:-10000}
many="python3 $TOP/testsuite/bench/many.py"
C=$WORK over=0

if [ $fs = ext4 ]; then
	need mkfs.ext4
	mount -o remount,size=6g "$WORK"
	truncate -s 5G "$WORK/ext4.img"
	mkfs.ext4 -q -F -N 1200000 "$WORK/ext4.img" && mkdir "$WORK/ext4" &&
		mount -o loop,discard "$WORK/ext4.img" "$WORK/ext4" || exit 1
	_use_data "$WORK/ext4/data"
fi

"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$WORK/measure" "$TOP/testsuite/bench/measure.c" &&
	"${CC:-gcc}" -std=gnu17 -Os -nostdlib -static -s -o "$WORK/noop" "$TOP/testsuite/bench/noop.c" || exit 1
make_layout "$WORK/l" example.com/noop '"exec": ["/noop"], "user": "0", "group": "0"'
mkdir "$WORK/l/rootfs/proc" "$WORK/l/rootfs/sys" "$WORK/l/rootfs/dev"
cp "$WORK/noop" "$WORK/l/rootfs/noop"
"$ACTOOL" build --owner-root "$WORK/l" "$WORK/noop.aci" && $RKT fetch "$WORK/noop.aci" >/dev/null 2>&1 || exit 1

line() { printf '%-50s %10s %10s %9s  %s\n' "$@"; }

row() { # RUNS WHAT COMMAND [BOUND in ms of processor time]
	"$WORK/measure" -n "$1" "$3" >"$WORK/measured" 2>"$WORK/log" || { tail -n 3 "$WORK/log"; exit 1; }
	read -r wall _ rss cpu <"$WORK/measured"
	verdict=''
	if [ -n "${4:-}" ] && [ "$n_images$n_pods" = 1000010000 ]; then
		verdict="<= $4 ms: ok"
		[ "$cpu" -le $(($4 * 1000)) ] || verdict="<= $4 ms: OVER" over=$((over + 1))
	fi
	line "$2" "$(awk -v t="$wall" 'BEGIN {printf "%.2f", t / 1000}')" "$(awk -v t="$cpu" 'BEGIN {printf "%.2f", t / 1000}')" \
		"$rss" "$verdict"
}

calls() { # COMMAND...: how many system calls it makes; waiting for others takes now one, now two
	strace -f -qq -o "$WORK/calls" "$@" >/dev/null 2>&1 || { tail -n 3 "$WORK/calls" >&2; exit 1; }
	grep -vcE '^[0-9]+ +(\+\+\+|---|<\.\.\.|futex|ppoll|poll|wait|epoll|rt_sig|restart)' "$WORK/calls"
}

# as many here as there is one of each, within what chance does (UUIDs that are taken, loops that are busy)
same_calls() { # WHAT COMMAND...
	what=$1
	shift
	n=$(calls "$@")
	file=$WORK/calls.$(echo "$what" | tr -c 'a-z\n' _)
	[ -e "$file" ] || echo "$n" >"$file"
	few=$(cat "$file")
	verdict="$few among one: ok"
	[ "$n" -le $((few + few / 50)) ] || verdict="$few among one: OVER" over=$((over + 1))
	line "$what: system calls" "$n" '' '' "$verdict"
}

all() {
	row 20 "run --net=none, by name" "$RKT run --net=none example.com/noop"
	$RKT gc --grace-period=0s >/dev/null 2>&1
	$RKT run --net=none example.com/noop 2>/dev/null # so that the image is mounted
	same_calls "run" $RKT run --net=none example.com/noop
	same_calls "prepare" $RKT prepare example.com/noop
}

pods() { # N: copies of the one pod
	$many pods "$1" "$pod" || exit 1
}

echo "$(uname -sr), $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg), $fs"
line '' 'wall ms' 'CPU ms' 'KiB' ''
echo "--- one image, no pod"
all
$RKT gc --grace-period=0s --expire-prepared=0s >/dev/null 2>&1

$RKT run --net=none example.com/noop 2>/dev/null || exit 1
pod=$(echo "$DATA"/pods/run/*)
pods 200
echo "--- 200 pods"
row 5 "list" "$RKT list"
row 5 "list --format=json" "$RKT list --format=json"
row 1 "gc --grace-period=0s, all pods" "$RKT gc --grace-period=0s" 200

mkdir "$WORK/images"
$many images "$n_images" "$WORK/images" || exit 1
begin=$(date +%s)
(cd "$WORK/images" && ls | xargs -n 500 $RKT fetch >/dev/null 2>&1) || exit 1
rm -rf "$WORK/images"
echo "--- $n_images images (imported in $(($(date +%s) - begin)) s)"
all
row 20 "prepare an image among them" "$RKT prepare example.com/many/7:1.3"
$RKT gc --grace-period=0s --expire-prepared=0s >/dev/null 2>&1
row 5 "image list" "$RKT image list" 300
row 5 "image list --format=json" "$RKT image list --format=json" 300
row 5 "image info" "$RKT image info example.com/noop"
row 5 "image gc that removes nothing" "$RKT image gc" 1000
row 5 "image gc --max-size that removes nothing" "$RKT image gc --max-size=1T" 1200
row 5 "gc that removes nothing" "$RKT gc" 500
row 5 "df" "$RKT df"
row 5 "fsck" "$RKT fsck"

$RKT run --net=none example.com/noop 2>/dev/null || exit 1
pod=$(echo "$DATA"/pods/run/*)
begin=$(date +%s)
pods "$n_pods"
echo "--- and $n_pods pods (copied in $(($(date +%s) - begin)) s)"
row 20 "run --net=none" "$RKT run --net=none example.com/noop"
same_calls "run" $RKT run --net=none example.com/noop
same_calls "prepare" $RKT prepare example.com/noop
row 5 "list" "$RKT list" 500
row 5 "list --format=json" "$RKT list --format=json" 500
row 20 "status, of one" "$RKT status ${pod##*/}"
row 5 "image list" "$RKT image list" 300
row 5 "image gc that removes nothing" "$RKT image gc" 1000
row 5 "df" "$RKT df" 2000
row 5 "fsck" "$RKT fsck" 4000
row 1 "image gc --grace-period=0s, all images but one" "$RKT image gc --grace-period=0s" 2000
row 1 "gc --grace-period=0s, all pods" "$RKT gc --grace-period=0s" 10000
row 1 "list, of none" "$RKT list"
[ $over = 0 ] || echo "$over over their bounds"
exit $((over > 0))
