/* SPDX-License-Identifier: Apache-2.0
 * checks - all of them: what each is for, and what provides it
 *
 * An id never changes its meaning. In the order in which they build on each other.
 */
#include <sched.h>
#include <string.h>

#include "core/host/facts.h"
#include "core/host/probe.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

#define NONE ""
#define CHECK(id, need, since, arg, probe, lost, config, module, sysctl, command) \
	{ id "\0" lost "\0" config "\0" module "\0" sysctl "\0" command, probe_##probe, arg, HOST_##need, since }
#define IN_CONTAINERS "a container with more privileges"

const struct host_check host_checks[] = {
	CHECK("root", NEEDED, 0, 0, root,
		"pods with networks, limits and mounted images", NONE, NONE, NONE, "run it as root"),
	CHECK("caps", NEEDED, 0, 0, caps,
		"pods: stage 1 uses them", NONE, NONE, NONE, IN_CONTAINERS),
	CHECK("caps-apps", FEATURE, 0, 1, caps,
		"capabilities of apps", NONE, NONE, NONE, IN_CONTAINERS),
	CHECK("caps-limits", FEATURE, 0, 2, caps,
		"limits above, and OOM scores below, the caller's own", NONE, NONE, NONE, IN_CONTAINERS),
	CHECK("proc", NEEDED, 0, 0, proc,
		"pods", "PROC_FS", NONE, NONE, "mount -t proc proc /proc"),
	CHECK("sys", FEATURE, 0, 0, sys,
		"a place for cgroups", "SYSFS", NONE, NONE, "mount -t sysfs sysfs /sys"),
	CHECK("dev", FEATURE, 0, 0, dev,
		"what needs them, and starts without stdin", "DEVTMPFS", NONE, NONE, "mount -t devtmpfs dev /dev"),
	CHECK("random", NEEDED, 0, 0, random,
		"UUIDs of pods", NONE, NONE, NONE, NONE),
	CHECK("clock", FEATURE, 0, 0, clock,
		"https, and signatures that expire", "RTC_HCTOSYS", NONE, NONE, "set the clock (date -s, ntpd)"),

	CHECK("ns-mnt", NEEDED, 0, CLONE_NEWNS, namespaces,
		"pods", NONE, NONE, "user.max_mnt_namespaces", NONE),
	CHECK("ns-pid", NEEDED, 0, CLONE_NEWPID, namespaces,
		"pods", "PID_NS", NONE, "user.max_pid_namespaces", NONE),
	CHECK("ns-ipc", NEEDED, 0, CLONE_NEWIPC, namespaces,
		"pods", "IPC_NS", NONE, "user.max_ipc_namespaces", NONE),
	CHECK("ns-uts", NEEDED, 0, CLONE_NEWUTS, namespaces,
		"pods", "UTS_NS", NONE, "user.max_uts_namespaces", NONE),
	CHECK("ns-cgroup", NEEDED, 0, CLONE_NEWCGROUP, namespaces,
		"pods", "CGROUPS", NONE, "user.max_cgroup_namespaces", NONE),
	CHECK("ns-net", NEEDED, 0, CLONE_NEWNET, namespaces,
		"pods other than those with --net=host", "NET_NS", NONE, "user.max_net_namespaces", NONE),
	CHECK("ns-user", FEATURE, 0, 0, user_ns,
		"--private-users", "USER_NS", NONE, "user.max_user_namespaces", NONE),
	CHECK("ns-user-nonroot", FEATURE, 0, 1, user_ns,
		"pods of users other than root", "USER_NS", NONE, "user.max_user_namespaces", "sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0"),

	CHECK("subids", FEATURE, 0, 0, subids,
		"users of images other than root, in pods of users other than root", NONE, NONE, NONE, "install uidmap; usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER"),

	CHECK("openat2", NEEDED, 6, 0, openat2,
		"pods, and archives to unpack", NONE, NONE, NONE, NONE),
	CHECK("clone3", NEEDED, 7, 0, clone3,
		"pods", NONE, NONE, NONE, NONE),
	CHECK("pidfd", NEEDED, 3, 0, pidfd,
		"pods, and rkt stop", NONE, NONE, NONE, NONE),
	CHECK("close-range", NEEDED, 11, 0, close_range,
		"pods", NONE, NONE, NONE, NONE),
	CHECK("fsopen", NEEDED, 2, 0, fsopen,
		"pods", NONE, NONE, NONE, NONE),
	CHECK("open-tree", NEEDED, 2, 0, open_tree,
		"pods", NONE, NONE, NONE, NONE),
	CHECK("move-mount", NEEDED, 2, 0, move_mount,
		"pods", NONE, NONE, NONE, NONE),
	CHECK("mount-setattr", NEEDED, 12, 0, mount_setattr,
		"pods", NONE, NONE, NONE, NONE),

	CHECK("fs-tmpfs", NEEDED, 0, 0, fs,
		"pods: /dev, /dev/shm", "TMPFS", NONE, NONE, NONE),
	CHECK("fs-proc", NEEDED, 0, CLONE_NEWPID, fs,
		"pods: /proc", "PROC_FS", NONE, NONE, NONE),
	CHECK("fs-sysfs", NEEDED, 0, CLONE_NEWNET, fs,
		"pods: /sys", "SYSFS", NONE, NONE, NONE),
	CHECK("fs-devpts", NEEDED, 0, 0, fs,
		"pods: /dev/pts", "UNIX98_PTYS", NONE, NONE, NONE),
	CHECK("fs-mqueue", NEEDED, 0, CLONE_NEWIPC, fs,
		"pods: /dev/mqueue", "POSIX_MQUEUE", NONE, NONE, NONE),
	CHECK("mknod", NEEDED, 0, 0, mknod,
		"pods: /dev/null", NONE, NONE, NONE, IN_CONTAINERS),
	CHECK("tmpfs-xattr", FEATURE, 0, 0, tmpfs_xattr,
		"overlays in memory, attributes there", "TMPFS_XATTR", NONE, NONE, NONE),
	CHECK("mount-max", FEATURE, 0, 0, mount_max,
		"pods, when there are more mounts", NONE, NONE, "fs.mount-max", "raise it"),

	CHECK("seccomp", NEEDED, 0, 0, seccomp,
		"pods", "SECCOMP_FILTER", NONE, NONE, NONE),
	CHECK("seccomp-notify", FEATURE, 0, 0, notify,
		"rkt logs --denied", "SECCOMP_FILTER", NONE, NONE, NONE),
	CHECK("learn-caps", FEATURE, 0, 0, capwatch,
		"capabilities in what rkt run --learn writes", "KPROBE_EVENTS (Linux 6.14: TRACING suffices), CONFIG_BPF_EVENTS and CONFIG_DEBUG_INFO_BTF", NONE, NONE, "mount -t sysfs sysfs /sys"),
	CHECK("exec-32", FEATURE, 0, 0, exec32,
		"images for i386 (on aarch64: armv7l, armv6l)", "IA32_EMULATION, CONFIG_COMPAT", NONE, NONE, "no ia32_emulation=0 of the kernel; some ARM processors cannot"),
	CHECK("landlock", FEATURE, 13, 0, landlock,
		"isolators with Landlock", "SECURITY_LANDLOCK", NONE, NONE, NONE),
	CHECK("lsm", FEATURE, 0, 0, lsm,
		"isolators with a security module", "SECURITY_APPARMOR or CONFIG_SECURITY_SELINUX", NONE, NONE, "lsm= of the kernel"),

	CHECK("selinux", FEATURE, 0, FACTS_LSM_SELINUX, label,
		"isolators os/linux/selinux-context", "SECURITY_SELINUX", NONE, NONE, "lsm=selinux of the kernel, and a policy"),
	CHECK("apparmor", FEATURE, 0, FACTS_LSM_APPARMOR, label,
		"isolators os/linux/apparmor-profile", "SECURITY_APPARMOR", NONE, NONE, "lsm=apparmor of the kernel"),

	CHECK("cgroup", FEATURE, 0, 0, cgroup,
		"limits", "CGROUPS", NONE, NONE, "mount -t cgroup2 cgroup2 /sys/fs/cgroup"),
	CHECK("cgroup-memory", FEATURE, 0, 0, cgroup,
		"--memory", "MEMCG", NONE, NONE, NONE),
	CHECK("cgroup-cpu", FEATURE, 0, 0, cgroup,
		"--cpu", "CFS_BANDWIDTH", NONE, NONE, NONE),
	CHECK("cgroup-pids", FEATURE, 0, 0, cgroup,
		"limits of processes", "CGROUP_PIDS", NONE, NONE, NONE),
	CHECK("cgroup-io", FEATURE, 0, 0, cgroup,
		"limits of block devices", "BLK_CGROUP", NONE, NONE, NONE),
	CHECK("io-throttle", FEATURE, 0, 0, throttle,
		"isolators resource/block-bandwidth and -iops", "BLK_DEV_THROTTLING", NONE, NONE, NONE),
	CHECK("cgroup-devices", FEATURE, 0, 0, devices,
		"devices as volumes, apps with CAP_SYS_ADMIN", "CGROUP_BPF", NONE, NONE, NONE),

	CHECK("overlay", FASTER, 0, 0, overlay,
		"starts that copy no image", "OVERLAY_FS", "overlay", NONE, NONE),
	CHECK("overlay-options", FASTER, 0, 0, overlay_options,
		"starts that copy no image", "OVERLAY_FS", NONE, NONE, NONE),
	CHECK("overlay-volatile", FASTER, 10, 0, volatile,
		"ends of pods that wait for no disk", NONE, NONE, NONE, NONE),
	CHECK("overlay-upper", FEATURE, 0, 0, upper,
		"changes of apps on disk: they are in memory", NONE, NONE, NONE, "--dir on ext4, xfs or btrfs"),
	CHECK("erofs", FASTER, 0, 0, erofs,
		"images mounted, not unpacked", "EROFS_FS", "erofs", NONE, NONE),
	CHECK("erofs-file", FASTER, 0, RENDER_EROFS, render,
		"images mounted without loop devices", "EROFS_FS_BACKED_BY_FILE", NONE, NONE, "Linux 6.12, no tmpfs or overlay below"),
	CHECK("loop", FASTER, 0, RENDER_LOOP, render,
		"images mounted without erofs-file", "BLK_DEV_LOOP", "loop", NONE, NONE),
	CHECK("store", FASTER, 0, 0, store,
		"images mounted, not unpacked", NONE, NONE, NONE, "erofs, and erofs-file or loop"),
	CHECK("verity", FASTER, 4, 0, verity,
		"images trusted unread", "FS_VERITY", NONE, NONE, "mkfs.ext4 -O verity"),
	CHECK("idmap", FEATURE, 12, 0, idmap,
		"--private-users", NONE, NONE, NONE, "--dir on ext4, xfs, btrfs or (Linux 6.3) tmpfs"),
	CHECK("overlay-idmap", FASTER, 19, 0, overlay_idmap,
		"--private-users that copies no image", "OVERLAY_FS", NONE, NONE, NONE),

	CHECK("nftables", FEATURE, 0, 0, nftables,
		"networks with ipMasq, as default is; ports without --port-proxy", "NF_TABLES_INET, CONFIG_NFT_NAT, CONFIG_NFT_MASQ", "nf_tables", NONE, "--net=none, or a network without ipMasq"),
	CHECK("veth", FEATURE, 0, 0, link,
		"networks of types ptp, as default is, and bridge", "VETH", "veth", NONE, "--net=none"),
	CHECK("bridge", FEATURE, 0, 0, link,
		"networks of type bridge", "BRIDGE", "bridge", NONE, NONE),
	CHECK("macvlan", FEATURE, 0, 1, link,
		"networks of type macvlan", "MACVLAN", "macvlan", NONE, NONE),
	CHECK("ipvlan", FEATURE, 0, 1, link,
		"networks of type ipvlan", "IPVLAN", "ipvlan", NONE, NONE),
	CHECK("sch-tbf", FEATURE, 0, 0, shape,
		"isolators resource/network-bandwidth", "NET_SCH_TBF", "sch_tbf", NONE, NONE),
};
const size_t host_n_checks = sizeof(host_checks) / sizeof(*host_checks);

const char *host_word(const struct host_check *c, enum host_word w)
{
	const char *s = c->words;

	for (int i = 0; i < (int)w; i++)
		s += strlen(s) + 1;
	return *s ? s : NULL;
}
