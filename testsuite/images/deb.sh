# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# deb.sh - Debian packages as material for images: downloaded into a cache and unpacked, never installed
#
# Sourced by the scripts beside it. Functions say what went wrong on stderr and return 1.

DEB_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rktbox/debs

deb_say() {
	echo "${0##*/}: $*" >&2
}

# deb_known PACKAGE: apt can download it. Lists that are empty (a fresh machine) are fetched once, by root.
deb_known() {
	if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
		deb_say "needs apt-get and dpkg-deb, to download $1"
		return 1
	fi
	apt-cache show --no-all-versions "$1" >/dev/null 2>&1 && return
	if [ "$(id -u)" = 0 ] && [ -z "$(apt-cache --names-only search '^libc6$')" ]; then
		apt-get -qq update >&2
	fi
	apt-cache show --no-all-versions "$1" >/dev/null 2>&1 && return
	deb_say "no package $1 here (apt-get update might help)"
	return 1
}

# deb_closure ERE PACKAGE...: the packages and of all they need, on an empty system, those that match ERE
deb_closure() {
	_ere=$1
	shift
	apt-get -s -o Dir::State::status=/dev/null install --no-install-recommends "$@" |
		awk -v ere="$_ere" -v asked=" $* " '
			$1 == "Inst" && ($2 ~ ere || index(asked, " " $2 " ")) { print $2 }'
}

# deb_get PACKAGE...: prints the paths of their .deb files in the cache, having downloaded what was not there
deb_get() {
	mkdir -p "$DEB_CACHE" || return 1
	_new=$(mktemp -d "$DEB_CACHE/.new.XXXXXX") || return 1
	# lines of: 'URI' FILE SIZE HASH; in file names apt writes the colon of an epoch as %3a
	apt-get download --print-uris "$@" | awk '{ gsub(/:/, "%3a", $2); print $2 }' >"$_new/want"
	_missing=''
	while read -r f; do
		[ -e "$DEB_CACHE/$f" ] || _missing="$_missing ${f%%_*}"
	done <"$_new/want"
	# shellcheck disable=SC2086
	if [ -n "$_missing" ] && ! (cd "$_new" &&
		apt-get -qq -o APT::Sandbox::User=root download $_missing >&2 && mv ./*.deb "$DEB_CACHE/"); then
		deb_say "cannot download:$_missing"
		rm -rf "$_new"
		return 1
	fi
	sed "s|^|$DEB_CACHE/|" "$_new/want"
	rm -rf "$_new"
}

# deb_of ARCH DIR PACKAGE...: packages of another machine, unpacked below DIR; apt with lists of its own, in the directory
# that it is called in; 1: what it says cannot be had
deb_of() {
	_arch=$1 _to=$2
	shift 2
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { deb_say "needs apt-get and dpkg-deb"; return 1; }
	_apt="apt-get -qq -o APT::Architecture=$_arch -o APT::Architectures::=$_arch -o Dir::State=$PWD/state
		-o Dir::Cache=$PWD/cache -o Dir::State::status=$PWD/state/status -o APT::Sandbox::User=root"
	for p; do
		ls "$DEB_CACHE/$_arch/${p}"_*_"$_arch.deb" >/dev/null 2>&1 && continue
		mkdir -p "$DEB_CACHE/$_arch" state/lists/partial cache/archives/partial
		: >state/status
		[ -e state/updated ] || $_apt update >&2 || : # of several lists one may be there
		touch state/updated
		(cd "$DEB_CACHE/$_arch" && $_apt download "$p" >&2) || { deb_say "cannot download $p for $_arch"; return 1; }
	done
	mkdir -p "$_to"
	for p; do dpkg-deb -x "$(ls "$DEB_CACHE/$_arch/${p}"_*_"$_arch.deb" | tail -n 1)" "$_to" || return 1; done
}

# deb_unpack DIR ERE PACKAGE...: a closure (see above), unpacked below DIR without its documentation
deb_unpack() {
	_to=$1 _ere=$2
	shift 2
	for p; do deb_known "$p" || return 1; done
	# newer packages rely on /bin, /lib ... being links into /usr
	for d in bin sbin lib lib64; do
		mkdir -p "$_to/usr/$d"
		[ -e "$_to/$d" ] || ln -s "usr/$d" "$_to/$d"
	done
	# shellcheck disable=SC2046
	_debs=$(deb_get $(deb_closure "$_ere" "$@")) && [ -n "$_debs" ] || return 1
	for d in $_debs; do
		dpkg-deb --fsys-tarfile "$d" | tar -x -C "$_to" --keep-directory-symlink --no-same-owner \
			--exclude='./usr/share/doc' --exclude='./usr/share/man' \
			--exclude='./usr/share/lintian' --exclude='./usr/share/locale' || return 1
	done
}

# elf_needed FILE: the libraries that a dynamic ELF file names, and its interpreter's path
elf_needed() {
	readelf -dl "$1" 2>/dev/null | sed -n \
		-e 's/.*(NEEDED).*\[\(.*\)\]/\1/p' -e 's/.*program interpreter: \(.*\)\]/\1/p'
}

# elf_find FROM NAME: where a library is below FROM (DIR of deb_unpack), as a path inside FROM
elf_find() {
	case $2 in
	/*) [ -e "$1$2" ] && echo "$2" && return ;;
	esac
	for d in "$1"/usr/lib/*-linux-gnu* "$1"/usr/lib64 "$1"/usr/lib "$1"/lib/*-linux-gnu*; do
		[ -e "$d/$2" ] && echo "${d#"$1"}/$2" && return
	done
	deb_say "no $2 in the packages"
	return 1
}

# elf_copy FROM TO PATH...: executables with every library they need, from one tree into another
elf_copy() {
	_from=$1 _into=$2
	shift 2
	_todo=$*
	while [ -n "$_todo" ]; do
		_next=''
		for p in $_todo; do
			[ ! -e "$_into$p" ] || continue
			mkdir -p "$_into${p%/*}" && cp -pL "$_from$p" "$_into$p" || return 1
			for n in $(elf_needed "$_from$p"); do
				f=$(elf_find "$_from" "$n") || return 1
				_next="$_next $f"
			done
		done
		_todo=$_next
	done
}
