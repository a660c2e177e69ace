#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# httpd.sh OUT.aci - busybox as a web server on port 8080
. "$(dirname "$0")/image.sh"

image=example.com/httpd
app='        "exec": ["/bin/httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/www"],
        "user": "1000",
        "group": "1000",
        "ports": [{"name": "http", "protocol": "tcp", "port": 8080}]'

fill_rootfs() {
	accounts "$1" www 1000
	busybox_into "$1" || return 1
	mkdir "$1/www"
	echo 'hello from the other app' >"$1/www/index.html"
}

image_make "$@"
