#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# many.sh [IMAGES [PODS]] - what 10,000 images and 10,000 pods cost, next to what one of each costs
#
# The images are imported; the pods are copies of one that was run. On a tmpfs.
. "$(dirname "$0")/../lib.sh"
need_root
need python3
need_file "${BUSYBOX:-/no/static/busybox}"
n_images=${1:-10000} n_pods=${2:-10000}
many="python3 $TOP/testsuite/bench/many.py"
C=$WORK

"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$WORK/measure" "$TOP/testsuite/bench/measure.c" &&
	"${CC:-gcc}" -std=gnu17 -Os -nostdlib -static -s -o "$WORK/noop" "$TOP/testsuite/bench/noop.c" || exit 1
make_layout "$WORK/l" example.com/noop '"exec": ["/noop"], "user": "0", "group": "0"'
mkdir "$WORK/l/rootfs/proc" "$WORK/l/rootfs/sys" "$WORK/l/rootfs/dev"
cp "$WORK/noop" "$WORK/l/rootfs/noop"
"$ACTOOL" build --owner-root "$WORK/l" "$WORK/noop.aci" && $RKT fetch "$WORK/noop.aci" >/dev/null 2>&1 || exit 1

row() { # RUNS WHAT COMMAND: the median, in milliseconds
	"$WORK/measure" -n "$1" "$3" >"$WORK/measured" 2>"$WORK/log" || { tail -n 3 "$WORK/log"; exit 1; }
	awk -v what="$2" '{printf "%-52s %10.2f ms\n", what, $1 / 1000}' "$WORK/measured"
}

all() {
	row 20 "run --net=none, by name" "$RKT run --net=none example.com/noop"
	$RKT gc --grace-period=0s >/dev/null 2>&1
}

echo "$(uname -sr), $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"
echo "--- one image, no pod"
all

mkdir "$WORK/images"
$many images "$n_images" "$WORK/images" || exit 1
begin=$(date +%s)
(cd "$WORK/images" && ls | xargs -n 500 $RKT fetch >/dev/null 2>&1) || exit 1
rm -rf "$WORK/images"
echo "--- $n_images images (imported in $(($(date +%s) - begin)) s)"
all
row 20 "prepare an image among them" "$RKT prepare example.com/many/7:1.3"
$RKT gc --grace-period=0s --expire-prepared=0s >/dev/null 2>&1
row 5 "image list" "$RKT image list"
row 5 "image info" "$RKT image info example.com/noop"
row 5 "image gc that removes nothing" "$RKT image gc"
row 5 "image gc --max-size that removes nothing" "$RKT image gc --max-size=1T"
row 5 "gc that removes nothing" "$RKT gc"
row 5 "df" "$RKT df"
row 5 "fsck" "$RKT fsck"

$RKT run --net=none example.com/noop 2>/dev/null || exit 1
pod=$(echo "$DATA"/pods/run/*)
begin=$(date +%s)
$many pods "$n_pods" "$pod" || exit 1
echo "--- and $n_pods pods (copied in $(($(date +%s) - begin)) s)"
row 20 "run --net=none" "$RKT run --net=none example.com/noop"
row 5 "list" "$RKT list"
row 5 "list --format=json" "$RKT list --format=json"
row 20 "status, of one" "$RKT status ${pod##*/}"
row 5 "image list" "$RKT image list"
row 5 "image gc that removes nothing" "$RKT image gc"
row 5 "df" "$RKT df"
row 5 "fsck" "$RKT fsck"
row 1 "image gc --grace-period=0s, all images but one" "$RKT image gc --grace-period=0s"
row 1 "gc --grace-period=0s, all pods" "$RKT gc --grace-period=0s"
row 1 "list, of none" "$RKT list"
