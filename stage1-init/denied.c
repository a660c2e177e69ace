/* SPDX-License-Identifier: Apache-2.0
 * denied - see denied.h
 */
#include "stage1-init/denied.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "stage1-init/seccomp.h"

#define CALLS_MAX 48 /* different calls remembered of one app */

struct call {
	const char *name;
	unsigned    count;
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
};

struct denied *denied_new(const struct plan *p, int pod_fd, struct err *e)
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

static void count(struct denied *d, size_t app, int nr)
{
	struct app_calls *a = &d->apps[app];
	const char *name = seccomp_name(nr);
	size_t i = 0;

	if (!name)
		return;
	while (i < a->n && a->v[i].name != name)
		i++;
	if (i == CALLS_MAX)
		return;
	if (i == a->n) {
		a->v[a->n++] = (struct call){ .name = name };
		d->changed = true;
	}
	a->v[i].count++;
	d->any = true;
}

void denied_write(struct denied *d)
{
	char line[400];

	if (!d->any)
		return;
	d->changed = false;
	auto_close int fd = openat(
		d->pod_fd, "denied", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	for (size_t i = 0; fd >= 0 && i < d->p->n_apps; i++)
		for (size_t j = 0; j < d->apps[i].n; j++) {
			int n = snprintf(line, sizeof(line), "%.300s %s %u\n", d->p->apps[i].name,
				d->apps[i].v[j].name, d->apps[i].v[j].count);
			if (fd_write_all(fd, line, (size_t)n) < 0)
				return;
		}
}

void denied_handle(struct denied *d, const struct pollfd *p, size_t n)
{
	for (size_t i = 0; i < n && i < d->n_slots; i++) {
		struct listener *l = &d->listeners[i];
		if (l->fd < 0 || !p[i].revents)
			continue;
		if (p[i].revents & POLLIN)
			count(d, l->app, seccomp_answer(l->fd));
		else
			fd_cleanup(&l->fd); /* the last process that has the filter is gone */
	}
	if (d->changed)
		denied_write(d);
}
