/* SPDX-License-Identifier: Apache-2.0
 * learn - see learn.h
 *
 * A process is announced to capwatch with each of its calls: the first one is made before it executes the app
 * (seccomp_wait()), or is a child's first one of all.
 */
#include "stage1-init/learn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/host/capwatch.h"
#include "stage1-init/learn_file.h"
#include "stage1-init/seccomp.h"

struct learn {
	const struct plan *p;
	struct learnt     *apps;
	bool               watching; /* capabilities, too */
	struct capwatch    watch;
	pid_t              last; /* who was announced last, and need not be if it calls again */
	struct err         why; /* if not */
};

struct learn *learn_new(const struct plan *p, struct err *e)
{
	struct learn *l = calloc(1, sizeof(*l));

	if (l)
		l->apps = calloc(p->n_apps, sizeof(*l->apps));
	if (!l || !l->apps) {
		free(l);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	l->p = p;
	l->watching = capwatch_open(&l->watch, p->n_apps, &l->why) == 0;
	return l;
}

/* we ask /proc who somebody is that the kernel names as our PID namespace has it */
static bool proc_is_ours(void)
{
	char link[24], own[24];
	ssize_t n = readlink("/proc/self", link, sizeof(link) - 1);

	link[n < 0 ? 0 : n] = 0;
	snprintf(own, sizeof(own), "%d", (int)getpid());
	return !strcmp(link, own);
}

static int start(struct learn *l, pid_t pid1, struct err *e)
{
	char pid_ns[40], user_ns[40] = "/proc/self/ns/user";

	if (!proc_is_ours())
		return err_set(e, ENOENT, "/proc is not that of our PID namespace");
	snprintf(pid_ns, sizeof(pid_ns), "/proc/%d/ns/pid", (int)pid1);
	if (l->p->users.user >= 0)
		snprintf(user_ns, sizeof(user_ns), "/proc/self/fd/%d", l->p->users.user);
	return capwatch_start(&l->watch, pid_ns, user_ns, e);
}

void learn_begin(struct learn *l, pid_t pid1, void (*say)(const struct err *e))
{
	struct err note;

	l->watching = l->watching && start(l, pid1, &l->why) == 0;
	if (l->watching)
		return;
	err_set_text(&note, 0, "warning: --learn: capabilities are not learnt: %s (see rkt doctor learn-caps)", l->why.msg);
	say(&note);
}

/* one of the numbers in a line of /proc; 0: there are no more */
static uint32_t next_id(const char **at)
{
	*at += strspn(*at, " \t");
	uint32_t id = (uint32_t)strtoul(*at, NULL, 10);
	*at += strspn(*at, "0123456789");
	return id;
}

/* the process of @tid as the pod has it; 0: that cannot be told, @nested: it is in a PID namespace below the pod's */
static uint32_t tgid_of(pid_t tid, bool *nested)
{
	static const char key[] = "\nNStgid:";
	char path[40], text[2048];

	*nested = false;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	const char *at = strstr(text, key);
	if (!at)
		return 0;
	at += sizeof(key) - 1;
	/* ours, the pod's, and one more where the app has made another, with CAP_SYS_ADMIN */
	uint32_t ours = next_id(&at), pods = next_id(&at);
	*nested = pods && next_id(&at);
	return ours && !*nested ? pods : 0;
}

struct caller { struct learn *l; size_t app; };

static void announce(void *ctx, pid_t tid)
{
	const struct caller *c = ctx;
	bool nested;

	if (!c->l->watching || tid == c->l->last)
		return;
	c->l->last = tid;
	uint32_t tgid = tgid_of(tid, &nested);
	if (tgid && capwatch_add(&c->l->watch, tgid, (uint32_t)c->app) < 0)
		c->l->apps[c->app].missed = true;
	c->l->apps[c->app].missed |= nested;
}

void learn_take(struct learn *l, size_t app, int listener)
{
	struct caller c = { l, app };
	struct seccomp_asked asked;

	if (!seccomp_continue(listener, &l->p->apps[app].filter, announce, &c, &asked))
		return;
	const struct syscall_arch *arch = syscall_arch_of(asked.arch);
	int call = arch ? syscall_at(arch, asked.nr) : -1;
	if (call >= 0)
		syscall_set_add(&l->apps[app].calls, (unsigned)call);
}

int learn_write(const struct learn *l, const char *path, void (*say)(const struct err *e), struct err *e)
{
	struct err note;

	for (size_t i = 0; i < l->p->n_apps; i++) {
		struct learnt *a = &l->apps[i];
		a->app = l->p->apps[i].name;
		a->caps = l->watching && !a->missed ? capwatch_used(&l->watch, (uint32_t)i) : 0;
		a->has_caps = l->watching && !a->missed;
		if (!a->missed)
			continue;
		err_set_text(&note, 0, "warning: --learn: app %s: capabilities are not learnt: it made PID namespaces", a->app);
		say(&note);
	}
	return learn_file_write(path, l->apps, l->p->n_apps, e);
}
