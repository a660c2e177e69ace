#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# net.sh - part of `make bench`: networks of pods and the metadata service
#
#	usage: net.sh [RUNS [PODS]]
#
# On a tmpfs and on ext4, in a network namespace of its own, with another host (a namespace) on a veth pair. Peers take
# turns with us; wall time, medians. podman has the network that it has by default: a bridge with masquerade.
OWN_NET=1
. "$(dirname "$0")/../lib.sh"

need_root
need mkfs.ext4 ip
runs=${1:-60}
pods=${2:-300}
C=$WORK # lib.sh wants it
bench=$TOP/testsuite/bench
. "$bench/kit.sh"
. "$TOP/testsuite/nets.sh"
real_network
lan || exit 1

headline "$runs runs"
# in memory, as start-limit is
mkdir "$WORK/bin"
cp "$RKTBOX" "$WORK/bin/rkt"
RKTBIN=$WORK/bin/rkt
"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$WORK/start-limit" "$bench/start-limit.c" &&
	"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$WORK/mdsask" "$bench/mdsask.c" &&
	"${CC:-gcc}" -std=gnu17 -Os -nostdlib -static -s -o "$WORK/noop" "$bench/noop.c" &&
	"${CC:-gcc}" -std=gnu17 -Os -nostdlib -static -s -DPAUSE -o "$WORK/pause" "$bench/noop.c" || exit 1

make_layout "$WORK/l" example.com/noop '"exec": ["/noop"], "user": "0", "group": "0",
	"isolators": [{"name": "resource/memory", "value": {"limit": "64Mi"}}]'
mkdir "$WORK/l/rootfs/proc" "$WORK/l/rootfs/sys" "$WORK/l/rootfs/dev"
cp "$WORK/noop" "$WORK/pause" "$WORK/mdsask" "$WORK/l/rootfs"
"$ACTOOL" build --owner-root "$WORK/l" "$WORK/noop.aci" || exit 1
perf=''
if command -v iperf3 >/dev/null; then
	"$ACTOOL" build --from-binary="$(command -v iperf3)" --name=example.com/perf --port=perf,protocol=tcp,port=5201 \
		"$WORK/perf1.aci" -- -s && "$ACTOOL" extract "$WORK/perf1.aci" "$WORK/perf" && mkdir -m 1777 "$WORK/perf/rootfs/tmp" &&
		"$ACTOOL" build --owner-root "$WORK/perf" "$WORK/perf.aci" && perf=yes || exit 1
fi
mkdir -p "$CONF/local/net.d"
cat >"$CONF/local/net.d/many.conf" <<-'E2'
	{"cniVersion": "0.4.0", "name": "many", "type": "ptp", "ipMasq": true,
	 "ipam": {"type": "host-local", "subnet": "10.64.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]}}
E2

# podman's plug-ins keep their addresses there, for all of the machine
mkdir -p /var/lib/cni && mount -t tmpfs cni /var/lib/cni || exit 1
# crun refuses to work where cgroups v1 and v2 are mixed; seen from here, they are not
umount /sys/fs/cgroup/unified 2>/dev/null

# podman_at DIR: $podman, with the images noop and perf; or '' and why it does not work
podman_at() {
	podman="podman --root=$1/podman --runroot=$1/run --tmpdir=$1/tmp --storage-driver=overlay --cgroup-manager=cgroupfs --events-backend=none"
	if ! command -v podman >/dev/null; then
		no_podman='no podman here: apt-get install podman'
		podman=''
		return
	fi
	tar -C "$WORK/l/rootfs" -c . | $podman import - noop >/dev/null 2>"$WORK/podman.err" &&
		$podman run --rm noop /noop >/dev/null 2>"$WORK/podman.err" && return
	no_podman="podman: $(tail -n 1 "$WORK/podman.err")"
	podman=''
}

starts() { # NAME DIR
	run="$RKT run $noop"
	mkdir -p "$2/limit"
	set -- "$1" "$run" "$WORK/start-limit -q $WORK/l/rootfs $2/limit /noop" "$RKT run --net=none $noop" \
		"${podman:+$podman run --rm --memory=64m --log-driver=none noop /noop}"
	measure -n "$runs" -w 20 "$2" "$3" "$4" || exit 1
	judged "start with the default network on $1" "$(median 1)" "$(median 2)" 2.5 'of start-limit.c, which makes no network'
	compared '  of one with --net=none' "$(median 1)" "$(median 3)" ''
	if [ -n "$podman" ]; then
		measure -n $((runs / 5 + 1)) -w 20 "$2" "$5"
		judged '' "$(median 1)" "$(median 2)" 0.4 "of $podman_version run"
	else
		echo "($no_podman)"
	fi
}

# ---- throughput of a forwarded port, from the other host and from this one, in gigabits: the medians of turns

perf_once() { # NS ADDRESS PORT
	on "$1" iperf3 -J -t 1 -c "$2" -p "$3" | python3 -c 'import json, sys
print(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e9)'
}
middle() { sort -n "$1" | awk '{v[NR] = $1} END {printf "%.2f", v[int((NR + 1) / 2)]}'; }

throughput() { # DIR
	[ -n "$perf" ] || { echo '(no iperf3 here: apt-get install iperf3)'; return; }
	$RKT fetch "$WORK/perf.aci" >/dev/null 2>&1 || exit 1
	spawn ours $RKT run --uuid-file-save="$C/ours.uuid" --port=perf:5301 example.com/perf
	spawn proxied $RKT run --uuid-file-save="$C/proxied.uuid" --port-proxy --port=perf:5303 example.com/perf
	pod_ready ours && pod_ready proxied || exit 1
	peer=''
	if [ -n "$podman" ]; then
		tar -C "$WORK/perf/rootfs" -c . | $podman import - perf >/dev/null 2>&1 &&
			spawn theirs $podman run --rm -p 5302:5201 perf /bin/iperf3 -s && peer=yes
	fi
	sleep 2
	for i in 1 2 3 4 5 6 7 8 9; do
		perf_once a 192.0.2.1 5301 >>"$WORK/perf.ours"
		[ -z "$peer" ] || perf_once a 192.0.2.1 5302 >>"$WORK/perf.theirs"
		[ $i -le 5 ] || continue
		perf_once a 192.0.2.1 5303 >>"$WORK/perf.proxied"
		perf_once - 127.0.0.1 5301 >>"$WORK/perf.lo"
	done
	if [ -n "$peer" ]; then
		a=$(middle "$WORK/perf.ours") b=$(middle "$WORK/perf.theirs")
		ratio=$(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.3f", a / b }')
		row 'throughput of a forwarded port' "$a Gbit/s" "$b Gbit/s" "$ratio" '>= 1.0' \
			"$(awk -v r="$ratio" 'BEGIN { print (r >= 0.95) ? "ok" : "UNDER" }')  of podman's"
	else
		row 'throughput of a forwarded port' "$(middle "$WORK/perf.ours") Gbit/s" '' '' '' "$no_podman"
	fi
	row '  --port-proxy' "$(middle "$WORK/perf.proxied") Gbit/s" '' '' '' ''
	row '  from 127.0.0.1' "$(middle "$WORK/perf.lo") Gbit/s" '' '' '' ''
	_end_spawned_pods ours proxied
	[ -z "$peer" ] || $podman stop -a -t 0 >/dev/null 2>&1
}
_end_spawned_pods() { for u; do $RKT stop --force "$(cat "$C/$u.uuid")" >/dev/null; done; }

# ---- many at once. The last start is one that ends at once, beside those that go on.

many() {
	many="$RKT run --net=many $noop"
	measure -n "$runs" -w 20 "$many"
	first=$(median 1) i=1
	while [ $i -lt "$pods" ]; do
		spawn "p$i" $RKT run --net=many --uuid-file-save="$C/p$i.uuid" "$noop" --exec=/pause
		i=$((i + 1))
		[ $((i % 20)) != 0 ] || pod_ready "p$((i - 1))" || exit 1
	done
	i=1
	while [ $i -lt "$pods" ]; do
		pod_ready "p$i" || exit 1
		i=$((i + 1))
	done
	sleep 1
	measure -n "$runs" -w 20 "$many"
	judged "start no. $pods of so many with a network" "$(median 1)" "$first" 1.3 'of the first'
	for u in "$C"/p*.uuid; do $RKT stop --force "$(cat "$u")"; done >/dev/null
	rm "$C"/p*.uuid
}

metadata() {
	out=$($RKT run --net=default "$noop" --exec=/mdsask -- 2000) || exit 1
	# shellcheck disable=SC2086
	set -- $out
	bounded 'metadata request, on one connection' "$(awk -v us="$1" 'BEGIN { print us / 1000 }')" ms 0.2
	bounded '  each on its own' "$(awk -v us="$2" 'BEGIN { print us / 1000 }')" ms 0.2
}

on_fs() { # NAME DIR
	_use_data "$2/data"
	noop=$($RKT fetch --full "$WORK/noop.aci" 2>/dev/null) || exit 1
	podman_at "$2"
	starts "$1" "$2"
	if [ "$1" = tmpfs ]; then
		throughput "$2"
		metadata
		many
	fi
	$RKT gc --grace-period=0s >/dev/null 2>&1
	drop_images "$2/data"
	umount -q "$2/podman/overlay"
	return 0
}
podman_version=$(podman --version 2>/dev/null | sed 's/ version//')
on_both on_fs
