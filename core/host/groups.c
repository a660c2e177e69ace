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
#include "core/host/probe.h"

#define BPF_LOAD                5
#define BPF_TYPE_CGROUP_DEVICE 15

struct group {
	bool v2;
	char path[PATH_MAX]; /* ours, in the hierarchy; then in the file system */
	char top[PATH_MAX];  /* where the hierarchy is mounted */
};

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = words; (s = strstr(s, word)); s++)
		if ((s == words || strchr(", ", s[-1])) && (!s[n] || strchr(", \n", s[n])))
			return true;
	return false;
}

/* "4:cpu,cpuacct:/a", "0::/a"; @controller NULL: any hierarchy. Version 2 where no version 1 has it. */
static bool find_ours(const char *controller, struct group *g)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX + 100];
	bool found = false;

	while (f && fgets(line, sizeof(line), f)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = 0;
		path[strcspn(path, "\n")] = 0;
		bool v1 = names[1] && (!controller || has_word(names + 1, controller));
		if (!v1 && (names[1] || (found && !g->v2)))
			continue;
		g->v2 = !v1;
		snprintf(g->path, sizeof(g->path), "%s", path);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

/* the @n-th word of a line, which is cut there */
static char *word(char *line, int n)
{
	char *save = NULL, *w = strtok_r(line, " ", &save);

	while (w && n--)
		w = strtok_r(NULL, " ", &save);
	return w;
}

/* "31 25 0:27 ROOT PLACE OPTIONS ... - cgroup cgroup rw,memory" */
static bool is_on(char *line, const char *controller, struct group *g)
{
	char *tail = strstr(line, " - cgroup"), *end = strrchr(line, ' ');
	char own[PATH_MAX];

	if (!tail || g->v2 != !strncmp(tail, " - cgroup2 ", 11) ||
	    (!g->v2 && controller && !has_word(end + 1, controller)))
		return false;
	char *root = word(line, 3), *place = word(root + strlen(root) + 1, 0);
	size_t n = !strcmp(root, "/") ? 0 : strlen(root);
	if (strncmp(g->path, root, n))
		return false;
	if (snprintf(own, sizeof(own), "%s%s", place, strcmp(g->path + n, "/") ? g->path + n : "") >= (int)sizeof(own) ||
	    access(own, F_OK) < 0)
		return false;
	memcpy(g->path, own, sizeof(own));
	snprintf(g->top, sizeof(g->top), "%s", place);
	return true;
}

static bool find_mount(const char *controller, struct group *g)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[2 * PATH_MAX];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = is_on(line, controller, g);
	if (f)
		fclose(f);
	return found;
}

static bool is_offered(const char *dir, const char *controller)
{
	char path[PATH_MAX + 24], words[300];

	snprintf(path, sizeof(path), "%s/cgroup.controllers", dir);
	probe_line(path, words, sizeof(words));
	return has_word(words, controller);
}

static int make_one(struct host_probe *p, const struct group *g)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/rkt-doctor-%d", g->path, (int)getpid());
	if (mkdir(path, 0755) < 0 || rmdir(path) < 0)
		return probe_failed(p, "make a cgroup below ours: ");
	return probe_say(p, HOST_OK, "version %d, on %s", g->v2 ? 2 : 1, g->top);
}

static struct group found; /* too much for a stack */

static int probe_controller(struct host_probe *p, const char *controller)
{
	if (!find_ours(controller, &found))
		return probe_say(p, access("/proc/self/cgroup", F_OK) < 0 && access("/proc/self", F_OK) < 0 ?
				 HOST_UNKNOWN : HOST_MISSING, "/proc/self/cgroup names none");
	if (!find_mount(controller, &found))
		return probe_say(p, HOST_MISSING, "our group is not mounted anywhere");
	if (controller && found.v2 && !is_offered(found.path, controller))
		return probe_say(p, HOST_MISSING, is_offered(found.top, controller) ?
				 "not in cgroup.subtree_control above our group" :
				 "not in version 2 here");
	return make_one(p, &found);
}

/* id: "cgroup", or "cgroup-CONTROLLER" of version 2 */
int probe_cgroup(struct host_probe *p)
{
	const char *name = p->check->words + strlen("cgroup");

	if (!*name)
		return probe_controller(p, NULL);
	name++;
	/* its name in version 1 */
	if (!strcmp(name, "io") && find_ours("blkio", &found) && !found.v2)
		name = "blkio";
	return probe_controller(p, name);
}

/* version 2 has no controller for them, it asks a program: "return 1" */
static int load_device_program(void)
{
	static const uint8_t program[16] = { 0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95 };
	struct {
		uint32_t type, n;
		uint64_t program, license, log[3];
	} a = { BPF_TYPE_CGROUP_DEVICE, 2, (uint64_t)(uintptr_t)program, (uint64_t)(uintptr_t)"Apache-2.0", { 0 } };

	return (int)syscall(SYS_bpf, BPF_LOAD, &a, sizeof(a));
}

int probe_devices(struct host_probe *p)
{
	if (find_ours("devices", &found) && !found.v2)
		return probe_controller(p, "devices");
	return load_device_program();
}
