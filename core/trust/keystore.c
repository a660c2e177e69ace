/* SPDX-License-Identifier: Apache-2.0
 * keystore - see keystore.h
 */
#include "core/trust/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/trust/armor.h"

#define DEPTH_MAX 16 /* components of a prefix */

static bool is_fingerprint(const char *s)
{
	size_t n = strlen(s);

	return (n == 40 || n == 64) && hash_is_hex(s, n);
}

static int key_dir(const char *prefix, char *out, size_t size, struct err *e)
{
	if (prefix && !ac_identifier_ok(prefix))
		return err_set(e, EINVAL, "\"%s\" is not an image name prefix (like example.com/app)", prefix);
	int n = snprintf(out, size, prefix ? "trustedkeys/prefix.d/%s" : "trustedkeys/root.d", prefix);
	if (n < 0 || (size_t)n >= size)
		return err_set(e, ENAMETOOLONG, "prefix %s is too long", prefix);
	return 0;
}

/* Below a directory that a group may write in (rkt install) it may write in all of them; who made one may say so. */
static void hand_on(int base_fd, const char *sub)
{
	char path[PATH_MAX];
	struct stat st;

	if (fstat(base_fd, &st) < 0 || (st.st_mode & (S_ISGID | S_IWGRP)) != (S_ISGID | S_IWGRP))
		return;
	for (size_t n = strcspn(sub, "/");; n += 1 + strcspn(sub + n + 1, "/")) {
		snprintf(path, sizeof(path), "%.*s", (int)n, sub);
		if (fchmodat(base_fd, path, 02775, 0) < 0 && errno != EPERM)
			return;
		if (!sub[n])
			return;
	}
}

/* creates and opens DIR/sub, DIR too */
static int make_dir(const char *dir, const char *sub, struct err *e)
{
	if (fd_mkdirs(AT_FDCWD, dir, 0755, e) < 0)
		return -1;
	auto_close int base = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return err_sys(e, "open directory %s", dir);
	if (fd_mkdirs(base, sub, 0755, e) < 0)
		return err_wrap(e, "%s", dir);
	hand_on(base, sub);
	int fd = openat(base, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open directory %s/%s", dir, sub) : fd;
}

int keystore_add(const char *local_dir, const char *prefix, const struct openpgp_key *key, char **path, struct err *e)
{
	auto_buf struct buf text = { 0 };
	char sub[PATH_MAX];

	if (key_dir(prefix, sub, sizeof(sub), e) < 0 ||
	    armor_encode(key->data, key->data_len, "PUBLIC KEY BLOCK", &text, e) < 0)
		return -1;
	auto_close int dir = make_dir(local_dir, sub, e);
	if (dir < 0)
		return -1;
	if (fd_publish(dir, key->fingerprint, text.data, text.len, 0644, true, e) < 0)
		return err_wrap(e, "%s/%s", local_dir, sub);
	return asprintf(path, "%s/%s/%s", local_dir, sub, key->fingerprint) < 0 ?
		       err_set(e, ENOMEM, "out of memory") : 0;
}

/* ---- listing ---- */

static int list_add(struct keystore_list *l, const char *dir, const char *prefix, const char *fpr, bool masked,
		    struct err *e)
{
	struct keystore_entry en = { .masked = masked };
	struct keystore_entry *v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (v)
		l->v = v;
	en.prefix = v && prefix ? strdup(prefix) : NULL;
	en.fingerprint = v ? strdup(fpr) : NULL;
	if (!v || (prefix && !en.prefix) || !en.fingerprint ||
	    asprintf(&en.path, "%s/%s", dir, fpr) < 0) {
		free(en.prefix);
		free(en.fingerprint);
		return err_set(e, ENOMEM, "out of memory");
	}
	l->v[l->n++] = en;
	return 0;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* a key that a later directory names again: only the later file counts */
static void hide_earlier(struct keystore_list *l, const char *prefix, const char *fpr)
{
	for (size_t i = 0; i < l->n; i++)
		if (same(l->v[i].prefix, prefix) && !strcmp(l->v[i].fingerprint, fpr))
			l->v[i].masked = true;
}

/* @path: of the directory @fd, for messages; @prefix: the image name that it stands for, or NULL */
static int list_dir(int fd, const char *path, const char *prefix, int depth, struct keystore_list *l, struct err *e)
{
	auto_dir DIR *d = fdopendir(fd);
	struct dirent *de;

	if (!d) {
		close(fd);
		return err_sys(e, "read directory %s", path);
	}
	while ((de = readdir(d))) {
		auto_free char *sub = NULL, *name = NULL;
		struct stat st;
		if (*de->d_name == '.' || fstatat(dirfd(d), de->d_name, &st, 0) < 0)
			continue;
		if (S_ISREG(st.st_mode) && is_fingerprint(de->d_name)) {
			hide_earlier(l, prefix, de->d_name);
			if (list_add(l, path, prefix, de->d_name, !st.st_size, e) < 0)
				return -1;
		}
		if (!S_ISDIR(st.st_mode) || !prefix || depth == DEPTH_MAX)
			continue;
		if (asprintf(&sub, "%s/%s", path, de->d_name) < 0 ||
		    asprintf(&name, "%s%s%s", prefix, *prefix ? "/" : "", de->d_name) < 0)
			return err_set(e, ENOMEM, "out of memory");
		int next = openat(dirfd(d), de->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next < 0)
			return err_sys(e, "open directory %s", sub);
		if (list_dir(next, sub, name, depth + 1, l, e) < 0)
			return -1;
	}
	return 0;
}

static int list_one(const char *dir, struct keystore_list *l, struct err *e)
{
	static const struct { const char *sub, *prefix; } places[] = {
		{ "trustedkeys/root.d", NULL }, { "trustedkeys/prefix.d", "" },
	};

	for (size_t i = 0; dir && i < 2; i++) {
		auto_free char *path = NULL;
		if (asprintf(&path, "%s/%s", dir, places[i].sub) < 0)
			return err_set(e, ENOMEM, "out of memory");
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return err_sys(e, "open directory %s", path);
		if (fd >= 0 && list_dir(fd, path, places[i].prefix, 0, l, e) < 0)
			return -1;
	}
	return 0;
}

static int by_prefix(const void *a, const void *b)
{
	const struct keystore_entry *x = a, *y = b;
	int r = strcmp(x->prefix ? x->prefix : "", y->prefix ? y->prefix : "");

	return r ? r : strcmp(x->fingerprint, y->fingerprint);
}

int keystore_list(const struct keystore_dirs *d, struct keystore_list *l, struct err *e)
{
	*l = (struct keystore_list){ 0 };
	if (list_one(d->system_dir, l, e) < 0 || list_one(d->local_dir, l, e) < 0 || list_one(d->user_dir, l, e) < 0) {
		keystore_list_free(l);
		return -1;
	}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_prefix);
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

/* ---- removal ---- */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return k >= 8 && k <= n && !strcmp(s + n - k, end);
}

static int find_one(const struct keystore_list *l, const char *prefix, const char *end, const char **fpr, struct err *e)
{
	*fpr = NULL;
	for (size_t i = 0; i < l->n; i++) {
		const struct keystore_entry *en = &l->v[i];
		if (en->masked || !same(en->prefix, prefix) || !ends_with(en->fingerprint, end))
			continue;
		if (*fpr && strcmp(*fpr, en->fingerprint))
			return err_set(e, ENOTUNIQ, "several keys end with %s; give more digits", end);
		*fpr = en->fingerprint;
	}
	if (!*fpr)
		return err_set(e, ENOENT, "no trusted key %s for %s%s", end, prefix ? "prefix " : "all images",
			       prefix ? prefix : "");
	return 0;
}

static bool under(const char *path, const char *dir)
{
	size_t n = dir ? strlen(dir) : 0;

	return n && !strncmp(path, dir, n) && path[n] == '/';
}

static int mask(const char *local_dir, const char *prefix, const char *fpr, struct err *e)
{
	char sub[PATH_MAX];

	if (key_dir(prefix, sub, sizeof(sub), e) < 0)
		return -1;
	auto_close int dir = make_dir(local_dir, sub, e);
	return dir < 0 ? -1 : fd_publish(dir, fpr, "", 0, 0644, true, e);
}

int keystore_remove(const struct keystore_dirs *d, const char *prefix, const char *fingerprint, struct err *e)
{
	struct keystore_list l;
	const char *fpr;
	bool of_system = false;

	if (keystore_list(d, &l, e) < 0)
		return -1;
	int r = find_one(&l, prefix, fingerprint, &fpr, e);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		if (!same(l.v[i].prefix, prefix) || strcmp(l.v[i].fingerprint, fpr))
			continue;
		if (under(l.v[i].path, d->system_dir))
			of_system = true;
		else if (unlink(l.v[i].path) < 0 && errno != ENOENT)
			r = err_sys(e, "remove %s", l.v[i].path);
	}
	if (r == 0 && of_system)
		r = mask(d->local_dir, prefix, fpr, e);
	keystore_list_free(&l);
	return r;
}
