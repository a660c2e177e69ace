/* SPDX-License-Identifier: Apache-2.0
 * devices - see devices.h; on the host side
 */
#include "stage1-init/devices.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include <linux/capability.h>

#include "core/base/fd.h"
#include "core/host/devices.h"

static const struct device_rule standard[] = {
	{ 'c', true, true, 1, 3 }, /* null */
	{ 'c', true, true, 1, 5 }, /* zero */
	{ 'c', true, true, 1, 7 }, /* full */
	{ 'c', true, true, 1, 8 }, /* random */
	{ 'c', true, true, 1, 9 }, /* urandom */
	{ 'c', true, true, 5, 0 }, /* tty */
	{ 'c', true, true, 5, 2 }, /* ptmx */
	{ 'c', true, true, 136, DEVICE_ANY_MINOR }, /* pts/N, of which console is one */
};
#define N_STANDARD (sizeof(standard) / sizeof(*standard))

static bool has_device(const struct plan_app *a)
{
	for (size_t i = 0; i < a->n_mounts; i++)
		if (a->mounts[i].device)
			return true;
	return false;
}

bool devices_wanted(const struct plan *p)
{
	/* in a user namespace no node can be made that works, and the host says who may use those that are there */
	for (size_t i = 0; i < p->n_apps && !p->rootless; i++) {
		const struct plan_app *a = &p->apps[i];
		if (!a->no_paths && (a->limits.caps >> CAP_SYS_ADMIN & 1 || has_device(a)))
			return true;
	}
	return false;
}

static size_t add_volumes(const struct plan_app *a, struct device_rule *r)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_mounts; i++) {
		const struct plan_mount *m = &a->mounts[i];
		if (m->device)
			r[n++] = (struct device_rule){ m->device, true, !m->read_only, (int)major(m->rdev),
						       (int)minor(m->rdev) };
	}
	return n;
}

int devices_limit(const struct plan *p, const struct plan_app *a, const char *dir, bool v2, struct err *e)
{
	size_t max = N_STANDARD, n = 0;

	for (size_t i = 0; i < p->n_apps; i++)
		max += p->apps[i].n_mounts;
	auto_free struct device_rule *r = calloc(max, sizeof(*r));
	if (!r)
		return err_set(e, ENOMEM, "out of memory");
	while (n < N_STANDARD) {
		r[n] = standard[n];
		n++;
	}
	for (size_t i = 0; i < p->n_apps; i++)
		if (!a || a == &p->apps[i])
			n += add_volumes(&p->apps[i], r + n);
	return devices_restrict(dir, v2, r, n, e) < 0 ? err_wrap(e, "devices") : 0;
}
