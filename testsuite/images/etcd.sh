#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# etcd.sh OUT.aci - Debian's etcd-server
. "$(dirname "$0")/image.sh"

image=example.com/etcd
app='        "exec": ["/usr/bin/etcd", "--data-dir", "/var/lib/etcd"],
        "user": "etcd",
        "group": "etcd",
        "workingDirectory": "/var/lib/etcd",
        "mountPoints": [{"name": "data", "path": "/var/lib/etcd"}],
        "ports": [{"name": "client", "protocol": "tcp", "port": 2379}]'

fill_rootfs() {
	mkdir "$work/debs"
	deb_unpack "$work/debs" '^lib' etcd-server && elf_copy "$work/debs" "$1" /usr/bin/etcd || return 1
	accounts "$1" etcd 102
	mkdir -p "$1/var/lib/etcd"
	chown 102:102 "$1/var/lib/etcd"
	chmod 700 "$1/var/lib/etcd"
}

image_make "$@"
