#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# odd.sh OUT.aci - everything unusual that a root file system may hold, and that must arrive unchanged
. "$(dirname "$0")/image.sh"

image=example.com/odd
app='        "exec": ["/bin/sh", "-c", "find /odd | wc -l"],
        "user": "0",
        "group": "0"'

fill_rootfs() {
	[ "$(id -u)" = 0 ] || { echo "odd.sh: needs root, for owners and capabilities" >&2; return 1; }
	command -v setcap >/dev/null || { echo "odd.sh: needs setcap (libcap2-bin)" >&2; return 1; }
	accounts "$1" user 1000
	busybox_into "$1" || return 1
	o=$1/odd
	mkdir "$o"
	# permissions and owners
	cp "$1/bin/busybox" "$o/setuid-id"
	chown 1000:1000 "$o/setuid-id"
	chmod 6755 "$o/setuid-id"
	cp "$1/bin/busybox" "$o/capable"
	setcap cap_net_bind_service,cap_chown+ep "$o/capable"
	echo secret >"$o/mode000"
	chmod 000 "$o/mode000"
	echo big >"$o/big-owner"
	chown 4294967294:2097151 "$o/big-owner"
	mkdir -m 3777 "$o/sticky-setgid"
	mkdir -m 0555 "$o/read-only-dir"
	# links
	echo linked >"$o/hard1"
	ln "$o/hard1" "$o/hard2"
	mkdir "$o/sub"
	ln "$o/hard1" "$o/sub/hard3"
	ln -s /nowhere/at/all "$o/dangling"
	ln -s ../../../../../../etc/passwd "$o/climbs"
	ln -s "$(printf '%0300d' 0 | tr 0 t)" "$o/long-target"
	# names
	n255=$(printf '%0255d' 0 | tr 0 n)
	echo 255 >"$o/$n255"
	d=$o/$(printf '%0100d' 0 | tr 0 d)/$(printf '%0200d' 0 | tr 0 e)/$(printf '%0150d' 0 | tr 0 f)
	mkdir -p "$d"
	echo deep >"$d/file"
	echo nl >"$o/$(printf 'new\nline')"
	echo bytes >"$o/$(printf 'not-utf8-\377\376')"
	echo utf8 >"$o/$(printf 'gr\303\274n')"
	echo back >"$o/back\\slash"
	echo blank >"$o/ trailing blank "
	echo dash >"$o/-rf"
	# content and times
	: >"$o/empty"
	truncate -s 1G "$o/sparse"
	printf middle | dd of="$o/sparse" bs=1 seek=500000000 conv=notrunc 2>/dev/null
	printf end | dd of="$o/sparse" bs=1 seek=1073741821 conv=notrunc 2>/dev/null
	mkfifo "$o/fifo"
	mknod "$o/char-device" c 1 3
	mknod "$o/block-device" b 7 0
	chmod 666 "$o/char-device" "$o/block-device"
	touch -d '1970-01-01 00:00:00 UTC' "$o/epoch"
	touch -d '2038-01-19 03:14:08.123456789 UTC' "$o/nanoseconds"
	touch -d '1960-06-01 00:00:00 UTC' "$o/before-epoch"
	if command -v setfattr >/dev/null; then
		setfattr -n user.colour -v green "$o/empty"
	elif command -v python3 >/dev/null; then
		python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.colour", b"green")' "$o/empty"
	fi
	chmod 0555 "$o/read-only-dir"
}

image_make "$@"
