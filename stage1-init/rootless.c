/* SPDX-License-Identifier: Apache-2.0
 * rootless - see rootless.h; the part of the host side
 */
#include "stage1-init/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/host/cgroup_find.h"
#include "core/host/facts.h"

static int read_own(const char *path, char *text, size_t size, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, size - 1);

	if (n < 0)
		return err_sys(e, "read %s", path);
	text[n] = 0;
	return 0;
}

/* lines of INSIDE OUTSIDE NUMBER; ours begin at 0 and have no gaps */
static int count_ids(const char *path, unsigned long *n, struct err *e)
{
	char text[4096], *p = text;

	if (read_own(path, text, sizeof(text), e) < 0)
		return -1;
	for (*n = 0; *p;) {
		unsigned long inside = strtoul(p, &p, 10), count;
		strtoul(p, &p, 10);
		count = strtoul(p, &p, 10);
		if (inside == *n)
			*n += count;
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return *n ? 0 : err_set(e, EINVAL, "%s: root is nobody in our user namespace", path);
}

int rootless_settle(struct plan *p, struct err *e)
{
	char groups[16];

	if (count_ids("/proc/self/uid_map", &p->n_uids, e) < 0 || count_ids("/proc/self/gid_map", &p->n_gids, e) < 0 ||
	    read_own("/proc/self/setgroups", groups, sizeof(groups), e) < 0)
		return -1;
	p->rootless = true;
	p->keep_groups = !strncmp(groups, "deny", 4);
	for (size_t i = 0; p->keep_groups && i < p->n_apps; i++)
		p->apps[i].n_gids = 0;
	return 0;
}

/* ---- what is not to be had ---- */

static void warn_of_groups(const struct plan *p, rootless_say *say)
{
	struct err note;

	for (size_t i = 0; i < p->n_apps; i++) {
		if (!p->keep_groups || !p->manifest.apps.v[i].app->supplementary_gids.n)
			continue;
		err_set_text(&note, 0, "warning: app %s: supplementary groups are ignored: a user namespace of one id has none",
			     p->apps[i].name);
		say(&note);
	}
}

/* as the verdicts on isolators say (core/host/verdict.h), who have told the user */
static void drop_limits(struct appc_limits *l)
{
	struct err why;

	if ((l->memory_bytes != APPC_UNLIMITED || l->memory_request) && !facts_delegated(CGROUP_MEMORY, &why)) {
		l->memory_bytes = APPC_UNLIMITED;
		l->memory_request = 0;
	}
	if ((l->cpu_millis != APPC_UNLIMITED || l->cpu_request_millis || l->cpu_shares) && !facts_delegated(CGROUP_CPU, &why)) {
		l->cpu_millis = APPC_UNLIMITED;
		l->cpu_request_millis = l->cpu_shares = 0;
	}
	if (l->pids != APPC_UNLIMITED && !facts_delegated(CGROUP_PIDS, &why))
		l->pids = APPC_UNLIMITED;
	if ((l->block_bps != APPC_UNLIMITED || l->block_iops != APPC_UNLIMITED) && !facts_delegated(CGROUP_IO, &why))
		l->block_bps = l->block_iops = APPC_UNLIMITED;
	if (l->has_oom_score_adj && l->oom_score_adj < facts_oom_score_adj())
		l->has_oom_score_adj = false;
}

void rootless_drop(struct plan *p, rootless_say *say)
{
	warn_of_groups(p, say);
	drop_limits(&p->limits);
	for (size_t i = 0; i < p->n_apps; i++)
		drop_limits(&p->apps[i].limits);
}
