#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# python3.sh OUT.aci - Debian's python3 with its standard library, whole packages
. "$(dirname "$0")/image.sh"

image=example.com/python3
app='        "exec": ["/usr/bin/python3", "-c", "import sys; print(sys.version)"],
        "user": "1000",
        "group": "1000"'

fill_rootfs() {
	deb_unpack "$1" '^(lib|python3|zlib1g|media-types|tzdata)' python3 || return 1
	accounts "$1"
}

image_make "$@"
