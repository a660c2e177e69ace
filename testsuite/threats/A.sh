# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# A: paths in a hostile root file system

etc_link() {
	mkdir victim
	image etc-link '"exec": ["/bin/true"], "user": "0", "group": "0"' 'rm -r "$l/rootfs/etc"; ln -s "$C/victim" "$l/rootfs/etc"'
	run $RKT run --net=none "$ID"
	reached_if "files of the host by /etc as a link" test -e victim/hosts
}
threat A in-root "a link for /etc leads into the image, not to the host" etc_link

proc_link() {
	image proc-link '"exec": ["/bin/true"], "user": "0", "group": "0"' 'rm -r "$l/rootfs/proc"; ln -s /etc "$l/rootfs/proc"'
	run $RKT run --net=none "$ID"
	reached_if "a start with /proc as a link to elsewhere" test "$status" = 0
}
threat A no-links "a link for /proc is refused" proc_link

mount_in_proc() {
	run $RKT run --net=none --volume=v,kind=empty --mount=volume=v,target=/proc/sys/kernel "$ATTACKER" --exec=/bin/true
	reached_if "a mount in /proc" test "$status" = 0
}
threat A kernel-fs "nothing is mounted in a file system of the kernel" mount_in_proc

on_volume() {
	mkdir shared other
	run $RKT run --net=none --volume=s,kind=host,source="$C/shared" --volume=o,kind=host,source="$C/other" \
		--mount=volume=s,target=/s --mount=volume=o,target=/s/new/place "$ATTACKER" --exec=/bin/true
	reached_if "a directory made in a volume of the host" test -e shared/new
}
threat A foreign "no mount point is made in a volume of the host" on_volume

chroot_escape() {
	run $RKT run --net=none "$ATTACKER" --exec=/bin/attack -- chroot "$MARKER"
}
threat A pivot "no way out of the root by chroot and .." chroot_escape
