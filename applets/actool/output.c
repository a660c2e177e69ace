/* SPDX-License-Identifier: Apache-2.0
 * output - see output.h
 */
#include "applets/actool/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/ui.h"
#include "core/base/fd.h"

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return xstrdup(slash ? "/" : ".");
	return xasprintf("%.*s", (int)(slash - path), path);
}

static char *tmp_name(const struct output *o)
{
	const char *slash = strrchr(o->path, '/');

	return xasprintf("%s/.tmp.%d.%s", o->dir, (int)getpid(), slash ? slash + 1 : o->path);
}

int output_check_name(const char *path, struct err *e)
{
	const char *dot = strrchr(path, '.');

	if (dot && !strcmp(dot, ".aci"))
		return 0;
	return err_set(e, EINVAL, "extension must be .aci (given %s)", dot && !strchr(dot, '/') ? dot : "none");
}

static int exists(const struct output *o, struct err *e)
{
	return err_set(e, EEXIST, "%s: target file exists (try --overwrite)", o->path);
}

int output_open(struct output *o, const char *path, bool overwrite, struct err *e)
{
	struct stat st;

	*o = (struct output){ .path = path, .dir = dir_of(path), .fd = -1 };
	/* looked at again when the name is given; but why build for minutes first? */
	if (!overwrite && fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return exists(o, e);
	o->fd = open(o->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (o->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return err_sys(e, "%s: create", path);
	o->tmp = tmp_name(o);
	o->fd = open(o->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (o->fd < 0) {
		free(take_ptr(o->tmp));
		return err_sys(e, "%s: create", path);
	}
	return 0;
}

/* a name for a file without one */
static int give_name(const struct output *o, const char *name)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", o->fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	return errno == ENOENT ? linkat(o->fd, "", AT_FDCWD, name, AT_EMPTY_PATH) : -1; /* no /proc */
}

static int settle(struct output *o, struct err *e)
{
	if (fsync(o->fd) < 0)
		return err_sys(e, "%s: sync", o->path);
	if (o->tmp)
		return 0;
	char *tmp = tmp_name(o);
	if (give_name(o, tmp) < 0) {
		free(tmp);
		return err_sys(e, "%s: create", o->path);
	}
	o->tmp = tmp;
	return 0;
}

static int publish_one(struct output *o, bool overwrite, struct err *e)
{
	if (overwrite) {
		if (rename(o->tmp, o->path) < 0)
			return err_sys(e, "%s: rename", o->path);
		free(take_ptr(o->tmp));
		return 0;
	}
	/* fails when somebody else has made the file meanwhile */
	if (link(o->tmp, o->path) < 0)
		return errno == EEXIST ? exists(o, e) : err_sys(e, "%s: create", o->path);
	return 0;
}

int output_publish(struct output *v, unsigned n, bool overwrite, struct err *e)
{
	for (unsigned i = 0; i < n; i++)
		if (settle(&v[i], e) < 0)
			return -1;
	for (unsigned i = 0; i < n; i++) {
		if (publish_one(&v[i], overwrite, e) == 0)
			continue;
		while (i-- > 0 && !overwrite)
			unlink(v[i].path);
		return -1;
	}
	return 0;
}

int output_again(struct output *o, int fd, const char *path, struct err *e)
{
	*o = (struct output){ .path = path, .dir = dir_of(path), .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0) };
	return o->fd < 0 ? err_sys(e, "%s: create", path) : 0;
}

void output_close(struct output *o)
{
	fd_cleanup(&o->fd);
	if (o->tmp)
		unlink(o->tmp);
	free(o->tmp);
	free(o->dir);
}
