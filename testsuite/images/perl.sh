#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# perl.sh OUT.aci - Debian's perl, whole packages, with all its modules
. "$(dirname "$0")/image.sh"

image=example.com/perl
app='        "exec": ["/usr/bin/perl", "-e", "print \"perl $^V\\n\""],
        "user": "1000",
        "group": "1000"'

fill_rootfs() {
	deb_unpack "$1" '^(libc6|libcrypt1|libperl|perl|libdb5|libgdbm|zlib1g|libbz2)' perl || return 1
	accounts "$1"
}

image_make "$@"
