#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# busybox.sh OUT.aci - a static busybox with all its commands
. "$(dirname "$0")/image.sh"

image=example.com/busybox
app='        "exec": ["/bin/sh"],
        "user": "0",
        "group": "0"'

fill_rootfs() {
	accounts "$1" user 1000
	busybox_into "$1"
}

image_make "$@"
