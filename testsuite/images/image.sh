# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# image.sh - what the image scripts share: each makes a layout once, keeps it in the cache, and packs it
#
#	usage: testsuite/images/NAME.sh OUT.aci
#
# A script sets `image` and `app` (the manifest's name, and the members of its "app", JSON), defines
# fill_rootfs DIR and calls image_make "$@". The layout is kept as long as the script does not change;
# RKTBOX_IMAGES_FRESH=1 makes it again. LAYOUT=DIR instead of OUT.aci leaves it at the layout.
# Needs $ACTOOL, or build/actool. Exit status 77: this machine cannot make that image, and stderr says why.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/deb.sh"

IMAGE_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rktbox/images
ACTOOL=${ACTOOL:-$here/../../build/actool}
ARCH=$(uname -m | sed -e 's/x86_64/amd64/' -e 's/i[3-6]86/i386/')

# busybox_into DIR: a static busybox (the host's, else the package's) and its links in DIR/bin
busybox_into() {
	for b in "$(command -v busybox)" /bin/busybox.static; do
		case $(LC_ALL=C ldd "$b" 2>&1) in *'not a dynamic'* | *'statically linked'*) break ;; esac
		b=''
	done
	if [ -z "$b" ]; then
		rm -rf "$work/busybox"
		mkdir "$work/busybox"
		deb_unpack "$work/busybox" '^$' busybox-static || return 1
		b=$(find "$work/busybox" -name busybox -type f | head -n 1)
	fi
	mkdir -p "$1/bin"
	cp "$b" "$1/bin/busybox"
	for a in $("$b" --list); do
		[ -e "$1/bin/$a" ] || ln -s busybox "$1/bin/$a"
	done
}

# accounts DIR [NAME UID]...: /etc/passwd and /etc/group with root and these; /tmp, /root and mount points
accounts() {
	_d=$1
	shift
	mkdir -p "$_d/etc" "$_d/tmp" "$_d/root" "$_d/dev" "$_d/proc" "$_d/sys"
	chmod 1777 "$_d/tmp"
	chmod 700 "$_d/root"
	echo root:x:0:0:root:/root:/bin/sh >"$_d/etc/passwd"
	echo root:x:0: >"$_d/etc/group"
	while [ $# -ge 2 ]; do
		echo "$1:x:$2:$2:$1:/:/bin/sh" >>"$_d/etc/passwd"
		echo "$1:x:$2:" >>"$_d/etc/group"
		shift 2
	done
}

image_manifest() {
	cat <<-EOT
	{
	    "acKind": "ImageManifest",
	    "acVersion": "0.8.11",
	    "name": "$image",
	    "labels": [
	        {"name": "version", "value": "${version:-1.0.0}"},
	        {"name": "os", "value": "linux"},
	        {"name": "arch", "value": "$ARCH"}
	    ],
	    "app": {
	$app
	    }
	}
	EOT
}

image_make() {
	[ $# = 1 ] || { echo "usage: ${0##*/} OUT.aci | LAYOUT=DIR" >&2; exit 2; }
	name=$(basename "$0" .sh)
	key=$(cat "$0" "$here/deb.sh" "$here/image.sh" | cksum | tr ' ' -)
	mkdir -p "$IMAGE_CACHE"
	work=$(mktemp -d "${TMPDIR:-/tmp}/rktbox-image.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	tar=$IMAGE_CACHE/$name-$key.tar
	if [ ! -s "$tar" ] || [ -n "${RKTBOX_IMAGES_FRESH:-}" ]; then
		mkdir -p "$work/layout/rootfs"
		fill_rootfs "$work/layout/rootfs" >&2 || exit 77
		image_manifest >"$work/layout/manifest"
		rm -f "$IMAGE_CACHE/$name"-*.tar
		tar -c --numeric-owner --xattrs --xattrs-include='*' --sparse -C "$work/layout" . \
			-f "$tar.$$" && mv "$tar.$$" "$tar"
		rm -rf "$work/layout"
	fi
	case $1 in
	LAYOUT=*) layout=${1#LAYOUT=} ;;
	*) layout=$work/layout ;;
	esac
	mkdir -p "$layout"
	tar -x --warning=no-timestamp --numeric-owner --xattrs --xattrs-include='*' -p -C "$layout" -f "$tar"
	case $1 in
	LAYOUT=*) ;;
	*) "$ACTOOL" build --overwrite --no-compression "$layout" "$1" ;;
	esac
}
