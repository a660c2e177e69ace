/* SPDX-License-Identifier: Apache-2.0
 * facts - see facts.h
 */
#include "core/host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/host/cgroup_find.h"
#include "core/host/probe.h"

#define SYS_LANDLOCK_CREATE_RULESET 444 /* on all architectures */
#define LANDLOCK_ASK_VERSION        1u

enum facts_lsm facts_lsm(void)
{
	char enabled[8], own[80];

	/* as long as no policy is loaded, all that there is has a label of one word, and so has what it is set to */
	if (access("/sys/fs/selinux/enforce", F_OK) == 0) {
		probe_line("/proc/self/attr/current", own, sizeof(own));
		return strchr(own, ':') ? FACTS_LSM_SELINUX : FACTS_LSM_NONE;
	}
	probe_line("/sys/module/apparmor/parameters/enabled", enabled, sizeof(enabled));
	return *enabled == 'Y' ? FACTS_LSM_APPARMOR : FACTS_LSM_NONE;
}

bool facts_selinux_permissive(void)
{
	char enforce[8];

	probe_line("/sys/fs/selinux/enforce", enforce, sizeof(enforce));
	return *enforce == '0';
}

int facts_landlock(void)
{
	long abi = syscall(SYS_LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_ASK_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static struct hierarchies *find(int bit, struct err *e)
{
	struct hierarchies *l = malloc(sizeof(*l)); /* too much for a stack */

	if (!l)
		err_set(e, ENOMEM, "out of memory");
	else if (cgroup_find(l, bit, e) < 0) {
		free(l);
		return NULL;
	}
	return l;
}

static bool offered(const struct hierarchies *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].uses)
			return !l->v[i].v2 || cgroup_check_offered(&l->v[i], e) == 0;
	err_set(e, ENOTSUP, "our cgroup is not mounted anywhere");
	return false;
}

bool facts_controller(int bit, struct err *e)
{
	struct hierarchies *l = find(bit, e);
	bool good = l && offered(l, e);

	free(l);
	return good;
}

#define OWN_GROUP "systemd-run --user --scope -p Delegate=yes rkt ..."

static bool may_write(const struct hierarchy *h, const char *file)
{
	char path[PATH_MAX + 40];

	snprintf(path, sizeof(path), "%s/%s", h->own, file);
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

/* 0: nobody; a process that we cannot see counts, too */
static long other_process(const struct hierarchy *h)
{
	char path[PATH_MAX + 40], line[24];
	long other = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", h->own);
	FILE *f = fopen(path, "re");
	while (f && !other && fgets(line, sizeof(line), f)) {
		long pid = strtol(line, NULL, 10);
		other = pid == getpid() ? 0 : pid ? pid : -1;
	}
	if (f)
		fclose(f);
	return other;
}

static bool delegated(const struct hierarchy *h, struct err *e)
{
	if (!may_write(h, "") || !may_write(h, "cgroup.procs") || (h->v2 && !may_write(h, "cgroup.subtree_control"))) {
		err_set(e, EACCES, "no cgroup was delegated to us (" OWN_GROUP " does)");
		return false;
	}
	if (h->v2 && cgroup_check_offered(h, e) < 0)
		return false;
	long other = h->v2 ? other_process(h) : 0;
	if (other)
		err_set(e, EBUSY, "we are not alone in our cgroup (process %ld), so it cannot "
			"pass controllers on (" OWN_GROUP " does)", other);
	return !other;
}

bool facts_delegated(int bit, struct err *e)
{
	struct hierarchies *l = find(bit, e);
	bool good = l;

	for (size_t i = 0; good && i < l->n; i++)
		good = !l->v[i].uses || delegated(&l->v[i], e);
	free(l);
	return good;
}

static bool throttles(const struct hierarchy *h)
{
	char path[PATH_MAX + 40];

	snprintf(path, sizeof(path), "%s/blkio.throttle.read_bps_device", h->own);
	return access(path, F_OK) == 0;
}

bool facts_io(struct err *e)
{
	struct hierarchies *l = find(CGROUP_IO, e);
	bool good = l && offered(l, e);

	/* in version 2 the file is only in groups that were given the controller */
	for (size_t i = 0; good && i < l->n; i++)
		if (l->v[i].uses && !l->v[i].v2 && !throttles(&l->v[i])) {
			err_set(e, ENOTSUP, "this kernel cannot throttle block devices");
			good = false;
		}
	free(l);
	return good;
}

bool facts_io_v1(void)
{
	struct err none;
	struct hierarchies *l = find(CGROUP_IO, &none);
	bool v1 = false;

	for (size_t i = 0; l && i < l->n; i++)
		v1 |= l->v[i].uses && !l->v[i].v2;
	free(l);
	return v1;
}

int facts_oom_score_adj(void)
{
	char text[24];

	probe_line("/proc/self/oom_score_adj", text, sizeof(text));
	return (int)strtol(text, NULL, 10);
}

uint64_t facts_nr_open(void)
{
	char text[24];

	probe_line("/proc/sys/fs/nr_open", text, sizeof(text));
	return *text ? strtoull(text, NULL, 10) : UINT64_MAX;
}

uint64_t facts_caps(void)
{
	uint64_t caps = 0;

	for (int c = 0; c < 64; c++)
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
			caps |= UINT64_C(1) << c;
	return caps;
}
