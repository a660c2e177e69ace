# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# E: unpacking and reading archives; the archives are those of badtar.py, each with one fault

accepted() {
	python3 "$TOP/testsuite/badtar.py" "$1" bad.aci
	run "$ACTOOL" validate bad.aci
	reached_if "valid: $1" test "$status" = 0
}
for pair in aci-toplevel:stray_file aci-toplevel:rootfs_prefix aci-duplicate:name_twice aci-parent:below_a_symlink \
	aci-link:hardlink_to_nothing aci-link:hardlink_to_manifest aci-link:hardlink_to_symlink aci-rootfs:rootfs_is_symlink tar-climbs:name_climbs; do
	eval "accept_${pair#*:}() { accepted ${pair#*:}; }"
done
threat E tar-climbs "no path climbs" accept_name_climbs
threat E aci-toplevel "nothing lies beside manifest and rootfs" accept_stray_file
threat E aci-toplevel "rootfsEVIL is not rootfs" accept_rootfs_prefix
threat E aci-duplicate "no path has two entries" accept_name_twice
threat E aci-parent "nothing lies below a link" accept_below_a_symlink
threat E aci-link "a hard link leads to a file of the archive" accept_hardlink_to_nothing
threat E aci-link "a hard link does not lead out of rootfs" accept_hardlink_to_manifest
threat E aci-link "a hard link does not lead to a symbolic one" accept_hardlink_to_symlink
threat E aci-rootfs,aci-parent "rootfs is a directory" accept_rootfs_is_symlink

attributes() {
	python3 "$THREATS/mktar.py" bad.aci xattr:rootfs/file:trusted.evil
	run "$ACTOOL" extract bad.aci unpacked
	reached_if "an attribute of the host's kernel" python3 -c 'import os, sys; sys.exit("trusted.evil" not in os.listxattr("unpacked/rootfs/file"))'
}
threat E xattrs "attributes that belong to the host's kernel are not unpacked" attributes

device_node() {
	fresh_data
	python3 "$THREATS/mktar.py" node.aci block:rootfs/node:7,0
	run $RKT fetch node.aci
	reached_if "an image with a device node" test "$status" = 0
	drop_images "$DATA"
}
threat E devices "an image with device nodes is refused" device_node
