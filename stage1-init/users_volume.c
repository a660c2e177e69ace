/* SPDX-License-Identifier: Apache-2.0
 * users_volume - volumes of a pod with users of its own; see users.h
 *
 * What cannot be mapped is refused, and nothing on the host gets another owner. Two things are ours to treat otherwise:
 * an empty volume that nobody has written to, which goes with the pod, and a device, whose mode says who may use it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/pod/userns.h"
#include "stage1-init/users.h"

/* ---- what is in the way ---- */

static bool can_map(const struct plan *p, int at_fd)
{
	auto_close int fd = sys_open_tree(at_fd, "", SYS_TREE_CLONE | AT_EMPTY_PATH);

	return fd >= 0 && userns_map_mount(p->users.user, fd, 0) == 0;
}

/* blanks and the like are written as octal numbers there */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (*s == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = 0;
}

/* the first mount below @source that cannot be: opened, its path in @where; -1: there is none */
static int find_below(const struct plan *p, const char *source, char *where, size_t size)
{
	size_t len = strcmp(source, "/") ? strlen(source) : 0;
	char line[8192];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int found = -1;

	while (f && found < 0 && fgets(line, sizeof(line), f)) {
		char *save = NULL, *at = strtok_r(line, " ", &save);
		for (int i = 0; at && i < 4; i++)
			at = strtok_r(NULL, " ", &save);
		if (!at)
			continue;
		unescape(at);
		if (strncmp(at, source, len) || at[len] != '/' || !at[len + 1])
			continue;
		auto_close int fd = openat(AT_FDCWD, at, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || can_map(p, fd))
			continue;
		snprintf(where, size, "%s", at);
		found = take_fd(&fd);
	}
	if (f)
		fclose(f);
	return found;
}

static int refuse(const struct plan *p, const struct appc_volume *v, int src_fd, int why, struct err *e)
{
	char below[4096];
	const char *source = v->source ? v->source : v->name;
	auto_close int culprit = v->source && can_map(p, src_fd) ? find_below(p, source, below, sizeof(below)) : -1;

	errno = why;
	if (culprit < 0)
		return userns_cannot_map(e, src_fd, source);
	userns_cannot_map(e, culprit, below);
	return err_wrap(e, "%s has another mount in it (recursive=false leaves that out)", source);
}

/* ---- what needs no map ---- */

static bool is_empty(int dir_fd)
{
	auto_dir DIR *d = fd_list(dir_fd);
	const struct dirent *de;

	while (d && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			return false;
	return d;
}

/* 1: it belongs to the pod now, or did since another app's turn; 0: not empty; -1 */
static int give_away(const struct plan *p, int dir_fd, const struct stat *st, struct err *e)
{
	if (st->st_uid - p->ids.first < p->ids.count)
		return 1;
	if (!is_empty(dir_fd))
		return 0;
	return fchown(dir_fd, p->ids.first + st->st_uid, p->ids.first + st->st_gid) < 0 ? err_sys(e, "owner") : 1;
}

static int check_owner(const struct plan *p, const struct appc_volume *v, struct err *e)
{
	if (v->uid < (int64_t)p->ids.count && v->gid < (int64_t)p->ids.count)
		return 0;
	return err_set(e, ERANGE, "owner %lld:%lld: a pod with --private-users has only the ids from 0 to %lu",
		       (long long)(v->uid < 0 ? 0 : v->uid), (long long)(v->gid < 0 ? 0 : v->gid), (unsigned long)p->ids.count - 1);
}

int users_map_volume(const struct plan *p, const struct appc_volume *v, int src_fd, int mount_fd, struct err *e)
{
	bool empty = !strcmp(v->kind, "empty");
	struct stat st;

	if (!p->ids.count)
		return 0;
	if (empty && check_owner(p, v, e) < 0)
		return -1;
	if (userns_map_mount(p->users.user, mount_fd, empty || v->recursive == 0 ? 0 : SYS_AT_RECURSIVE) == 0)
		return 0;
	int why = errno;
	if (fstat(src_fd, &st) < 0)
		return err_sys(e, "stat");
	if (why == EINVAL && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))) {
		dprintf(2, "stage1: warning: volume %s: the device %s belongs to nobody in the pod, who may use it "
			"what others may\n", v->name, v->source);
		return 0;
	}
	int given = why == EINVAL && empty ? give_away(p, src_fd, &st, e) : 0;
	if (given)
		return given < 0 ? -1 : 0;
	return refuse(p, v, src_fd, why, e);
}
