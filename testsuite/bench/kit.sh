# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# kit.sh - what the scripts here share: rows of a table, measure.c, the image, file systems; read after lib.sh,
# with $bench set

row() { printf '%-46s %12s %12s %8s  %-8s %s\n' "$@"; }

# judged WHAT OURS PEER BOUND NOTE: a ratio of two times in microseconds
judged() {
	ratio=$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.3f", a / b }')
	verdict=$(awk -v r="$ratio" -v b="$4" 'BEGIN { print r <= b ? "ok" : "OVER" }')
	row "$1" "$(ms "$2")" "$(ms "$3")" "$ratio" "<= $4" "$verdict  $5"
}

# compared WHAT OURS PEER NOTE: the same without a verdict
compared() {
	row "$1" "$(ms "$2")" "$(ms "$3")" "$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.3f", a / b }')" '' "$4"
}

# bounded WHAT VALUE UNIT BOUND: a plain number
bounded() {
	verdict=$(awk -v v="$2" -v b="$4" 'BEGIN { print v <= b ? "ok" : "OVER" }')
	row "$1" "$2 $3" '' '' "<= $4" "$verdict"
}

ms() { awk -v us="$1" 'BEGIN { printf "%.2f ms", us / 1000 }'; }

median() { # N: of measure's Nth line
	sed -n "${1}p" "$WORK/measured" | cut -d' ' -f1
}

measure() {
	"$WORK/measure" "$@" >"$WORK/measured" || exit 1
}

# before the rows: whom, where, and how busy the machine is with other things
headline() { # WHAT ELSE
	echo "$($RKTBOX --version), $(uname -sr), $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)${1:+, $1}"
}

# ---- the image of image.sh: $USR.aci and the others

USR=$BIN/bench/usr

need_image() {
	[ -e "$USR.aci" ] || sh "$TOP/testsuite/bench/image.sh" || exit 1
	cat "$USR.aci" "$USR.aci.gz" "$USR.oci.tar" >/dev/null # from memory, for all alike
	echo "the image: $(cat "$BIN/bench/n_files") files, $(($(stat -c %s "$USR.aci") / 1000000)) MB," \
		"$(($(stat -c %s "$USR.aci.gz") / 1000000)) MB with gzip"
}

# ---- where things are measured: a tmpfs, and an ext4 in a file on it, so no disk has a say. With RKTBOX_TEST_DIR the
# file is on a disk, and what is read from it comes from there (direct I/O), not from the page cache of the file.

# as much memory as it takes, for the image and its copies
[ -n "${RKTBOX_TEST_DIR:-}" ] || mount -o remount,size=5g "$WORK" || exit 1

make_ext4() { # DIR
	mkdir "$1"
	truncate -s 2500M "$1.img"
	mkfs.ext4 -q -F "$1.img" || exit 1
	loop=$(losetup --find --show --direct-io=on "$1.img" 2>/dev/null || losetup --find --show "$1.img") || exit 1
	mount -o discard "$loop" "$1" || exit 1
	losetup -d "$loop" # goes with the mount
}

make_tmpfs() { # DIR
	mkdir "$1"
	mount -t tmpfs -o size=2500m bench "$1" || exit 1
}

# on_both FUNCTION: called with name and directory of each, below the table's head
on_both() {
	row '' rktbox peer ratio bound ''
	for fs in tmpfs ext4; do
		make_$fs "$WORK/$fs"
		"$1" $fs "$WORK/$fs"
		umount "$WORK/$fs"
	done
}

"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$WORK/measure" "$bench/measure.c" || exit 1
