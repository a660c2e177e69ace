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
#include "stage1-init/cgroup.h"

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

/* only root of the host can make it less likely that the kernel ends a process */
static void warn_of_oom(struct plan_app *a, long own, rootless_say *say)
{
	struct err note;

	if (!a->limits.has_oom_score_adj || a->limits.oom_score_adj >= own)
		return;
	a->limits.has_oom_score_adj = false;
	err_set_text(&note, 0, "warning: app %s: oom-score-adj %d is ignored: without root it can only be raised, and ours is %ld",
		     a->name, a->limits.oom_score_adj, own);
	say(&note);
}

void rootless_warn(struct plan *p, rootless_say *say)
{
	char text[16] = "0";
	struct err ignored;

	warn_of_groups(p, say);
	read_own("/proc/self/oom_score_adj", text, sizeof(text), &ignored);
	for (size_t i = 0; i < p->n_apps; i++)
		warn_of_oom(&p->apps[i], strtol(text, NULL, 10), say);
}

/* ---- limits ---- */

enum { MEMORY = 1, CPU = 2, PIDS = 4 };

static int limits_of(const struct appc_limits *l)
{
	return (l->memory_bytes != APPC_UNLIMITED ? MEMORY : 0) | (l->pids != APPC_UNLIMITED ? PIDS : 0) |
	       (l->cpu_millis != APPC_UNLIMITED || l->cpu_shares || l->cpu_request_millis ? CPU : 0);
}

int rootless_cgroups(struct plan *p, int pod_fd, pid_t pid1, rootless_say *say)
{
	int all = limits_of(&p->limits);
	struct err why, note;

	if (cgroup_setup(p, pod_fd, pid1, &why) == 0)
		return 0;
	cgroup_give_up(p, pod_fd);
	for (size_t i = 0; i < p->n_apps; i++)
		all |= limits_of(&p->apps[i].limits);
	err_set_text(&note, 0, "warning: limits are ignored:%s%s%s: no cgroup was delegated to us (systemd-run --user --scope "
		     "-p Delegate=yes rkt ... does): %.200s", all & MEMORY ? " memory" : "", all & CPU ? " cpu" : "",
		     all & PIDS ? " pids" : "", why.msg);
	say(&note);
	return 0;
}
