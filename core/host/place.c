/* SPDX-License-Identifier: Apache-2.0
 * place - who we are, and what was mounted and configured for us; see probe.h
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/appc/isolator.h"
#include "core/base/fd.h"
#include "core/base/rootless.h"
#include "core/base/sys.h"
#include "core/host/facts.h"
#include "core/host/probe.h"

/* without which no pod starts, or none whose app has another user; what else stage 1 uses, apps have by default */
#define B(cap) (UINT64_C(1) << (cap))
#define STAGE1_CAPS \
	(B(CAP_SYS_ADMIN) | B(CAP_SYS_CHROOT) | B(CAP_SETUID) | B(CAP_SETGID) | B(CAP_SETPCAP) | B(CAP_MKNOD) | \
	 B(CAP_DAC_OVERRIDE) | B(CAP_NET_ADMIN))

enum { MOUNTS_OF_A_POD = 128 };

int probe_root(struct host_probe *p)
{
	if (!p->uid)
		return 0;
	/* in a user namespace of ours by now, if there is one to be had */
	if (geteuid() != 0)
		return probe_say(p, HOST_MISSING, "we are user %lu, and cannot be root of a user namespace", (unsigned long)p->uid);
	return probe_say(p, HOST_DEGRADED, "we are user %lu: our pods are in a user namespace, what else we tell is about them",
			 (unsigned long)p->uid);
}

/* root needs none of it */
int probe_subids(struct host_probe *p)
{
	struct err e;

	return p->uid && rootless_has_ranges(p->uid, &e) < 0 ? probe_say(p, HOST_MISSING, "%s", e.msg) : 0;
}

/* arg 0: stage 1's; 1: those that apps get where their image says nothing, which the bounding set must have; 2: what some
 * isolators take */
int probe_caps(struct host_probe *p)
{
	const uint64_t wants[] = { STAGE1_CAPS, appc_caps_default, B(CAP_SYS_RESOURCE) };
	uint64_t want = wants[p->check->arg];
	char lacking[250] = "";
	size_t n = 0;

	if (p->uid)
		return probe_say(p, HOST_UNKNOWN, "only root has any");
	for (int c = 0; c < 64; c++)
		if ((want >> c & 1) && !(p->check->arg == 1 ? prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1 : p->caps >> c & 1) &&
		    n < sizeof(lacking))
			n += (size_t)snprintf(lacking + n, sizeof(lacking) - n, " %s", appc_cap_name(c));
	return n ? probe_say(p, HOST_MISSING, "root here has not:%s", lacking) : 0;
}

int probe_proc(struct host_probe *p)
{
	struct err e;

	return fd_proc_ready(&e) < 0 ? probe_say(p, HOST_MISSING, "/proc does not show this process") : 0;
}

int probe_sys(struct host_probe *p)
{
	struct statfs fs;

	if (statfs("/sys", &fs) == 0 && fs.f_type == SYS_MAGIC_SYSFS)
		return 0;
	return probe_say(p, HOST_MISSING, "there is no sysfs on /sys");
}

int probe_dev(struct host_probe *p)
{
	static const struct { const char *path; unsigned minor; } nodes[] = {
		{ "/dev/null", 3 }, { "/dev/zero", 5 }, { "/dev/full", 7 }, { "/dev/random", 8 }, { "/dev/urandom", 9 },
	};
	struct stat st;
	char lacking[100] = "";
	size_t n = 0;

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		if (stat(nodes[i].path, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, nodes[i].minor))
			n += (size_t)snprintf(lacking + n, sizeof(lacking) - n, " %s", nodes[i].path);
	return n ? probe_say(p, HOST_MISSING, "not as they should be:%s", lacking) : 0;
}

static long count_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	long n = 0;

	for (int c; f && (c = getc_unlocked(f)) != EOF;)
		n += c == '\n';
	if (f)
		fclose(f);
	return f ? n : -1;
}

/* a pod begins with a copy of all mounts that there are */
int probe_mount_max(struct host_probe *p)
{
	char text[24];
	long there = count_mounts();

	probe_line("/proc/sys/fs/mount-max", text, sizeof(text));
	if (!*text || there < 0)
		return probe_say(p, HOST_UNKNOWN, "cannot be read without /proc");
	if ((long)strtoull(text, NULL, 10) - there >= MOUNTS_OF_A_POD)
		return 0;
	return probe_say(p, HOST_DEGRADED, "there are %ld mounts, and fs.mount-max is %s", there, text);
}

/* without securityfs there is still what each of them alone shows */
int probe_lsm(struct host_probe *p)
{
	static const char *const path[] = { "/sys/module/apparmor/parameters/enabled", "/sys/fs/selinux/enforce" };
	static const char *const names[] = { "apparmor", "selinux" };
	char list[200], apparmor[8];

	probe_line("/sys/kernel/security/lsm", list, sizeof(list));
	probe_line(path[0], apparmor, sizeof(apparmor));
	const bool there[] = { *apparmor == 'Y', access(path[1], F_OK) == 0 };
	for (size_t i = 0; i < 2; i++)
		if (there[i] || strstr(list, names[i]))
			return probe_say(p, HOST_OK, "%s", names[i]);
	if (*list)
		return probe_say(p, HOST_MISSING, "in force are only: %s", list);
	return probe_say(p, access("/sys/kernel", F_OK) < 0 ? HOST_UNKNOWN : HOST_MISSING,
			 "neither AppArmor nor SELinux in /sys");
}

/* arg: which */
int probe_label(struct host_probe *p)
{
	static const char *const names[] = { "neither AppArmor nor SELinux", "AppArmor", "SELinux" };
	enum facts_lsm lsm = facts_lsm();

	if ((unsigned)lsm == p->check->arg)
		return 0;
	if (access("/sys/kernel", F_OK) < 0)
		return probe_say(p, HOST_UNKNOWN, "cannot be told without /sys");
	return probe_say(p, HOST_MISSING, "in force is %s", names[lsm]);
}
