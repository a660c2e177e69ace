#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# store.sh - part of `make bench`: what an image costs once it is in the store
#
#	usage: store.sh [RUNS]
#
# Room on disk, the first start after a fetch, reading with nothing in memory, removing it, and collecting pods.
# Commands take turns; wall time, medians. What is measured begins with everything on disk (sync).
. "$(dirname "$0")/../lib.sh"

need_root
need mkfs.ext4 tar
runs=${1:-9}
C=$WORK # lib.sh wants it
bench=$TOP/testsuite/bench
. "$bench/kit.sh"

headline "$runs runs"
need_image

use() { # DIR: a store there
	dir=$1
	_use_data "$dir/data"
	RKT="$RKTBOX rkt ${RKT#* }"
	run="$RKT run --net=none example.com/usr"
	cat >"$WORK/prepare" <<-EOT
		# WHAT: the state that a measurement begins with
		clean() {
			for m in $dir/data/cas/mnt/*; do umount -q "\$m"; done
			rm -rf $dir/data $dir/tree
		}
		fetch() { $RKT fetch $USR.aci.gz >/dev/null 2>&1; }
		unpack() { mkdir $dir/tree && tar -C $dir/tree -xf $USR.aci; }
		cold() { sync; echo 3 >/proc/sys/vm/drop_caches; }
		# a fetch that does not concern us: it leaves the machine as the one before the first start does
		busy() {
			$RKT --dir=$dir/other fetch $USR.aci.gz >/dev/null 2>&1 || exit 1
			rm -rf $dir/other && sync
		}
		# a host where pods have run, for there fetch makes images ready
		new() {
			clean && fetch && $run && $RKT gc --grace-period=0s >/dev/null || exit 1
			$RKT image rm example.com/usr >/dev/null && fetch
		}
		case \$1 in
		starts1) new && busy ;;
		starts*) busy ;;
		rm1) clean && fetch && sync ;;
		cold-starts1) new && cold ;;
		cold-starts*) cold ;;
		rm2) clean && unpack && sync ;;
		read*) cold ;;
		gc1)
			clean && fetch || exit 1
			i=0
			while [ \$i -lt 200 ]; do
				$run || exit 1
				i=\$((i + 1))
			done
			sync
			;;
		esac
	EOT
	cat >"$WORK/prep" <<-EOT
		exec sh $WORK/prepare "\$1\$2" 2>/dev/null
	EOT
}

# what df says: of the whole file system, so that nothing is left out
used() {
	sync -f "$dir"
	df --block-size=1 --output=used "$dir" | tail -n 1
}

measure_disk() { # NAME
	mkdir "$dir/data"
	before=$(used)
	$RKT fetch "$USR.aci.gz" >/dev/null 2>&1 || exit 1
	i=0
	while [ $i -lt 10 ]; do
		$run 2>/dev/null || exit 1
		i=$((i + 1))
	done
	ratio=$(awk -v u=$(($(used) - before)) -v t="$(stat -c %s "$USR.aci")" 'BEGIN { printf "%.4f", u / t }')
	bounded "room on $1 after fetch and 10 runs" "$ratio" 'of the tar' 1.03
}

# The second and the third differ by nothing but chance. By as much, and one part in fifty, the first may.
measure_starts() { # NAME
	measure -o -q -n $((3 * runs)) -p "sh $WORK/prep starts" "$run" "$run" "$run"
	chance=$(awk -v a="$(median 2)" -v b="$(median 3)" 'BEGIN { d = a / b; print d > 1 ? d - 1 : 1 / d - 1 }')
	bound=$(awk -v c="$chance" 'BEGIN { printf "%.2f", 1 + (c > 0.02 ? c : 0.02) }')
	judged "first run after fetch on $1" "$(median 1)" "$(median 3)" "$bound" 'of the third one'
	measure -o -q -n "$runs" -p "sh $WORK/prep cold-starts" "$run" "$run" "$run"
	row '  with nothing in memory' "$(ms "$(median 1)")" "$(ms "$(median 3)")" '' '' 'the third one'
}

measure_rm() { # NAME
	measure -q -n "$runs" -p "sh $WORK/prep rm" "$RKT image rm example.com/usr" "rm -rf $dir/tree"
	judged "image rm on $1" "$(median 1)" "$(median 2)" 0.05 'of rm -rf of the tree'
}

measure_gc() { # NAME
	measure -q -n 5 -p "sh $WORK/prep gc" "$RKT gc --grace-period=0s"
	bounded "gc of 200 exited pods on $1" "$(awk -v us="$(median 1)" 'BEGIN { print us / 1000 }')" ms 300
	[ -z "$($RKT list --no-legend)" ] || exit 1
}

# The same files in the same order on both sides: that of their names, in which the archive has them and in which they
# were unpacked. So the tree lies on its fresh disk as well as it ever will. The image is read through the mount that
# pods have below their overlay; a tree would have one above it as well.
measure_read() { # NAME
	sh "$WORK/prepare" rm1 2>/dev/null || exit 1
	mkdir "$dir/tree" && tar -C "$dir/tree" -xf "$USR.aci" || exit 1
	$run 2>/dev/null || exit 1 # and is mounted now
	mnt=$(echo "$dir"/data/cas/mnt/*)
	mountpoint -q "$mnt" || exit 1
	(cd "$dir/tree/rootfs" && find . -type f -print0 | LC_ALL=C sort -z) >"$WORK/names"
	cat >"$WORK/read" <<-'EOT'
		cd "$1" && exec xargs -0 cat <"$2"
	EOT
	(cd "$mnt" && xargs -0 cat <"$WORK/names" | cksum) >"$WORK/sum1"
	(cd "$dir/tree/rootfs" && xargs -0 cat <"$WORK/names" | cksum) | cmp - "$WORK/sum1" || exit 1
	measure -n "$runs" -p "sh $WORK/prep read" "sh $WORK/read $mnt $WORK/names" \
		"sh $WORK/read $dir/tree/rootfs $WORK/names"
	judged "cold read of all files on $1" "$(median 1)" "$(median 2)" 0.8 'of the extracted tree'
}

on() { # NAME DIR
	use "$2"
	measure_disk "$1"
	measure_starts "$1"
	measure_rm "$1"
	measure_gc "$1"
	[ "$1" = tmpfs ] || measure_read "$1" # there nothing is ever cold
	sh "$WORK/prepare" rm1 >/dev/null 2>&1
	drop_images "$2/data"
}

on_both on
