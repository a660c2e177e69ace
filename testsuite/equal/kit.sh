# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154,SC2086
# kit.sh - what the scripts share that compare the ways of rendering; sourced after lib.sh
#
#	HOWS             the ways that work here, tree last
#	place            in a case: into an empty directory on an ext4, $P and $C, with a store of its own
#	layout NAME [MEMBERS]   l/: an image of that name whose tree is to be in l/rootfs/t; MEMBERS of its manifest
#	pack FILE        l/ as an archive; unpacked FILE: its reference, ref/
#	pod HOW NAME [OPTION...] [-- ARGUMENT...]   runs it; what the app said is in out
#	packages NAME ERE PACKAGE...   a layout of Debian's packages, and those of what they need that match ERE
#	clean            no pods and no mounts any more
#	kit_end          instead of finish
need_root
need cc tar python3 mkfs.ext4 losetup setfattr setcap dpkg-deb
CASE_LIMIT=600
unset RKTBOX_RENDER

for p in view change; do
	cc -static -O2 -Wall -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -o "$WORK/$p" "$TOP/testsuite/equal/$p"*.c 2>"$WORK/log" ||
		{ cat "$WORK/log"; not_ok "$SCRIPT: build $p"; finish; }
done

# a file system on which all three work, with room for attributes of 64 KiB
truncate -s 1600M "$WORK/disk"
mkfs.ext4 -q -m0 -b 4096 -O ea_inode -E lazy_itable_init=1 "$WORK/disk"
mkdir "$WORK/ext4"
mount -o loop "$WORK/disk" "$WORK/ext4" || skip "cannot mount an ext4 image"

place() {
	P=$WORK/ext4/$N_CASE
	mkdir "$P"
	cd "$P" || exit 1
	C=$P
	_use_data "$P/data"
	RKT="$RKT --insecure-options=image,devices"
	at_end "drop_images '$DATA'; cd /; rm -rf '$P'"
}

layout() {
	rm -rf l
	mkdir -p l/rootfs/t l/rootfs/dev l/rootfs/proc l/rootfs/sys l/rootfs/etc
	cp "$WORK/view" "$WORK/change" l/rootfs/
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/%s","labels":[%s],%s"app":%s}' "$1" \
		"{\"name\":\"version\",\"value\":\"1\"},{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"$ARCH\"}" \
		"${2:+$2,}" '{"exec":["/view","/t"],"user":"0","group":"0"}' >l/manifest
}

gnu_tar() { # ARGUMENTS...
	tar --numeric-owner --xattrs '--xattrs-include=*' --acls --warning=no-timestamp --warning=no-file-ignored "$@"
}

pack() {
	gnu_tar -C l --format=pax --pax-option=delete=atime,delete=ctime --sparse -cf "$1" manifest rootfs
}

pod() {
	_how=$1 _name=$2
	shift 2
	run $RKT --render="$_how" run --net=none "example.com/$_name" "$@"
	[ "$status" = 0 ] || { _show; return 1; }
	[ ! -s err ] || ! grep -v '^image: using' err
}

clean() {
	$RKT gc --grace-period=0s >gc.log 2>&1
	$RKT gc --grace-period=0s >gc.log 2>&1
}

unpacked() {
	mkdir ref
	gnu_tar -C ref -xpf "$1"
}

# ---- Debian's packages

. "$TOP/testsuite/images/deb.sh"

packages() {
	_image=$1 _closure=$2
	shift 2
	for p; do deb_known "$p" || skip "package $p"; done
	layout "$_image"
	for d in bin sbin lib lib64; do # as on every merged system
		mkdir -p "l/rootfs/usr/$d"
		ln -s "usr/$d" "l/rootfs/$d"
	done
	# shellcheck disable=SC2046
	_debs=$(deb_get $(deb_closure "$_closure" "$@"))
	[ -n "$_debs" ]
	for d in $_debs; do
		dpkg-deb --fsys-tarfile "$d" | tar -x -C l/rootfs -p --same-owner --numeric-owner --keep-directory-symlink
	done
}

POD_FILES='dev proc sys etc/hosts etc/hostname etc/resolv.conf etc/mtab' # what stage 1 puts there

# ---- which ways there are

works() { # HOW
	place
	layout probe
	pack probe.aci
	$RKT fetch probe.aci
	$RKT --render=$1 image render example.com/probe made || skip "not on this kernel"
	: >"$WORK/works-$1"
	clean
}
HOWS=tree
for how in loop erofs; do
	t "${SCRIPT%.tests}: $how can be compared" works $how
	[ ! -e "$WORK/works-$how" ] || HOWS="$how $HOWS"
done

# ---- the end

kit_end() {
	umount "$WORK/ext4" || not_ok "${SCRIPT%.tests}: the file system of these tests can be unmounted at the end"
	finish
}
