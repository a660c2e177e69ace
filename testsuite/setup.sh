#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# testsuite/setup.sh [SECTION...] - install what packages.txt lists, all of it or these sections
#
# On Debian, as root; silent and quick when nothing is missing. Anywhere else it only says what is
# needed: then a build fails on what it misses, and tests are skipped with their reason. SETUP=no in the
# environment makes it do nothing at all.
set -eu
export LC_ALL=C
list=$(dirname "$0")/packages.txt
[ "${SETUP:-}" != no ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "setup: this is not Debian; $list names what building and testing need" >&2
	exit 0
fi

wanted() {
	awk -v sections=" $* " '
		/^[^#]/ && (sections == "  " || index(sections, " " $1 " ")) { print $2 }' "$list"
}

missing() { # those of $packages that are not installed
	dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $packages 2>/dev/null |
	awk -v packages="$packages" '
		$1 == "ii" { have[$2] = 1 }
		END { n = split(packages, p); for (i = 1; i <= n; i++) if (!(p[i] in have)) print p[i] }'
}

packages=$(wanted "$@" | tr '\n' ' ')
[ -n "$(missing)" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "setup: not installed; as root: apt-get install" $(missing) >&2
	exit 0
fi

exec 9<"$list"
flock 9 # two of us would remove each other's policy-rc.d

# Debian starts a daemon when its package is installed, unless this file says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=900 -o Dpkg::Use-Pty=0 "$@" 9<&-
}

echo "setup: installing" $(missing)
log=$(mktemp)
apt update >"$log" 2>&1 || cat "$log" >&2 # some lists may be reachable all the same
apt install --no-install-recommends $(missing) >"$log" 2>&1 ||
	for package in $(missing); do # so that one that cannot be had does not stop the others
		apt install --no-install-recommends "$package" >"$log" 2>&1 || cat "$log" >&2
	done
rm -f "$log"
if [ -n "$(missing)" ]; then
	echo "setup: could not install" $(missing) "(SETUP=no goes on without)" >&2
	exit 1
fi
