/* SPDX-License-Identifier: Apache-2.0
 * keystore_edit - keys come into the local configuration, and go: see keystore.h
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
#include "core/trust/armor.h"

static int key_dir(const char *prefix, char *out, size_t size, struct err *e)
{
	if (prefix && !ac_identifier_ok(prefix))
		return err_set(e, EINVAL, "\"%s\" is not an image name prefix (like example.com/app)", prefix);
	size_t depth = 1;
	for (const char *p = prefix; p && (p = strchr(p, '/')); p++)
		depth++;
	int n = snprintf(out, size, prefix ? "trustedkeys/prefix.d/%s" : "trustedkeys/root.d", prefix);
	if (n < 0 || (size_t)n >= size || depth > KEYSTORE_DEPTH_MAX)
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

int keystore_add(const char *local_dir, const char *prefix, const char *fingerprint, const void *data, size_t len,
		 char **path, struct err *e)
{
	auto_buf struct buf text = { 0 };
	char sub[PATH_MAX];

	if (key_dir(prefix, sub, sizeof(sub), e) < 0 ||
	    armor_encode(data, len, "PUBLIC KEY BLOCK", &text, e) < 0)
		return -1;
	auto_close int dir = make_dir(local_dir, sub, e);
	if (dir < 0)
		return -1;
	if (fd_publish(dir, fingerprint, text.data, text.len, 0644, true, e) < 0)
		return err_wrap(e, "%s/%s", local_dir, sub);
	return asprintf(path, "%s/%s/%s", local_dir, sub, fingerprint) < 0 ?
		       err_set(e, ENOMEM, "out of memory") : 0;
}

/* ---- removal ---- */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

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
