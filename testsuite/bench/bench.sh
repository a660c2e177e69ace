#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh - what `make bench` runs: speed and size, each number next to its bound
#
#	usage: bench.sh [--ext4] [RUNS]
#
# On a tmpfs, or with --ext4 on a fresh ext4 in a file. Peers are measured in turns with us, so that what
# else the machine does hits both; still, let it be idle.
. "$(dirname "$0")/../lib.sh"

need_root
fs=tmpfs runs=100
for arg; do
	case $arg in
	--ext4) fs=ext4 ;;
	*[!0-9]* | '')
		echo "usage: bench.sh [--ext4] [RUNS]" >&2
		exit 2
		;;
	*) runs=$arg ;;
	esac
done
C=$WORK
bench=$TOP/testsuite/bench
if [ $fs = ext4 ]; then
	truncate -s 4G "$WORK/ext4.img"
	mkfs.ext4 -q -F "$WORK/ext4.img"
	mkdir "$WORK/ext4"
	mount -o loop "$WORK/ext4.img" "$WORK/ext4" || exit 1
	scratch=$WORK/ext4
else
	scratch=$WORK
fi

# In memory, as start-limit is, so that it does not matter which disk this tree is on. Not so crun, which would copy
# itself at every start.
mkdir "$WORK/bin"
cp "$RKTBOX" "$WORK/bin/rkt"
RKTBIN=$WORK/bin/rkt
_use_data "$scratch/data"

. "$bench/kit.sh"

"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$WORK/start-limit" "$bench/start-limit.c" &&
	"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$WORK/overlay" "$bench/overlay.c" &&
	"${CC:-gcc}" -std=gnu17 -Os -nostdlib -static -s -o "$WORK/noop" "$bench/noop.c" || exit 1

make_layout "$WORK/l" example.com/noop '"exec": ["/noop"], "user": "0", "group": "0",
	"isolators": [{"name": "resource/memory", "value": {"limit": "64Mi"}}]'
mkdir "$WORK/l/rootfs/proc" "$WORK/l/rootfs/sys" "$WORK/l/rootfs/dev"
cp "$WORK/noop" "$WORK/l/rootfs/noop"
"$ACTOOL" build --owner-root "$WORK/l" "$WORK/noop.aci" || exit 1
noop=$($RKT fetch --full "$WORK/noop.aci") || exit 1
busybox_in_store
run_noop="$RKT run --net=none $noop"
$run_noop || exit 1

echo "$($RKTBOX --version), $(uname -sr), $fs, $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg), $runs runs"
size=$(stat -c %s "$RKTBOX")
row '' rktbox peer ratio bound ''
bounded 'the binary' "$size" bytes 1474560

# ---- start: what the kernel alone costs (start-limit), and crun: with an overlay made for each start, as ours is, and
# with one that was there before and is used again and again, which no pod may do. crun.json asks for what every app
# gets from us: the same paths masked and read-only, the same calls refused. "bare" is without these.

mkdir "$scratch/limit"
set -- "$run_noop" "$WORK/start-limit -q $WORK/l/rootfs $scratch/limit /noop"
if command -v crun >/dev/null; then
	for c in before each bare; do
		mkdir -p "$WORK/$c/rootfs"
		cp "$bench/crun.json" "$WORK/$c/config.json"
	done
	python3 - "$WORK/bare/config.json" <<-'PY' || exit 1
		import json, sys
		c = json.load(open(sys.argv[1]))
		for key in "maskedPaths", "readonlyPaths", "seccomp": del c["linux"][key]
		json.dump(c, open(sys.argv[1], "w"))
	PY
	mkdir -p "$scratch/crun/upper" "$scratch/crun/work"
	# crun refuses to work where cgroups v1 and v2 are mixed; seen from here, they are not
	umount /sys/fs/cgroup/unified 2>/dev/null
	mount -t overlay -o "lowerdir=$WORK/l/rootfs,upperdir=$scratch/crun/upper,workdir=$scratch/crun/work" \
		overlay "$WORK/before/rootfs" || exit 1
	crun="crun --root=$WORK/crun-state --cgroup-manager=cgroupfs run"
	with_overlay() { echo "$WORK/overlay $WORK/l/rootfs $scratch/crun $WORK/$1/rootfs $crun --bundle=$WORK/$1 $1"; }
	set -- "$@" "$(with_overlay each)" "$crun --bundle=$WORK/before before" "$(with_overlay bare)"
fi
# Namespaces and cgroups go on kernel threads when their pod has ended, within some milliseconds. So both is measured: a
# start when the one before is gone, and many in a row, as on a host that does nothing but start pods.
starts() { # WHAT
	judged "$1" "$(median 1)" "$(median 2)" 1.5 'of start-limit.c'
	if [ -s "$WORK/each/config.json" ]; then
		judged '' "$(median 1)" "$(median 3)" 0.4 "of $(crun --version | head -n 1) with overlay"
		judged '' "$(median 1)" "$(median 4)" 0.5 "of the same, overlay mounted before"
		compared '' "$(median 1)" "$(median 5)" "of crun without masks and filter"
	else
		echo '(no crun here: apt-get install crun)'
	fi
}
measure -n "$runs" -w 20 "$@"
starts 'start a no-op app, --net=none'
measure -n $((runs / 10 + 1)) -r 10 "$@"
starts '  in a row of ten such'
$RKT gc --grace-period=0s >/dev/null 2>&1

# ---- lists

i=0
while [ $i -lt 200 ]; do
	$run_noop || exit 1
	i=$((i + 1))
done
uuid=$($RKT list --full --no-legend | awk 'NR == 1 {print $1}')
measure -n "$runs" "$RKT list" "$RKT status $uuid"
bounded 'list, 200 exited pods' "$(awk -v us="$(median 1)" 'BEGIN {print us / 1000}')" ms 10
bounded 'status, among them' "$(awk -v us="$(median 2)" 'BEGIN {print us / 1000}')" ms 10
$RKT gc --grace-period=0s >/dev/null 2>&1
$RKT gc --grace-period=0s >/dev/null 2>&1

images='' i=0
while [ $i -lt 100 ]; do
	images="$images $noop --name=app$i"
	i=$((i + 1))
done
# shellcheck disable=SC2086
$RKT run --net=none --uuid-file-save="$WORK/100.uuid" $images >/dev/null || exit 1
measure -n "$runs" "$RKT list" "$RKT status $(cat "$WORK/100.uuid")"
bounded 'list, a pod of 100 apps' "$(awk -v us="$(median 1)" 'BEGIN {print us / 1000}')" ms 10
bounded 'status of it' "$(awk -v us="$(median 2)" 'BEGIN {print us / 1000}')" ms 10

# ---- memory: two pods run, so that what they share counts as shared; both processes of one are added up

private_kib() {
	awk '/^Private_(Clean|Dirty):/ {sum += $2} END {print sum}' "/proc/$1/smaps_rollup"
}

spawn other $RKT run --net=none --uuid-file-save="$C/other.uuid" "$BUSYBOX_ID" --exec=/bin/sleep -- 1000
spawn pod $RKT run --net=none --uuid-file-save="$C/pod.uuid" "$BUSYBOX_ID" --exec=/bin/sleep -- 1000
host=$pid
pod_ready other && pod_ready pod || exit 1
sleep 0.5
inner=$($RKT status "$(cat "$C/pod.uuid")" | sed -n 's/^pid=//p')
bounded 'private memory of a pod (host side + PID 1)' "$(($(private_kib "$host") + $(private_kib "$inner")))" KiB 1024
$RKT stop --force "$(cat "$C/other.uuid")" "$(cat "$C/pod.uuid")" >/dev/null

big=${BIG_MIB:-400}
mkdir -p "$WORK/l/rootfs/big"
i=0
while [ $i -lt $((big / 8)) ]; do # half random, half not: it neither vanishes nor stays when compressed
	{ head -c 4M /dev/urandom; head -c 4M /dev/zero; } >"$WORK/l/rootfs/big/$i"
	i=$((i + 1))
done
sed -i 's,example.com/noop,example.com/big,' "$WORK/l/manifest"
"$ACTOOL" build --no-compression "$WORK/l" "$WORK/big.aci" || exit 1
rm -rf "$WORK/l"
gzip -1 <"$WORK/big.aci" >"$WORK/big.aci.gz"
# the dictionary of xz -6, which is what most people use, without waiting for it
xz -T0 --lzma2=preset=0,dict=8MiB <"$WORK/big.aci" >"$WORK/big.aci.xz"
for f in big.aci big.aci.gz big.aci.xz; do
	measure "$ACTOOL validate $WORK/$f"
	bounded "validate $f of $big MiB: peak memory" "$(cut -d' ' -f3 "$WORK/measured")" KiB 12288
	measure "$RKT --dir=$scratch/data-big fetch $WORK/$f"
	bounded "fetch $f of $big MiB: peak memory" "$(cut -d' ' -f3 "$WORK/measured")" KiB 12288
	row '  and time' "$(ms "$(median 1)")" '' '' '' ''
	rm -rf "$scratch/data-big"
done
_end_spawned
