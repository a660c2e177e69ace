#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# httpd-client.sh OUT.aci - asks the web server of its pod for a page
. "$(dirname "$0")/image.sh"

image=example.com/httpd-client
app='        "exec": ["/bin/sh", "/talk"],
        "user": "1000",
        "group": "1000"'

fill_rootfs() {
	accounts "$1"
	busybox_into "$1" || return 1
	cat >"$1/talk" <<-'EOT'
	until page=$(wget -q -O - http://127.0.0.1:8080/ 2>/dev/null); do sleep 0.1; done
	echo "SET: not with a web server"
	echo "GET: $page"
	[ $# = 0 ] || exec sleep "$1"
	EOT
}

image_make "$@"
