#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# redis-client.sh OUT.aci - redis-cli and a shell; by default it talks to a server on port 6379 of its pod
. "$(dirname "$0")/image.sh"

image=example.com/redis-client
app='        "exec": ["/bin/sh", "/talk"],
        "user": "1000",
        "group": "1000"'

fill_rootfs() {
	mkdir "$work/debs"
	deb_unpack "$work/debs" '^lib' redis-tools &&
		elf_copy "$work/debs" "$1" /usr/bin/redis-cli || return 1
	accounts "$1"
	busybox_into "$1" || return 1
	cat >"$1/talk" <<-'EOT'
	until redis-cli ping 2>/dev/null | grep -q PONG; do sleep 0.1; done
	echo "SET: $(redis-cli set greeting 'hello from the other app')"
	echo "GET: $(redis-cli get greeting)"
	echo "version: $(redis-cli info server | tr -d '\r' | sed -n 's/^redis_version://p')"
	[ $# = 0 ] || exec sleep "$1"
	redis-cli shutdown nosave
	EOT
}

image_make "$@"
