#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch.sh - part of `make bench`: how long putting an image into the store takes, beside what others need
#
#	usage: fetch.sh [RUNS [RUNS-OF-ENGINES]]
#
# pigz -dc | sha512sum only reads the image: it decompresses and hashes, as one must to know what it is. umoci and
# podman do what rkt fetch is for. Commands take turns; wall time, medians. Before each of them all that others have
# left is removed, and on disk, which is not measured.
. "$(dirname "$0")/../lib.sh"

need_root
need pigz sha512sum mkfs.ext4 taskset umoci podman
runs=${1:-9} few=${2:-5}
C=$WORK # lib.sh wants it
bench=$TOP/testsuite/bench
. "$bench/kit.sh"

cat >"$WORK/clean" <<'EOT'
umount -q "$1/podman/overlay"
rm -rf "$1"/*
mkdir "$1/tmp"
sync
EOT
cat >"$WORK/pipe" <<'EOT'
pigz -dc "$1" | sha512sum
EOT

headline "$runs runs, $few of engines"
need_image
cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')

on() { # NAME DIR
	fetch="$RKTBOX rkt --insecure-options=image --dir=$2/data fetch"
	one="taskset -c $cpu"
	pipe="sh $WORK/pipe $USR.aci.gz"
	measure -q -n "$runs" -p "sh $WORK/clean $2" "$fetch $USR.aci.gz" "$pipe" "$one $fetch $USR.aci.gz" "$one $pipe" \
		"$fetch $USR.aci" "sha512sum $USR.aci"
	judged "fetch usr.aci.gz on $1" "$(median 1)" "$(median 2)" 0.6 'of pigz -dc | sha512sum'
	judged '  on one processor' "$(median 3)" "$(median 4)" 0.6 'of the same'
	row '  usr.aci, not compressed' "$(ms "$(median 5)")" "$(ms "$(median 6)")" '' '' 'sha512sum'

	podman="podman --root=$2/podman --runroot=$2/run --storage-driver=overlay"
	measure -q -n "$few" -p "sh $WORK/clean $2" "$fetch $USR.aci.gz" "umoci unpack --image=$USR.oci:usr $2/bundle" \
		"env TMPDIR=$2/tmp $podman load --quiet --input=$USR.oci.tar"
	judged "  beside engines" "$(median 1)" "$(median 2)" 0.15 'of umoci unpack'
	judged '' "$(median 1)" "$(median 3)" 0.15 'of podman load'
	sh "$WORK/clean" "$2"
}

on_both on
