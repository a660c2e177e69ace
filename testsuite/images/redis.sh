#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# redis.sh OUT.aci - Debian's redis-server with the libraries it needs; runs as user redis
. "$(dirname "$0")/image.sh"

image=example.com/redis
app='        "exec": ["/usr/bin/redis-server", "--bind", "127.0.0.1", "--dir", "/var/lib/redis"],
        "user": "redis",
        "group": "redis",
        "workingDirectory": "/var/lib/redis",
        "mountPoints": [{"name": "data", "path": "/var/lib/redis"}],
        "ports": [{"name": "redis", "protocol": "tcp", "port": 6379}]'

fill_rootfs() {
	mkdir "$work/debs"
	deb_unpack "$work/debs" '^lib' redis-server redis-tools &&
		elf_copy "$work/debs" "$1" /usr/bin/redis-server /usr/bin/redis-check-rdb || return 1
	accounts "$1" redis 101
	mkdir -p "$1/var/lib/redis"
	chown 101:101 "$1/var/lib/redis"
}

image_make "$@"
