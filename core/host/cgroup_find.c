/* SPDX-License-Identifier: Apache-2.0
 * cgroup_find - see cgroup_find.h
 */
#include "core/host/cgroup_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "core/base/fd.h"
#include "core/base/sys.h"

const struct cgroup_controller cgroup_controllers[CGROUP_CONTROLLERS] = {
	{ CGROUP_MEMORY, "memory", "memory" }, { CGROUP_CPU, "cpu", "cpu" }, { CGROUP_PIDS, "pids", "pids" },
	{ CGROUP_IO, "io", "blkio" }, { CGROUP_DEVICES, "devices", "devices" },
};

/* in a list that is separated by @sep */
static bool has_word(const char *words, const char *word, char sep)
{
	size_t n = strlen(word);

	for (const char *p = words; p; p = strchr(p, sep), p = p ? p + 1 : NULL)
		if (!strncmp(p, word, n) && (!p[n] || p[n] == sep || p[n] == '\n'))
			return true;
	return false;
}

static int bits_of(const char *words)
{
	int bits = 0;

	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		if (has_word(words, cgroup_controllers[i].v1_name, ','))
			bits |= cgroup_controllers[i].bit;
	return bits;
}

/* one line of /proc/self/cgroup, "4:memory:/a/b": the hierarchy, as far as it has something that we
 * want */
static int add_hierarchy(struct hierarchies *s, int wanted, char *line, struct err *e)
{
	char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

	if (!path)
		return 0;
	*path++ = 0;
	names++;
	bool v2 = !*names;
	int uses = v2 ? 0 : bits_of(names) & wanted;
	if (!v2 && !uses)
		return 0;
	if (s->n == CGROUP_HIERARCHIES_MAX)
		return err_set(e, E2BIG, "cgroup: too many hierarchies");
	struct hierarchy *h = &s->v[s->n++];
	h->v2 = v2;
	h->uses = uses;
	h->devices = uses & CGROUP_DEVICES;
	h->found = false;
	/* until its mount is known: controllers in name, path within the hierarchy in own */
	snprintf(h->name, sizeof(h->name), "%s", names);
	snprintf(h->own, sizeof(h->own), "%s", path);
	return 0;
}

/* they are large */
static void keep(struct hierarchies *s, size_t to, size_t from)
{
	if (to != from)
		s->v[to] = s->v[from];
}

static int read_own_groups(struct hierarchies *s, int wanted, struct err *e)
{
	char text[8192], *save = NULL;
	int v1 = 0, r = 0;
	auto_close int fd = openat(AT_FDCWD, "/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);

	if (len < 0)
		return err_sys(e, "read /proc/self/cgroup");
	text[len] = 0;
	for (char *line = strtok_r(text, "\n", &save); line && r == 0;
		line = strtok_r(NULL, "\n", &save))
		r = add_hierarchy(s, wanted, line, e);
	for (size_t i = 0; i < s->n; i++)
		v1 |= s->v[i].uses;
	/* what no v1 hierarchy has must be v2's; if that is nothing, a v2 hierarchy beside them is
	 * left alone */
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].v2) {
			s->v[i].devices = wanted & ~v1 & CGROUP_DEVICES;
			s->v[i].uses = wanted & ~v1 & ~CGROUP_DEVICES;
		}
		if (s->v[i].uses || s->v[i].devices || !v1)
			keep(s, n++, i);
	}
	s->n = n;
	return r;
}

/* the fields of a mountinfo line that we look at */
struct mount_line { char *root, *at, *type, *super; };

static bool parse_mount(char *line, struct mount_line *m)
{
	char *save = NULL, *field = strtok_r(line, " \n", &save);

	for (int i = 0; field; i++, field = strtok_r(NULL, " \n", &save)) {
		if (i == 3)
			m->root = field;
		if (i == 4)
			m->at = field;
		if (i > 5 && !strcmp(field, "-"))
			break;
	}
	if (!field)
		return false;
	m->type = strtok_r(NULL, " \n", &save);
	strtok_r(NULL, " \n", &save);
	m->super = strtok_r(NULL, " \n", &save);
	return m->root && m->at && m->type && m->super;
}

/* own becomes a directory of the host: the mount's place, and our path below the mount's root */
static bool locate(struct hierarchy *h, const struct mount_line *m)
{
	char dir[PATH_MAX];
	size_t n = strlen(m->root);
	const char *rest = h->own;

	if (strcmp(m->root, "/")) {
		if (strncmp(rest, m->root, n) || (rest[n] && rest[n] != '/'))
			return false;
		rest += n;
	}
	if (!strcmp(rest, "/"))
		rest = "";
	if ((size_t)snprintf(dir, sizeof(dir), "%s%s", m->at, rest) >= sizeof(dir) ||
		access(dir, F_OK) < 0)
		return false;
	snprintf(h->own, sizeof(h->own), "%s", dir); /* not memcpy(): most of these pages are never touched */
	const char *base = strrchr(m->at, '/');
	snprintf(h->name, sizeof(h->name), "%s", h->v2 || !base ? "" : base + 1);
	return true;
}

/*
 * Where everything is as usual, the mounts need not be searched for: our cgroup namespace is the
 * first one, so our path counts from the hierarchy's root, and that (the inode is number 1) is what
 * is mounted at the usual place.
 */
static bool locate_usual(struct hierarchy *h)
{
	char dir[PATH_MAX], top[64];
	struct statfs fs;
	struct stat st;

	if (snprintf(top, sizeof(top), h->v2 ? CGROUP_ROOT : CGROUP_ROOT "/%s", h->name) >=
		(int)sizeof(top))
		return false;
	if (stat("/proc/self/ns/cgroup", &st) < 0 || st.st_ino != 0xeffffffb)
		return false;
	if (statfs(top, &fs) < 0 || fs.f_type != (h->v2 ? SYS_MAGIC_CGROUP2 : SYS_MAGIC_CGROUP) ||
	    stat(top, &st) < 0 || st.st_ino != 1)
		return false;
	const char *rest = strcmp(h->own, "/") ? h->own : "";
	if (snprintf(dir, sizeof(dir), "%s%s", top, rest) >= (int)sizeof(dir) ||
		access(dir, F_OK) < 0)
		return false;
	snprintf(h->own, sizeof(h->own), "%s", dir); /* not memcpy(): most of these pages are never touched */
	if (h->v2)
		*h->name = 0;
	return true;
}

static int search_mounts(struct hierarchies *s, struct err *e)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t cap = 0;

	if (!f)
		return err_sys(e, "open /proc/self/mountinfo");
	while (getline(&line, &cap, f) > 0) {
		struct mount_line m = { .root = NULL };
		if (!strstr(line, " - cgroup") || !parse_mount(line, &m))
			continue;
		for (size_t i = 0; i < s->n; i++)
			if (!s->v[i].found && !strcmp(m.type, s->v[i].v2 ? "cgroup2" : "cgroup") &&
			    (s->v[i].v2 || (bits_of(m.super) & s->v[i].uses) == s->v[i].uses))
				s->v[i].found = locate(&s->v[i], &m);
	}
	free(line);
	fclose(f);
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].found)
			keep(s, n++, i);
	s->n = n;
	return 0;
}

static int find_mounts(struct hierarchies *s, struct err *e)
{
	bool all = true;

	for (size_t i = 0; i < s->n; i++)
		all &= s->v[i].found = locate_usual(&s->v[i]);
	return all ? 0 : search_mounts(s, e);
}

static int check_complete(const struct hierarchies *s, int wanted, struct err *e)
{
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		int have = 0;
		for (size_t j = 0; j < s->n; j++)
			have |= s->v[j].uses | (s->v[j].devices ? CGROUP_DEVICES : 0);
		if (wanted & ~have & cgroup_controllers[i].bit)
			return err_set(e, ENOTSUP,
				"%s limit: the cgroup controller \"%s\" is not available: mount "
				"cgroup2 "
				"on " CGROUP_ROOT " (or the v1 controller on " CGROUP_ROOT "/%s)",
				cgroup_controllers[i].name, cgroup_controllers[i].name,
				cgroup_controllers[i].v1_name);
	}
	return 0;
}

int cgroup_find(struct hierarchies *l, int wanted, struct err *e)
{
	l->n = 0;
	if (read_own_groups(l, wanted, e) < 0 || find_mounts(l, e) < 0)
		return -1;
	return check_complete(l, wanted, e);
}

/* The root of all groups has what the kernel has; it alone is in no other group. */
static bool is_root(const struct hierarchy *h)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/cgroup.type", h->own);
	return access(path, F_OK) < 0;
}

static int not_offered(const struct hierarchy *h, const char *name, struct err *e)
{
	if (is_root(h))
		return err_set(e, ENOTSUP, "%s limit: this kernel's cgroups of version 2 lack the controller \"%s\"",
			       name, name);
	return err_set(e, ENOTSUP,
		       "%s limit: the group %s was not given the cgroup controller \"%s\": its parent's "
		       "cgroup.subtree_control must name it (systemd: Delegate=yes)",
		       name, h->own, name);
}

int cgroup_check_offered(const struct hierarchy *h, struct err *e)
{
	char path[PATH_MAX + 32], offered[512];

	snprintf(path, sizeof(path), "%s/cgroup.controllers", h->own);
	auto_close int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, offered, sizeof(offered) - 1);
	if (n < 0)
		return err_sys(e, "read %s", path);
	offered[n] = 0;
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		if ((h->uses & cgroup_controllers[i].bit) && !has_word(offered, cgroup_controllers[i].name, ' '))
			return not_offered(h, cgroup_controllers[i].name, e);
	return 0;
}
