#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps/build.sh - fetch and build the static libraries that rktbox is linked with
#
#	deps/build.sh             build what is missing; silent when nothing is
#	deps/build.sh where       print the directory that holds (or will hold) bin, include and lib
#	deps/build.sh fetch DIR   copy every tarball into DIR, for builds without a network
#
# Every library has a recipe, deps/NAME.dep, which says where its source comes from and how it is
# built; deps/recipe.sh is what the recipes have in common. A library is built once for each state
# of its recipe, of the recipes it needs and of the compiler, below ${XDG_CACHE_HOME:-~/.cache}, and
# every tree on this machine uses that build. It appears there by rename(2), when it is complete.
#
# A tarball is looked for in $DISTFILES, in the cache, at the Debian mirrors this machine's apt knows,
# and upstream, in this order. What it must be is its sha256, so where it came from does not matter.
#
# Environment: CC (default gcc), AR, RANLIB, NM, DISTFILES, JOBS, V=1 (show the whole build).
set -eu
export LC_ALL=C
unset CDPATH

deps=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/rktbox/deps
libs=$(cd "$deps" && echo *.dep | sed 's/\.dep//g')
: "${CC:=gcc}" "${AR:=ar}" "${RANLIB:=ranlib}" "${NM:=nm}" "${DISTFILES:=}" "${V:=}"
JOBS=${JOBS:-$(nproc 2>/dev/null || echo 2)}

die() { echo "deps: $*" >&2; exit 1; }
say() { echo "  DEPS  $*"; }

# ---- recipes and their keys

load() { # NAME: set what the recipe sets; see deps/recipe.sh for the names
	needs= sources= version= variant=
	. "$deps/$1.dep"
}

compiler_id() {
	$CC --version 2>/dev/null | head -n 1
	$CC -dumpmachine 2>/dev/null || die "no C compiler: $CC"
}

hash_stdin() { sha256sum | cut -c 1-16; }

key() { # NAME: changes when this library has to be built anew
	(
		load "$1"
		{
			echo "$compiler$variant"
			cat "$deps/recipe.sh" "$deps/$1.dep"
			for f in "$deps/$1"[-_]*; do [ ! -f "$f" ] || cat "$f"; done
			for need in $needs; do key "$need"; done
		} | hash_stdin
	)
}

prefix_of() { echo "$cache/$1-$(key "$1")"; }

all_prefix() { # one hash over everything: the directory that the program is compiled with
	echo "$cache/all-$({
		echo "$compiler"
		for lib in $libs; do load "$lib" && echo "$variant"; done
		for f in "$deps"/*; do [ "${f##*/}" = build.sh ] || cat "$f"; done
	} | hash_stdin)"
}

# ---- tarballs

check_sha256() { # FILE WANTED LABEL
	got=$(sha256sum <"$1") && got=${got%% *}
	[ "$got" = "$2" ] || die "wrong sha256: $3
  wanted $2
  got    $got"
}

# The pools of the mirrors in this machine's apt configuration. A path below a pool is the same on all
# of them, and a file stays there as long as any suite has it, so no index and no deb-src line is needed.
debian_pools() {
	command -v apt-get >/dev/null || return 0
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	apt-get update --print-uris -o Debug::NoLocking=1 2>/dev/null |
	sed -n "s|^'\(.*\)/dists/\(.*\)/InRelease'.*|\1 \2|p" |
	while read -r uri suite; do
		case $suite in
		*-security) pool=pool/updates/main ;;
		"$codename"* | *stable* | testing* | sid) pool=pool/main ;;
		*) continue ;; # not Debian's
		esac
		case $uri in
		mirror+file:*) sed -n 's|^\([a-z]*://[^[:space:]]*\).*|\1|p' "${uri#mirror+file:}" ;;
		*) echo "$uri" ;;
		esac | sed "s|/*\$|/$pool|"
	done | sort -u
}

download() { # URL FILE, by whatever this machine has
	case $1 in
	*/pool/main/* | */pool/updates/main/*)
		if [ -x /usr/lib/apt/apt-helper ]; then # knows the proxies that apt is set up with
			/usr/lib/apt/apt-helper -o Acquire::Retries=1 download-file "$1" "$2" >/dev/null 2>&1
			return
		fi ;;
	esac
	if command -v curl >/dev/null; then
		curl --fail --silent --location --connect-timeout 20 --retry 2 --output "$2" "$1"
	elif command -v wget >/dev/null; then
		wget -q --timeout=20 --tries=2 -O "$2" "$1"
	else
		die "neither curl nor wget is here to fetch $1"
	fi
}

locations() { # LOCATION: the URLs it stands for
	case $1 in
	debian:*) debian_pools | sed "s|\$|/${1#debian:}|" ;;
	*) echo "$1" ;;
	esac
}

# Print the path of the tarball of the loaded recipe. $sources holds lines "SHA256 LOCATION".
tarball() { # NAME
	for dir in "$DISTFILES" "$cache/distfiles"; do
		[ -n "$dir" ] || continue
		while read -r sum location; do
			[ -n "$sum" ] && [ -f "$dir/${location##*/}" ] || continue
			check_sha256 "$dir/${location##*/}" "$sum" "$dir/${location##*/}"
			echo "$dir/${location##*/}"
			return
		done <<-EOF
		$sources
		EOF
	done
	mkdir -p "$cache/distfiles"
	while read -r sum location; do
		[ -n "$sum" ] || continue
		for url in $(locations "$location"); do
			say "$1: fetching $url" >&2
			part=$cache/distfiles/.${location##*/}.$$
			if download "$url" "$part"; then
				check_sha256 "$part" "$sum" "$url"
				mv "$part" "$cache/distfiles/${location##*/}"
				echo "$cache/distfiles/${location##*/}"
				return
			fi
			rm -f "$part"
		done
	done <<-EOF
	$sources
	EOF
	die "$1: no place had the source: $(echo "$sources" | awk 'NF { print "\n  " $2 }')
put one of these files into a directory and give it: make DISTFILES=DIR"
}

# ---- building

build_one() { # NAME
	load "$1"
	prefix=$(prefix_of "$1")
	[ ! -d "$prefix" ] || return 0
	archive=$(tarball "$1")
	say "$1: building ${archive##*/}"
	work=$(mktemp -d "$cache/.build-$1.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	mkdir "$work/src" "$work/obj" "$work/out" "$work/sysroot"
	tar -xf "$archive" -C "$work/src" --strip-components=1 --no-same-owner
	for need in $(all_needs "$1"); do
		cp -a "$(prefix_of "$need")/." "$work/sysroot/"
	done
	log=$cache/$1.log
	set +e # left of a || the subshell's own -e would mean nothing
	(
		set -eu
		. "$deps/recipe.sh"
		cd "$work/obj"
		set -x
		build
	) >"$log" 2>&1
	status=$?
	set -e
	if [ $status != 0 ]; then
		tail -n 30 "$log" >&2
		die "$1 $version failed to build; all of its output is in $log"
	fi
	[ -z "$V" ] || cat "$log"
	sed -n "s/^note: /  DEPS  $1: /p" "$log"
	mv -T "$work/out" "$prefix"
	rm -f "$log"
}

all_needs() { # NAME: everything it needs, in any order
	(
		load "$1"
		for need in $needs; do
			echo "$need"
			all_needs "$need"
		done
	) | sort -u
}

# make knows how to build things in the order of their needs, several at a time. The flags and settings
# of a make that called us are not for the libraries' makefiles.
build_all() {
	unset MAKEFLAGS MFLAGS MAKELEVEL
	{
		echo "all: $libs"
		for lib in $libs; do
			load "$lib"
			printf '%s: %s\n\t@+"$(deps)/build.sh" one %s\n' "$lib" "$needs" "$lib"
		done
	} | deps=$deps ${MAKE:-make} -s -j"$JOBS" -f - all
}

assemble() { # one include and one lib directory, so that the program needs one -I and one -L
	work=$(mktemp -d "$cache/.build-all.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	for lib in $libs; do
		cp -al "$(prefix_of "$lib")/." "$work/"
	done
	mv -T "$work" "$1"
}

compiler=$(compiler_id)
export CC AR RANLIB NM DISTFILES V

case ${1:-} in
where)
	all_prefix
	;;
one)
	build_one "$2"
	;;
fetch)
	[ -n "${2:-}" ] || die "usage: deps/build.sh fetch DIR"
	mkdir -p "$2"
	for lib in $libs; do
		load "$lib"
		file=$(tarball "$lib")
		[ "$file" -ef "$2/${file##*/}" ] || cp "$file" "$2/"
	done
	;;
'')
	all=$(all_prefix)
	[ ! -d "$all" ] || exit 0
	mkdir -p "$cache"
	exec 9>"$cache/.lock"
	flock -n 9 || { say "waiting for another build of the libraries"; flock 9; }
	[ ! -d "$all" ] || exit 0
	rm -rf "$cache"/.build-* # of a build that was killed: nobody else is at work here now
	build_all
	assemble "$all"
	;;
*)
	die "unknown command: $1 (see the head of $0)"
	;;
esac
