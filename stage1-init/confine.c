/* SPDX-License-Identifier: Apache-2.0
 * confine - see confine.h
 */
#include "stage1-init/confine.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "core/base/defence.h"
#include "core/base/sys.h"

static void keep_inheritable(struct __user_cap_data_struct d[2])
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2];

	if (syscall(SYS_capget, &h, now) < 0)
		return;
	d[0].inheritable = now[0].inheritable;
	d[1].inheritable = now[1].inheritable;
}

static int set_caps(const struct seccomp_prog *filter, uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = {
		{ .effective = (uint32_t)effective, .permitted = (uint32_t)permitted },
		{ .effective = (uint32_t)(effective >> 32),
			.permitted = (uint32_t)(permitted >> 32) },
	};
	if (!DEFENCE("inheritable"))
		keep_inheritable(d);
	return (int)seccomp_call(filter, SYS_capset, (long)&h, (long)d, 0);
}

static int drop_bounding(uint64_t keep)
{
	for (unsigned long c = 0; c < 64; c++) {
		if (keep >> c & 1)
			continue;
		/* EINVAL: behind the last one that this kernel knows */
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -1;
	}
	return 0;
}

/* capabilities the kernel does not know cannot be in the permitted set either */
static uint64_t known_caps(uint64_t caps)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		return 0;
	return caps & ((uint64_t)d[1].permitted << 32 | d[0].permitted);
}

static bool wants_no_new_privs(const struct confinement *c)
{
	return c->no_new_privs && DEFENCE("no-new-privs");
}

static int become(const struct confinement *c, uint64_t admin, struct err *e)
{
	if (!c->keep_groups && DEFENCE("setgroups") && setgroups(c->n_gids, c->gids) < 0)
		return err_needs(e, "caps", "set supplementary groups");
	if (setresgid(c->gid, c->gid, c->gid) < 0)
		return err_needs(e, "caps", "set group %lu", (unsigned long)c->gid);
	/* the permitted set outlives the change of user only until the filter is loaded */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(e, "keep capabilities");
	if (setresuid(c->uid, c->uid, c->uid) < 0)
		return err_needs(e, "caps", "set user %lu", (unsigned long)c->uid);
	if (seccomp_wanted(c->filter) && !wants_no_new_privs(c) &&
		set_caps(c->filter, admin, admin | known_caps(c->caps)) < 0)
		return err_needs(e, "caps", "keep CAP_SYS_ADMIN for the seccomp filter");
	return 0;
}

int confine(const struct confinement *c, int *listener, struct err *e)
{
	const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN;

	if (listener)
		*listener = -1;
	if (wants_no_new_privs(c) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no_new_privs");
	if (DEFENCE("caps") && drop_bounding(c->caps) < 0)
		return err_needs(e, "caps", "reduce the capability bounding set");
	if (DEFENCE("inheritable") && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "clear ambient capabilities");
	if (become(c, admin, e) < 0)
		return -1;
	uint64_t keep = c->uid == 0 ? known_caps(DEFENCE("caps") ? c->caps : ~UINT64_C(0)) : 0;
	if (seccomp_wanted(c->filter) && DEFENCE("seccomp") && seccomp_load(c->filter, listener) < 0)
		return err_needs(e, "seccomp seccomp-notify", "load the seccomp filter");
	if (set_caps(c->filter, keep, keep) < 0)
		return err_needs(e, "caps", "set capabilities");
	return 0;
}
