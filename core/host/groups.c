/* SPDX-License-Identifier: Apache-2.0
 * groups - cgroups, see probe.h
 *
 * What counts is what a pod can use: a group made below our own, in the hierarchy that has the controller. It is made,
 * and removed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/host/cgroup_find.h"
#include "core/host/devices.h"
#include "core/host/probe.h"

static struct hierarchies found; /* too much for a stack */

static int make_one(struct host_probe *p, const struct hierarchy *h)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/rkt-doctor-%d", h->own, (int)getpid());
	bool made = mkdir(path, 0755) == 0;
	if (!made && p->uid && errno == EACCES)
		return probe_say(p, HOST_MISSING, "none was delegated to user %lu: limits are ignored, with a warning",
				 (unsigned long)p->uid);
	if (!made || rmdir(path) < 0)
		return probe_failed(p, "make a cgroup below ours: ");
	return probe_say(p, HOST_OK, "version %d, %s", h->v2 ? 2 : 1, h->own);
}

/* @bit 0: only the groups themselves */
static int probe_controller(struct host_probe *p, int bit)
{
	struct err e;

	if (cgroup_find(&found, bit, &e) < 0)
		return probe_say(p, access("/proc/self/cgroup", F_OK) < 0 && access("/proc/self", F_OK) < 0 ?
				 HOST_UNKNOWN : HOST_MISSING, "%.250s", e.msg);
	if (!found.n)
		return probe_say(p, HOST_MISSING, "our group is not mounted anywhere");
	if (found.v->v2 && found.v->uses && cgroup_check_offered(found.v, &e) < 0)
		return probe_say(p, HOST_MISSING, "%.250s", e.msg);
	return make_one(p, found.v);
}

static bool is_v1(int bit)
{
	struct err none;

	return cgroup_find(&found, bit, &none) == 0 && found.n && !found.v->v2;
}

/* id: "cgroup", or "cgroup-CONTROLLER" of version 2 */
int probe_cgroup(struct host_probe *p)
{
	const char *name = p->check->words + strlen("cgroup");

	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		if (*name ? !strcmp(name + 1, cgroup_controllers[i].name) : is_v1(cgroup_controllers[i].bit))
			return probe_controller(p, cgroup_controllers[i].bit);
	return probe_controller(p, 0);
}

static bool has_file(const struct hierarchy *h, const char *group, const char *file)
{
	char path[PATH_MAX + 100];

	snprintf(path, sizeof(path), "%s%s/%s", h->own, group, file);
	return access(path, F_OK) == 0;
}

/* In version 2 a group has the file when its parent passes the controller on, which ours may not do yet. */
int probe_throttle(struct host_probe *p)
{
	struct err e;
	char name[32], path[PATH_MAX + 32];

	if (cgroup_find(&found, CGROUP_IO, &e) < 0 || !found.n)
		return probe_say(p, HOST_UNKNOWN, "needs cgroup-io");
	const struct hierarchy *h = found.v;
	if (!h->v2)
		return has_file(h, "", "blkio.throttle.read_bps_device") ? 0 : probe_say(p, HOST_MISSING, "there is no file for it");
	if (has_file(h, "", "io.max"))
		return 0;
	snprintf(name, sizeof(name), "/rkt-doctor-%d", (int)getpid());
	snprintf(path, sizeof(path), "%s%s", h->own, name);
	if (mkdir(path, 0755) < 0)
		return probe_failed(p, "make a cgroup below ours: ");
	bool there = has_file(h, name, "io.max"), passed = has_file(h, name, "io.stat");
	rmdir(path);
	if (there)
		return 0;
	return passed ? probe_say(p, HOST_MISSING, "groups have no io.max") :
			probe_say(p, HOST_UNKNOWN, "no group was given the controller yet");
}

/* a group that may open /dev/null */
static int restrict_one(struct host_probe *p, const struct hierarchy *h)
{
	const struct device_rule null = { 'c', true, true, 1, 3 };
	char path[PATH_MAX + 32];
	struct err e;

	snprintf(path, sizeof(path), "%s/rkt-doctor-%d", h->own, (int)getpid());
	if (mkdir(path, 0755) < 0)
		return probe_failed(p, "make a cgroup below ours: ");
	int r = devices_restrict(path, h->v2, &null, 1, &e);
	rmdir(path);
	if (r < 0) {
		errno = e.code;
		return probe_failed(p, h->v2 ? "a program in a cgroup below ours: " : "rules in a cgroup below ours: ");
	}
	return probe_say(p, HOST_OK, "version %d, %s", h->v2 ? 2 : 1, h->own);
}

int probe_devices(struct host_probe *p)
{
	struct err e;

	if (cgroup_find(&found, CGROUP_DEVICES, &e) < 0)
		return probe_say(p, access("/proc/self/cgroup", F_OK) < 0 && access("/proc/self", F_OK) < 0 ?
				 HOST_UNKNOWN : HOST_MISSING, "%.250s", e.msg);
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].devices)
			return restrict_one(p, &found.v[i]);
	return probe_say(p, HOST_MISSING, "our group is not mounted anywhere");
}
