# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# I: the kernel's interfaces

kernel_files() {
	run $RKT run --net=none "$ATTACKER" --memory=64M --exec=/bin/attack -- kernel-files
}
threat I masks "files of the kernel that tell too much are empty" kernel_files
threat I proc-read-only "settings of the kernel in /proc cannot be written" kernel_files
threat I sys-read-only "settings of the kernel in /sys cannot be written" kernel_files

cgroup_files() {
	run $RKT run --net=none "$ATTACKER" --memory=64M --exec=/bin/attack -- cgroup-files
}
threat I cgroup-read-only "an app does not change its own limits" cgroup_files

cgroup_path() {
	run $RKT run --net=none "$ATTACKER" --memory=64M --exec=/bin/cut -- -d: -f3 /proc/self/cgroup
	reached_if "the names of cgroups above the app's" grep -qv '^/$' out
}
threat I cgroup-ns "an app sees its own cgroup as the root" cgroup_path

nodes() {
	mkdir vol
	run $RKT run --net=none --volume=v,kind=host,source="$C/vol" "$ATTACKER" --mount=volume=v,target=/volume --exec=/bin/attack -- devices
}
threat I nodev "a device node that an app makes does not work" nodes

calls() {
	run $RKT run --net=none "$ATTACKER" --exec=/bin/attack -- syscalls
}
threat I seccomp "calls that reach beyond a pod are denied" calls
threat I vsock "vsock is denied" calls
threat I clone-flags "new namespaces by clone are denied" calls

other_door() {
	case $(uname -m) in x86_64) ;; *) stopped "no other door"; return ;; esac
	run $RKT run --net=none "$ATTACKER" --exec=/bin/attack -- door
}
threat I architecture "calls by another architecture's numbers are denied" other_door

powers() {
	run $RKT run --net=none "$ATTACKER" --exec=/bin/attack -- powers
}
threat I caps "an app has the 14 capabilities of the specification, and no others" powers

setuid_program() {
	run $RKT run --net=none "$SETUID"
}
image setuid '"exec": ["/bin/setuid", "euid"], "user": "1000", "group": "1000", "isolators": [
	{"name": "os/linux/no-new-privileges", "value": true}]' 'cp "$WORK/attack" "$l/rootfs/bin/setuid"; chmod 4755 "$l/rootfs/bin/setuid"' ||
	not_ok "I: make an image"
SETUID=$ID
threat I no-new-privs "a set-user-ID program gains nothing where the image asks for no_new_privs" setuid_program
