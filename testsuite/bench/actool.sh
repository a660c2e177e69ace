#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# actool.sh - part of `make bench`: how long actool takes for an image of 2 GB and 100,000 entries, and how much memory
#
#	usage: actool.sh [RUNS [RUNS-OF-BUILD]]		0 leaves build out, which takes minutes
#
# The peer is the original actool, built from Debian's source package (differential/actool.sh). It does not hash, and
# skips what files of a plain tar contain; so do we, unless the ID is wanted. Commands take turns; wall time, medians.
# Everything is on a tmpfs, so no disk has a say.
. "$(dirname "$0")/../lib.sh"

need_root
need python3 pigz go
runs=${1:-3} few=${2:-1}
C=$WORK # lib.sh wants it
bench=$TOP/testsuite/bench
. "$bench/kit.sh"

ENTRIES=100000 BYTES=2000000000
large=$BIN/bench/large

[ -n "${RKTBOX_TEST_DIR:-}" ] || mount -o remount,size=12g "$WORK" || exit 1
original=$(sh "$TOP/testsuite/differential/actool.sh")/actool || exit 1

# made once; what is measured is a copy in memory
if [ ! -e "$large.tar.gz" ]; then
	mkdir -p "${large%/*}"
	echo "making the image, which takes some minutes"
	python3 "$bench/large.py" "$large.new" $ENTRIES $BYTES && pigz -6 <"$large.new" >"$large.new.gz" || exit 1
	rm "$large.new"
	mv "$large.new.gz" "$large.tar.gz" # last: that it is there means that all is
fi
cp "$large.tar.gz" "$WORK/large.tar.gz"
pigz -dc "$WORK/large.tar.gz" >"$WORK/large.tar" || exit 1
mkdir "$WORK/layout"
tar -C "$WORK/layout" -xf "$WORK/large.tar" || exit 1

headline "$runs runs, $few of build"
echo "the image: $(tar -tf "$WORK/large.tar" | wc -l) entries, $(($(stat -c %s "$WORK/large.tar") / 1000000)) MB," \
	"$(($(stat -c %s "$WORK/large.tar.gz") / 1000000)) MB with gzip"
row '' rktbox original ratio bound ''

kib() { # N: the largest resident set of measure's Nth command
	sed -n "${1}p" "$WORK/measured" | cut -d' ' -f3
}

cpu_us() {
	sed -n "${1}p" "$WORK/measured" | cut -d' ' -f4
}

validate() { # NAME FILE BOUND
	measure -n "$runs" "$ACTOOL validate $2" "$original validate $2" "$ACTOOL validate --format=json $2"
	judged "validate $1" "$(median 1)" "$(median 2)" "$3" ''
	row '  processor time' "$(ms "$(cpu_us 1)")" "$(ms "$(cpu_us 2)")" '' '' ''
	bounded '  memory' "$(kib 1)" KiB 8192
	row '  memory of the original' '' "$(kib 2) KiB" '' '' ''
	row '  with the ID (--format=json)' "$(ms "$(median 3)")" '' '' '' ''
}

validate large.tar.gz "$WORK/large.tar.gz" 0.5
validate large.tar "$WORK/large.tar" 0.4

[ "$few" != 0 ] || exit 0
measure -n "$few" "$ACTOOL build --overwrite $WORK/layout $WORK/ours.aci" \
	"$original build --overwrite $WORK/layout $WORK/theirs.aci"
judged "build" "$(median 1)" "$(median 2)" 0.1 ''
row '  processor time' "$(ms "$(cpu_us 1)")" "$(ms "$(cpu_us 2)")" '' '' ''
row '  memory' "$(kib 1) KiB" "$(kib 2) KiB" '' '' ''
row '  size' "$(($(stat -c %s "$WORK/ours.aci") / 1000000)) MB" "$(($(stat -c %s "$WORK/theirs.aci") / 1000000)) MB" '' '' ''
