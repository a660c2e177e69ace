# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# parts.sh - QEMU, and kernels with a busybox around them, from Debian packages in the cache
#
# Sourced by vmrun.sh; uses $cache, $here and die. Every part is made in a private directory and renamed
# into place, so runs that need the same part at once do not see it half done.

. "$here/../images/deb.sh"

make_part() { # DIR FUNCTION [ARG...]: FUNCTION fills a new directory, which becomes DIR
	[ ! -d "$1" ] || return 0
	part=$1
	shift
	new=$(mktemp -d "$cache/.new.XXXXXX")
	if ! "$@"; then
		rm -rf "$new"
		die "cannot make $part"
	fi
	# another run may have been faster
	mv -T "$new" "$part" 2>/dev/null || rm -rf "$new"
	[ -d "$part" ] || die "cannot make $part"
}

unpack() { # DIR PACKAGE...
	to=$1
	shift
	for deb in $(deb_get "$@"); do dpkg-deb -x "$deb" "$to" || return 1; done
	[ -n "$(ls "$to")" ]
}

fill_qemu() {
	deb_known qemu-system-x86 || return 1
	# what apt would newly install; what it would only upgrade is there
	packages=$(apt-get install -s -q --no-install-recommends qemu-system-x86 2>/dev/null |
		awk '/^Inst/ && $3 !~ /^\[/ {print $2}')
	# shellcheck disable=SC2086
	unpack "$new" $packages
}

# sets qemu, qemu_data, qemu_lib
find_qemu() {
	qemu=qemu-system-x86_64 qemu_data='' qemu_lib=${LD_LIBRARY_PATH:-}
	! command -v $qemu >/dev/null || return 0
	make_part "$cache/qemu" fill_qemu
	qemu=$cache/qemu/usr/bin/$qemu
	qemu_data="-L $cache/qemu/usr/share/qemu -L $cache/qemu/usr/share/seabios"
	qemu_lib=$(echo "$cache"/qemu/usr/lib/*-linux-gnu):$(echo "$cache"/qemu/lib/*-linux-gnu)
}

# those of the kernel's modules that a guest can need; what they say that they depend on is added (btrfs does not
# say that it needs hashes)
modules_wanted="overlay veth bridge br_netfilter nf_tables nft_chain_nat nft_masq nft_nat nft_ct nft_redir
nft_reject_inet nft_fib_inet nft_limit nft_log nft_compat xt_MASQUERADE xt_conntrack xt_addrtype xt_comment
iptable_nat iptable_filter nf_conntrack_netlink virtio_pci virtio_blk virtio_net loop squashfs xfs btrfs
erofs fuse tun macvlan ipvlan sctp sch_tbf dummy dm-mod dm-log-writes dm-flakey crc32c_generic crc32c-intel xxhash_generic
blake2b_generic"

copy_module() { # NAME: into $modules_to, and prints what it depends on
	name=$(echo "$1" | tr - _)
	file=$(awk -F/ -v m="$name" '
		{ n = $NF; sub(/\.ko.*/, "", n); gsub(/-/, "_", n) } n == m' "$new/all")
	# built in, absent in this kernel, or copied already
	{ [ -n "$file" ] && [ ! -e "$modules_to/$name.ko" ]; } || return 0
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -dqc "$file" ;;
	*) cat "$file" ;;
	esac >"$modules_to/$name.ko"
	tr '\0' '\n' <"$modules_to/$name.ko" | sed -n 's/^depends=//p' | tr , '\n'
}

copy_modules() { # RELEASE
	modules_to=$new/base/lib/modules/$1
	mkdir -p "$modules_to"
	find "$new/deb" -name '*.ko*' >"$new/all"
	todo=$modules_wanted
	while [ -n "$todo" ]; do
		todo=$(for m in $todo; do copy_module "$m"; done | sort -u)
	done
}

fill_base() { # RELEASE: the guest's root, as an archive
	cd "$new/base"
	mkdir -p bin sbin usr/bin usr/sbin proc sys dev run tmp etc root mnt
	chmod 1777 tmp
	cp "$new/busybox" bin/busybox
	for a in $(bin/busybox --list); do
		[ "$a" = busybox ] || ln -s busybox "bin/$a"
	done
	ln -s ../bin/busybox sbin/modprobe
	ln -s ../../bin/busybox usr/bin/env
	echo root:x:0:0:root:/root:/bin/sh >etc/passwd
	echo root:x:0: >etc/group
	bin/busybox depmod -b . "$1"
	find . | bin/busybox cpio -o -H newc 2>/dev/null
}

fill_kernel() { # PACKAGE; one without files is followed to the package that it depends on
	deb_known "$1" || return 1
	real=$(apt-cache show --no-all-versions "$1" |
		sed -n 's/^Depends:.*\(linux-image-[^ ,]*\).*/\1/p')
	mkdir -p "$new/deb" "$new/base"
	unpack "$new/deb" "${real:-$1}" busybox-static || return 1
	mv "$new"/deb/boot/vmlinuz-* "$new/vmlinuz"
	find "$new/deb" -path '*/bin/busybox' -exec cp {} "$new/busybox" \;
	release=$(ls "$new/deb/lib/modules" 2>/dev/null || ls "$new/deb/usr/lib/modules")
	copy_modules "$release"
	(fill_base "$release") >"$new/base.cpio" || return 1
	rm -rf "$new/deb" "$new/base" "$new/all"
}

# sets kernel_dir
find_kernel() { # 6.1 | VERSION | PACKAGE
	case $1 in
	6.1) package=linux-image-cloud-amd64 ;;
	[0-9]*) package=linux-image-$1-cloud-amd64 ;;
	*) package=$1 ;;
	esac
	# a cache from before a module was wanted is none
	kernel_dir=$cache/$package-$(echo "$modules_wanted" | cksum | cut -d' ' -f1)
	make_part "$kernel_dir" fill_kernel "$package"
}
