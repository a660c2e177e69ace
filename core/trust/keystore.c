/* SPDX-License-Identifier: Apache-2.0
 * keystore - see keystore.h; changing it: keystore_edit.c
 */
#include "core/trust/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/hash.h"

#define PLACES 6 /* root.d of the system, local and user's configuration, then prefix.d of these */

static const char *config_dir(const struct keystore_dirs *d, unsigned place)
{
	const char *dir = place % 3 == 0 ? d->system_dir : place % 3 == 1 ? d->local_dir : d->user_dir;

	return dir && *dir ? dir : NULL;
}

/* @n: bytes of @name that are the prefix; false: there is no such place */
static bool place_path(const struct keystore_dirs *d, unsigned place, const char *name, size_t n, const char *file,
		       char out[PATH_MAX])
{
	const char *dir = config_dir(d, place);
	bool is_root = place < PLACES / 2;
	int len = !dir ? -1 : snprintf(out, PATH_MAX, "%s/trustedkeys/%s%s%.*s%s%s", dir, is_root ? "root.d" : "prefix.d",
				       is_root || !n ? "" : "/", is_root ? 0 : (int)n, name, *file ? "/" : "", file);

	return len > 0 && len < PATH_MAX;
}

/* the next shorter prefix of a name: 0 when there is none */
static size_t parent_len(const char *name, size_t n)
{
	while (n && name[--n] != '/')
		;
	return n;
}

bool keystore_is_fingerprint(const char *s)
{
	size_t n = strlen(s);

	return (n == 40 || n == 64) && hash_is_hex(s, n);
}

static int check_name(const char *name, struct err *e)
{
	return ac_identifier_ok(name) ? 0 : err_set(e, EINVAL, "\"%.200s\" is no name of an image", name);
}

static bool is_absent(void)
{
	return errno == ENOENT || errno == ENOTDIR;
}

int keystore_decides(const struct keystore_dirs *d, const char *name, const char *fingerprint, char *path, struct err *e)
{
	struct stat st;

	if (check_name(name, e) < 0)
		return -1;
	if (!keystore_is_fingerprint(fingerprint))
		return err_set(e, EINVAL, "\"%.80s\" is no fingerprint of a key", fingerprint);
	for (unsigned place = PLACES; place-- > 0;)
		for (size_t n = strlen(name); n; n = place < PLACES / 2 ? 0 : parent_len(name, n)) {
			if (!place_path(d, place, name, n, fingerprint, path))
				continue;
			int found = stat(path, &st) == 0;
			if (found && !S_ISDIR(st.st_mode))
				return st.st_size > 0;
			if (!found && !is_absent())
				return err_sys(e, "look at %s", path);
		}
	return err_set(e, ENOENT, "there is no such file");
}

/* ---- reading directories ---- */

struct reading {
	const struct keystore_dirs *d;
	struct keystore_list       *l;
	unsigned                    place;
};

__attribute__((format(printf, 2, 3))) static void warn(const struct keystore_dirs *d, const char *fmt, ...)
{
	char text[PATH_MAX + 600];
	va_list ap;

	if (!d->warn)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->warn(d->ctx, text);
}

static int list_add(const struct reading *r, const char *dir, const char *prefix, const char *fpr, bool empty, struct err *e)
{
	struct keystore_list *l = r->l;
	struct keystore_entry en = { .place = r->place, .empty = empty };
	struct keystore_entry *v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (v)
		l->v = v;
	en.prefix = v && prefix ? strdup(prefix) : NULL;
	en.fingerprint = v ? strdup(fpr) : NULL;
	if (!v || (prefix && !en.prefix) || !en.fingerprint || asprintf(&en.path, "%s/%s", dir, fpr) < 0) {
		free(en.prefix);
		free(en.fingerprint);
		return err_set(e, ENOMEM, "out of memory");
	}
	l->v[l->n++] = en;
	return 0;
}

static int read_dir(const struct reading *r, const char *path, const char *prefix, int depth, struct err *e);

/* What is below cannot be read or is too deep: others can. */
static int read_sub(const struct reading *r, const char *path, const char *prefix, const char *name, int depth, struct err *e)
{
	char sub[PATH_MAX], below[PATH_MAX];
	struct err why;

	if (snprintf(sub, sizeof(sub), "%s/%s", path, name) >= (int)sizeof(sub))
		return 0;
	snprintf(below, sizeof(below), "%s%s%s", prefix, *prefix ? "/" : "", name);
	if (!ac_identifier_ok(below))
		warn(r->d, "%s: ignored: no image has such a name", sub);
	else if (!depth)
		warn(r->d, "%s: ignored: too deep", sub);
	else if (read_dir(r, sub, below, depth, &why) < 0) {
		if (why.code == ENOMEM)
			return err_set(e, ENOMEM, "out of memory");
		warn(r->d, "%s", why.msg);
	}
	return 0;
}

static int read_entry(const struct reading *r, int fd, const char *path, const char *prefix, const char *name, int depth,
		      struct err *e)
{
	bool is_key = keystore_is_fingerprint(name);
	struct stat st;

	/* what cannot be looked at is no mask; reading it will tell why */
	int missing = fstatat(fd, name, &st, 0);
	if (missing && (!is_key || errno == ENOENT))
		return 0;
	if (!missing && S_ISDIR(st.st_mode))
		return prefix && depth >= 0 ? read_sub(r, path, prefix, name, depth, e) : 0;
	if (is_key && !(prefix && !*prefix))
		return list_add(r, path, prefix, name, !missing && !st.st_size, e);
	warn(r->d, is_key ? "%s/%s: ignored: it belongs in the directory of a prefix, or in root.d" :
			    "%s/%s: ignored: the file of a key is named like its fingerprint", path, name);
	return 0;
}

/*
 * @prefix: what @path stands for, NULL in root.d; @depth: -1 not to go down. Who goes down follows no links, which could
 * lead in circles. Errors: ENOENT also where it is no directory.
 */
static int read_dir(const struct reading *r, const char *path, const char *prefix, int depth, struct err *e)
{
	bool is_below = depth > 0 && prefix && *prefix;
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_below ? O_NOFOLLOW : 0));
	auto_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;

	if (!dir) {
		int code = is_absent() ? ENOENT : errno;
		err_sys(e, "open directory %s", path);
		e->code = code;
		return -1;
	}
	take_fd(&fd);
	while (errno = 0, (de = readdir(dir)))
		if (*de->d_name != '.' && read_entry(r, dirfd(dir), path, prefix, de->d_name, depth - (depth > 0), e) < 0)
			return -1;
	return errno ? err_sys(e, "read directory %s", path) : 0;
}

/* ---- what counts ---- */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool covers(const char *prefix, const char *name)
{
	size_t n = prefix ? strlen(prefix) : 0;

	return !prefix || (name && !strncmp(prefix, name, n) && (!name[n] || name[n] == '/'));
}

/* prefixes that cover one name are parts of each other, so the longer is the more special */
static bool is_later(const struct keystore_entry *a, const struct keystore_entry *b)
{
	return a->place != b->place ? a->place > b->place : a->prefix && strlen(a->prefix) > strlen(b->prefix);
}

static const struct keystore_entry *decider(const struct keystore_list *l, const char *name, const char *fpr)
{
	const struct keystore_entry *best = NULL;

	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].fingerprint, fpr) && covers(l->v[i].prefix, name) &&
		    (!best || is_later(&l->v[i], best)))
			best = &l->v[i];
	return best;
}

static int by_prefix(const void *a, const void *b)
{
	const struct keystore_entry *x = a, *y = b;
	int r = strcmp(x->prefix ? x->prefix : "", y->prefix ? y->prefix : "");

	r = r ? r : strcmp(x->fingerprint, y->fingerprint);
	return r ? r : (int)x->place - (int)y->place;
}

int keystore_list(const struct keystore_dirs *d, struct keystore_list *l, struct err *e)
{
	struct reading r = { d, l, 0 };
	char path[PATH_MAX];
	struct err why;

	*l = (struct keystore_list){ 0 };
	for (; r.place < PLACES; r.place++) {
		if (!place_path(d, r.place, "", 0, "", path) ||
		    read_dir(&r, path, r.place < PLACES / 2 ? NULL : "", KEYSTORE_DEPTH_MAX + 1, &why) == 0 || why.code == ENOENT)
			continue;
		if (why.code == ENOMEM) {
			keystore_list_free(l);
			return err_set(e, ENOMEM, "out of memory");
		}
		warn(d, "%s", why.msg);
	}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_prefix);
	for (size_t i = 0; i < l->n; i++) {
		const struct keystore_entry *by = decider(l, l->v[i].prefix, l->v[i].fingerprint);
		l->v[i].masked = l->v[i].empty || by->empty || (by != &l->v[i] && same(by->prefix, l->v[i].prefix));
	}
	return 0;
}

int keystore_find(const struct keystore_dirs *d, const char *name, struct keystore_list *l, struct err *e)
{
	struct reading r = { d, l, 0 };
	char path[PATH_MAX], prefix[PATH_MAX];
	struct err why;

	*l = (struct keystore_list){ 0 };
	if (check_name(name, e) < 0)
		return -1;
	for (; r.place < PLACES; r.place++)
		for (size_t n = strlen(name); n; n = r.place < PLACES / 2 ? 0 : parent_len(name, n)) {
			snprintf(prefix, sizeof(prefix), "%.*s", (int)n, name);
			if (!place_path(d, r.place, name, n, "", path) ||
			    read_dir(&r, path, r.place < PLACES / 2 ? NULL : prefix, -1, &why) == 0 || why.code == ENOENT)
				continue;
			keystore_list_free(l);
			return err_set(e, why.code, "%s", why.msg);
		}
	for (size_t i = 0; i < l->n; i++)
		l->v[i].masked = l->v[i].empty || decider(l, name, l->v[i].fingerprint) != &l->v[i];
	return 0;
}

void keystore_list_free(struct keystore_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].prefix);
		free(l->v[i].fingerprint);
		free(l->v[i].path);
	}
	free(l->v);
	*l = (struct keystore_list){ 0 };
}
