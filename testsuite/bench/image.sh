#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image.sh - makes the image that fetch.sh and store.sh measure, once for both: $O/bench/usr.*
#
# Of this machine's /usr: 18,000 files, about 370 MB, 150 MB with gzip; and a program that does nothing, to be run.
# The same files as an OCI image, for the peers: usr.oci, a layout, and usr.oci.tar, what podman loads.
. "$(dirname "$0")/../lib.sh"

need_root
need pigz python3
bench=$TOP/testsuite/bench
out=$BIN/bench

rm -rf "$out"
mkdir -p "$out"
make_layout "$WORK/l" example.com/usr '"exec": ["/noop"], "user": "0", "group": "0"'
mkdir "$WORK/l/rootfs/proc" "$WORK/l/rootfs/sys" "$WORK/l/rootfs/dev"
"${CC:-gcc}" -std=gnu17 -Os -nostdlib -static -s -o "$WORK/l/rootfs/noop" "$bench/noop.c" || exit 1
python3 "$bench/choose.py" 18000 345000000 178000000 >"$WORK/files" || exit 1
tar -C /usr -cf - --no-recursion -T "$WORK/files" | tar -C "$WORK/l/rootfs" -xf - || exit 1

"$ACTOOL" build --no-compression --owner-root "$WORK/l" "$out/new.aci" && pigz -6 -k "$out/new.aci" || exit 1
tar -C "$WORK/l/rootfs" --sort=name --owner=0 --group=0 -cf - . | pigz -6 >"$out/layer.tar.gz" || exit 1
rm -rf "$WORK/l"
python3 "$bench/oci.py" "$out/layer.tar.gz" "$out/usr.oci" && tar -C "$out/usr.oci" -cf "$out/usr.oci.tar" . || exit 1
rm "$out/layer.tar.gz"
mv "$out/new.aci.gz" "$out/usr.aci.gz"
wc -l <"$WORK/files" >"$out/n_files"
mv "$out/new.aci" "$out/usr.aci" # last: that it is there means that all is
