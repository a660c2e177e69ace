/* SPDX-License-Identifier: Apache-2.0
 * denied - see denied.h
 */
#include "stage1-init/denied.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/syscalls.h"
#include "core/base/fd.h"
#include "stage1-init/learn.h"
#include "stage1-init/seccomp.h"

#define CALLS_MAX 96 /* different calls remembered of one app */

struct call {
	struct seccomp_asked asked;
	unsigned             count;
};

struct app_calls {
	struct call v[CALLS_MAX];
	size_t      n;
};

/* a handler's children may outlive it, so an app can have several listeners at a time */
struct listener {
	int    fd;
	size_t app;
};

struct denied {
	const struct plan *p;
	int               pod_fd;
	struct app_calls *apps;
	struct listener  *listeners;
	size_t            n_slots;
	bool              any, changed;
	struct learn     *learn;
};

struct denied *denied_new(const struct plan *p, int pod_fd, struct learn *learn, struct err *e)
{
	struct denied *d = calloc(1, sizeof(*d));
	size_t slots = 4 * p->n_apps;

	if (d) {
		d->apps = calloc(p->n_apps, sizeof(*d->apps));
		d->listeners = calloc(slots, sizeof(*d->listeners));
	}
	if (!d || !d->apps || !d->listeners) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	d->p = p;
	d->pod_fd = pod_fd;
	d->learn = learn;
	d->n_slots = slots;
	for (size_t i = 0; i < slots; i++)
		d->listeners[i].fd = -1;
	return d;
}

void denied_add(struct denied *d, size_t app, int listener)
{
	for (size_t i = 0; i < d->n_slots; i++)
		if (d->listeners[i].fd < 0) {
			d->listeners[i] = (struct listener){ listener, app };
			return;
		}
	/* without a listener the kernel denies by itself, with ENOSYS */
	close(listener);
}

size_t denied_n_polls(const struct denied *d)
{
	return d->n_slots;
}

size_t denied_polls(const struct denied *d, struct pollfd *p)
{
	for (size_t i = 0; i < d->n_slots; i++)
		p[i] = (struct pollfd){ .fd = d->listeners[i].fd, .events = POLLIN };
	return d->n_slots;
}

static void count(struct denied *d, size_t app, const struct seccomp_asked *asked)
{
	struct app_calls *a = &d->apps[app];
	size_t i = 0;

	while (i < a->n && (a->v[i].asked.nr != asked->nr || a->v[i].asked.arch != asked->arch))
		i++;
	if (i == CALLS_MAX)
		return;
	if (i == a->n) {
		a->v[a->n++] = (struct call){ .asked = *asked };
		d->changed = true;
	}
	a->v[i].count++;
	d->any = true;
}

/* a number that no call has can be denied, too */
static int format(char *line, size_t size, const char *app, const struct call *c)
{
	const struct syscall_arch *arch = syscall_arch_of(c->asked.arch);
	int call = arch ? syscall_at(arch, c->asked.nr) : -1;
	char name[SYSCALL_NAME_SIZE];

	if (call < 0)
		return snprintf(line, size, "%.300s #%d %u\n", app, c->asked.nr, c->count);
	syscall_name((unsigned)call, name);
	return snprintf(line, size, "%.300s %s %u\n", app, name, c->count);
}

void denied_write(struct denied *d)
{
	char line[400];

	if (!d->any)
		return;
	d->changed = false;
	/* whoever reads it meanwhile has the old one or the new one */
	auto_close int fd = openat(
		d->pod_fd, "denied.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	for (size_t i = 0; fd >= 0 && i < d->p->n_apps; i++)
		for (size_t j = 0; j < d->apps[i].n; j++) {
			int n = format(line, sizeof(line), d->p->apps[i].name, &d->apps[i].v[j]);
			if (fd_write_all(fd, line, (size_t)n) < 0)
				return;
		}
	if (fd >= 0)
		renameat(d->pod_fd, "denied.new", d->pod_fd, "denied");
}

void denied_handle(struct denied *d, const struct pollfd *p, size_t n)
{
	for (size_t i = 0; i < n && i < d->n_slots; i++) {
		struct listener *l = &d->listeners[i];
		struct seccomp_asked asked;
		if (l->fd < 0 || !p[i].revents)
			continue;
		if (p[i].revents & POLLIN && d->learn)
			learn_take(d->learn, l->app, l->fd);
		else if (p[i].revents & POLLIN) {
			if (seccomp_answer(l->fd, d->p->apps[l->app].filter.error, &asked))
				count(d, l->app, &asked);
		} else
			fd_cleanup(&l->fd); /* the last process that has the filter is gone */
	}
	if (d->changed)
		denied_write(d);
}
