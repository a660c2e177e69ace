#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch.sh - part of `make bench`: how long putting an image into the store takes, beside what others need
#
#	usage: fetch.sh [RUNS]
#
# The image is made of this machine's /usr: 18,000 files, about 370 MB. Everything is on a tmpfs first, then in
# an ext4 that is made anew in a file there, so no disk has a say. Commands take turns; wall time, medians.
. "$(dirname "$0")/../lib.sh"

need_root
need pigz sha512sum mkfs.ext4 taskset
runs=${1:-9}
C=$WORK # lib.sh wants it
bench=$TOP/testsuite/bench
. "$bench/kit.sh"

FILES=18000 AVERAGE=20500

# As many as there are, in the order of a hash of their names, and such that the sum grows evenly to what is wanted.
choose() {
	(cd /usr && find bin lib share include libexec -xdev -type f -size -8192k -printf '%s %p\n' 2>/dev/null) |
	awk '{ h = 0; for (i = 1; i <= length($2); i++) h = (h * 31 + index("etaoinsrhldcumfpgwybvk.-_/0123456789", substr($2, i, 1))) % 1000003
		print h, $0 }' | LC_ALL=C sort -n |
	awk -v files=$FILES -v avg=$AVERAGE '
		n < files && sum + $2 <= (n + 1) * avg + 4000000 { sum += $2; n++; sub(/^[0-9]+ [0-9]+ /, ""); print }'
}

make_layout "$WORK/l" example.com/usr
choose >"$WORK/files"
tar -C /usr -cf - --no-recursion -T "$WORK/files" 2>/dev/null | tar -C "$WORK/l/rootfs" -xf -
"$ACTOOL" build --no-compression --owner-root "$WORK/l" "$WORK/usr.aci" || exit 1
rm -rf "$WORK/l"
pigz -6 -k "$WORK/usr.aci"

# without an old image, and with a shell for each command
cat >"$WORK/fetch" <<'EOF'
rm -rf "$1/data"
exec "$2" rkt --insecure-options=image --dir="$1/data" fetch "$3" 2>/dev/null
EOF
cat >"$WORK/pipe" <<'EOF'
pigz -dc "$1" | sha512sum
EOF

echo "$($RKTBOX --version), $(uname -sr), $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg), $runs runs"
echo "$(wc -l <"$WORK/files") files, $(($(stat -c %s "$WORK/usr.aci") / 1000000)) MB," \
	"$(($(stat -c %s "$WORK/usr.aci.gz") / 1000000)) MB with gzip"
cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')

on() { # NAME DIR
	measure -n "$runs" "sh $WORK/fetch $2 $RKTBOX $WORK/usr.aci.gz" "sh $WORK/pipe $WORK/usr.aci.gz" \
		"taskset -c $cpu sh $WORK/fetch $2 $RKTBOX $WORK/usr.aci.gz" "taskset -c $cpu sh $WORK/pipe $WORK/usr.aci.gz" \
		"sh $WORK/fetch $2 $RKTBOX $WORK/usr.aci" "sha512sum $WORK/usr.aci"
	judged "fetch usr.aci.gz on $1" "$(median 1)" "$(median 2)" 0.6 'of pigz -dc | sha512sum'
	judged '  on one processor' "$(median 3)" "$(median 4)" 0.6 'of the same'
	row '  usr.aci, not compressed' "$(ms "$(median 5)")" "$(ms "$(median 6)")" '' '' 'sha512sum'
	rm -rf "$2/data"
}

row '' rktbox peer ratio bound ''
mkdir "$WORK/tmpfs" "$WORK/ext4"
on tmpfs "$WORK/tmpfs"
truncate -s 1000M "$WORK/ext4.img"
mkfs.ext4 -q -F "$WORK/ext4.img"
mount -o loop,discard "$WORK/ext4.img" "$WORK/ext4" || exit 1
on ext4 "$WORK/ext4"
umount "$WORK/ext4"
