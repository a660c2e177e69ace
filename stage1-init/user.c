/* SPDX-License-Identifier: Apache-2.0
 * user - see user.h
 *
 * passwd and group are hostile text: lines that are too long, have too few fields, numbers out of
 * range or control characters are passed over, and reading ends after FILE_MAX bytes.
 */
#include "stage1-init/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/num.h"
#include "stage1-init/rootfs.h"

#define LINE_SIZE 2048u
#define FILE_MAX  (16u << 20)

static bool is_clean(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static bool copy(char *out, size_t size, const char *s)
{
	size_t n = strlen(s);

	if (n >= size)
		return false;
	memcpy(out, s, n + 1);
	return true;
}

/* cuts the line at its colons */
static int split(char *line, char *field[7])
{
	int n = 0;

	for (char *p = line; n < 7; p++) {
		field[n++] = p;
		p = strchr(p, ':');
		if (!p)
			break;
		*p = 0;
	}
	return n;
}

static bool parse_line(char *line, bool group, struct passwd_line *out)
{
	char *f[7];
	struct err e;

	if (!is_clean(line))
		return false;
	int n = split(line, f);
	if (n < (group ? 3 : 7) || !*f[0] || !copy(out->name, sizeof(out->name), f[0]) ||
		num_id(f[2], &out->id, &e) < 0)
		return false;
	if (group) {
		out->gid = out->id;
		*out->home = *out->shell = 0;
		return true;
	}
	return num_id(f[3], &out->gid, &e) == 0 && copy(out->home, sizeof(out->home), f[5]) &&
	       copy(out->shell, sizeof(out->shell), f[6]);
}

struct reader {
	int    fd;
	char   buf[LINE_SIZE];
	size_t len, at; /* bytes in buf, and where the next line begins */
	size_t total;
	bool   eof;
};

/* makes room and reads on; -1/errno */
static int fill(struct reader *r)
{
	memmove(r->buf, r->buf + r->at, r->len - r->at);
	r->len -= r->at;
	r->at = 0;
	ssize_t n;
	do
		n = read(r->fd, r->buf + r->len, sizeof(r->buf) - 1 - r->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	r->eof = n == 0 || (r->total += (size_t)n) > FILE_MAX;
	r->len += (size_t)n;
	return 0;
}

/* the next line, without its newline; a line longer than the buffer, or with a NUL, comes out as
 * ""; 1, 0, -1/errno */
static int next_line(struct reader *r, char **line)
{
	bool too_long = false;

	for (;;) {
		char *start = r->buf + r->at;
		char *nl = memchr(start, '\n', r->len - r->at);
		if (!nl && r->eof) {
			if (r->at == r->len)
				return 0;
			nl = r->buf + r->len;
		}
		if (nl) {
			bool nul = memchr(start, 0, (size_t)(nl - start)) != NULL;
			*nl = 0;
			r->at = (size_t)(nl - r->buf) + (nl < r->buf + r->len);
			*line = too_long || nul ? nl : start;
			return 1;
		}
		if (r->len - r->at >= sizeof(r->buf) - 1) {
			too_long = true;
			r->at = r->len;
		}
		if (fill(r) < 0)
			return -1;
	}
}

int passwd_find(int fd, bool group, const char *name, uid_t id, struct passwd_line *out)
{
	struct reader r = { .fd = fd };
	char *line;
	int got;

	while ((got = next_line(&r, &line)) == 1)
		if (parse_line(line, group, out) &&
			(name ? !strcmp(out->name, name) : out->id == id))
			return 1;
	return got;
}

/* looks in a file of the image; a file that is not there has no such line */
static int look_up(
	int root_fd, bool group, const char *name, uid_t id, struct passwd_line *out, struct err *e)
{
	const char *path = group ? "/etc/group" : "/etc/passwd";
	auto_close int fd = root_open_file(root_fd, path);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENXIO ||
			      errno == EACCES))
		return 0;
	int r = fd < 0 ? -1 : passwd_find(fd, group, name, id, out);
	return r < 0 ? err_sys(e, "read %s of the image", path) : r;
}

static int owner_of(int root_fd, const char *path, bool group, const struct pod_ids *ids, uid_t *out, struct err *e)
{
	struct stat st;
	auto_close int fd = root_open(root_fd, path, O_PATH, ROOT_FOLLOW);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "owner of %s in the image", path);
	*out = group ? st.st_gid : st.st_uid;
	if (!ids || !ids->count)
		return 0;
	if (*out - ids->first >= ids->count)
		return err_set(e, ERANGE, "owner of %s in the image: a pod with --private-users has only the ids from 0 "
			"to %lu", path, (unsigned long)ids->count - 1);
	*out -= ids->first;
	return 0;
}

/* @p comes back with the line by name; with name "" when there was no need or no such line */
static int resolve_one(int root_fd, const char *what, bool group, const struct pod_ids *ids, struct passwd_line *p,
		       struct err *e)
{
	*p->name = 0;
	if (!*what)
		return err_set(e, EINVAL, "empty %s", group ? "group" : "user");
	int number = num_user(what, &p->id, e);
	if (number)
		return number < 0 ? err_wrap(e, "%s", group ? "group" : "user") : 0;
	if (*what == '/')
		return owner_of(root_fd, what, group, ids, &p->id, e);
	int r = look_up(root_fd, group, what, 0, p, e);
	if (r == 0)
		return err_set(e, ENOENT, "\"%s\" %s not found", what, group ? "group" : "user");
	return r < 0 ? -1 : 0;
}

int user_resolve(int root_fd, const char *user, const char *group, const struct pod_ids *ids, struct user *out,
		 struct err *e)
{
	struct passwd_line p = { .id = 0 };

	if (resolve_one(root_fd, group, true, ids, &p, e) < 0)
		return -1;
	out->gid = (gid_t)p.id;
	if (resolve_one(root_fd, user, false, ids, &p, e) < 0)
		return -1;
	out->uid = p.id;
	if (!*p.name) {
		int r = look_up(root_fd, false, NULL, out->uid, &p, e);
		if (r < 0)
			return -1;
		if (r == 0) {
			p = (struct passwd_line){ .id = out->uid };
			snprintf(p.name, sizeof(p.name), "%lu", (unsigned long)out->uid);
		}
	}
	memcpy(out->name, p.name, sizeof(out->name));
	/* rather a place that is there than none */
	snprintf(out->home, sizeof(out->home), "%s", *p.home == '/' ? p.home : "/");
	snprintf(out->shell, sizeof(out->shell), "%s", *p.shell == '/' ? p.shell : "/bin/sh");
	return 0;
}
