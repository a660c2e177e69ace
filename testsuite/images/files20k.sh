#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# files20k.sh OUT.aci - busybox and 20,000 small files in 200 directories; prints their number when run
. "$(dirname "$0")/image.sh"

image=example.com/files20k
app='        "exec": ["/bin/sh", "-c", "find /many -type f | wc -l; cat /many/*/* | sha512sum"],
        "user": "1000",
        "group": "1000"'

fill_rootfs() {
	accounts "$1"
	busybox_into "$1" || return 1
	mkdir "$1/many"
	for d in $(seq 0 199); do mkdir "$1/many/d$d"; done
	seq 0 19999 | awk -v dir="$1/many" '{ f = dir "/d" $1 % 200 "/file" $1; print "number", $1 > f; close(f) }'
}

image_make "$@"
