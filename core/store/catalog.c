/* SPDX-License-Identifier: Apache-2.0
 * catalog - finding images by ID and name, without a database
 *
 * A look-up is one open, or one readdir of a directory that holds only candidates. What is found counts only
 * when its info file is there; entries that lead nowhere are leftovers for store_gc().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/store/internal.h"

/* @s has passed store_is_id() */
static void id_set(struct image_id *id, const char *s)
{
	memcpy(id->s, s, sizeof(id->s));
}

/* ---- by ID ---- */

/* the directory of blobs that share the first two digits; how many match, and one of them */
static int count_matches(struct store *st, const char *hex, struct image_id *found, struct err *e)
{
	auto_dir_reader struct dir d;
	char dir[32];
	const struct dirent *de;
	size_t len = strlen(hex);
	int n = 0;

	snprintf(dir, sizeof(dir), "blob/sha512/%.2s", hex);
	if (store_read_dir(st, dir, &d) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read the store's %s", dir);
	while ((de = dir_next(&d))) {
		if (!store_is_id(de->d_name) || strncmp(de->d_name + strlen(IMAGE_ID_PREFIX), hex, len) ||
		    !store_has(st, "info", de->d_name))
			continue;
		id_set(found, de->d_name);
		if (++n > 1)
			break;
	}
	return !de && errno ? err_sys(e, "read the store's %s", dir) : n;
}

int store_resolve(struct store *st, const char *prefix, struct image_id *id, struct err *e)
{
	size_t skip = strlen(IMAGE_ID_PREFIX);
	const char *hex = strncmp(prefix, IMAGE_ID_PREFIX, skip) ? prefix : prefix + skip;
	size_t len = strlen(hex);
	struct image_id found;

	if (len && !hash_is_hex(hex, len))
		return err_set(e, EINVAL, "\"%s\" is not an image ID (sha512- and hexadecimal digits)", prefix);
	if (len < 2)
		return err_set(e, EINVAL, "image ID too short: \"%s\" (at least 2 digits are needed)", prefix);
	if (len > HASH_SHA512_HEX)
		return err_set(e, EINVAL, "\"%s\" is too long for an image ID", prefix);
	int n = count_matches(st, hex, &found, e);
	if (n < 0)
		return -1;
	if (!n)
		return err_set(e, ENOENT, "no image IDs found: \"%s\"", prefix);
	if (n > 1)
		return err_set(e, ENOTUNIQ, "ambiguous image ID: \"%s\" (give more digits)", prefix);
	*id = found;
	return 0;
}

/* ---- by name ---- */

static bool is_better(const struct image_info *a, const struct image_info *b)
{
	if (!b->name || a->latest != b->latest)
		return !b->name || a->latest;
	if (a->import_ns != b->import_ns)
		return a->import_ns > b->import_ns;
	return strcmp(a->id.s, b->id.s) < 0; /* so that the answer is always the same one */
}

/* Keeps the better one of @best and the candidate. A damaged one is none; one that cannot be read may be the best. */
static int consider(struct store *st, const char *candidate, const char *name, const struct appc_pairs *labels,
		    struct image_info *best, struct err *e)
{
	struct image_info i = { 0 };
	struct image_id id;
	struct err why;

	id_set(&id, candidate);
	if (info_read(st, &id, &i, &why) < 0) {
		if (why.code == EBADMSG)
			store_warn(st, "%s", why.msg);
		else if (why.code != ENOENT)
			*e = why;
		return why.code == EBADMSG || why.code == ENOENT ? 0 : -1;
	}
	if (!strcmp(i.name, name) && (!labels || !appc_pairs_lacking(&i.labels, labels)) && is_better(&i, best)) {
		image_info_free(best);
		*best = i;
	} else {
		image_info_free(&i);
	}
	return 0;
}

int store_find_name(struct store *st, const char *name, const struct appc_pairs *labels, struct image_id *id,
		    struct err *e)
{
	const char *version = labels ? appc_pair_find(labels, "version") : NULL;
	char key[STORE_KEY_HEX + 1];
	struct image_info best = { 0 };
	auto_dir_reader struct dir d;
	const struct dirent *de;

	dir_start(&d, -1);
	if (store_key(name, version, key, e) < 0)
		return -1;
	struct store_path path = store_path("name", key);
	if (store_read_dir(st, path.s, &d) < 0 && errno != ENOENT)
		return err_sys(e, "read the store's %s", path.s);
	int r = 0;
	while (r == 0 && d.fd >= 0 && (errno = 0, (de = dir_next(&d))))
		if (store_is_id(de->d_name))
			r = consider(st, de->d_name, name, labels, &best, e);
	if (r == 0 && d.fd >= 0 && errno)
		r = err_sys(e, "read the store's %s", path.s);
	if (r < 0) {
		image_info_free(&best);
		return -1;
	}
	if (!best.name)
		return err_set(e, ENOENT, "no image named \"%s\"%s in the store", name,
			       labels && labels->n ? " with these labels" : "");
	*id = best.id;
	image_info_free(&best);
	return 0;
}

/* ---- one image ---- */

int store_info(struct store *st, const struct image_id *id, struct image_info *out, struct err *e)
{
	st->seen.id.s[0] = 0;
	if (info_read(st, id, out, e) < 0)
		return -1;
	if (!out->damaged)
		st->seen = (struct image_seen){ *id, out->tar_bytes, out->seal };
	return 0;
}

static int read_manifest_text(struct store *st, const struct image_id *id, char **text, size_t *len, struct err *e)
{
	if (st->cas_fd < 0)
		return err_set(e, ENOENT, "image %s is not in the store", id->s);
	return fd_read_file(st->cas_fd, store_path("manifest", id->s).s, APPC_MANIFEST_MAX, text, len, e);
}

/* whether the image exists; that the disk cannot tell is not that it does not */
static int check_exists(const struct store *st, const struct image_id *id, struct err *e)
{
	struct stat sb;

	if (st->cas_fd >= 0 && fstatat(st->cas_fd, store_path("info", id->s).s, &sb, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (st->cas_fd < 0 || errno == ENOENT)
		return err_set(e, ENOENT, "image %s is not in the store", id->s);
	return err_sys(e, "look for image %s", id->s);
}

int store_manifest_text(struct store *st, const struct image_id *id, char **text, size_t *len, struct err *e)
{
	if (check_exists(st, id, e) < 0)
		return -1;
	return read_manifest_text(st, id, text, len, e);
}

int store_read_manifest(struct store *st, const struct image_id *id, struct image_manifest *m, struct err *e)
{
	auto_free char *text = NULL;
	struct findings f = { 0 };
	size_t len;

	if (read_manifest_text(st, id, &text, &len, e) < 0)
		return -1;
	bool good = image_manifest_parse(text, len, m, &f);
	if (!good && findings_err(&f, e) == 0)
		err_set(e, EBADMSG, "not valid");
	findings_free(&f);
	return good ? 0 : err_wrap(e, "the store's manifest of image %s is damaged", id->s);
}

int store_manifest(struct store *st, const struct image_id *id, struct image_manifest *m, struct err *e)
{
	return check_exists(st, id, e) < 0 ? -1 : store_read_manifest(st, id, m, e);
}

int store_blob(struct store *st, const struct image_id *id, struct err *e)
{
	struct image_info i;
	struct stat sb;

	if (info_read(st, id, &i, e) < 0)
		return -1;
	uint64_t want = i.tar_bytes;
	image_info_free(&i);
	auto_close int fd = store_open_file(st, store_path("blob", id->s).s, O_RDONLY);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, EBADMSG, "image %s is damaged: its content is missing from the store", id->s);
	if (fd < 0 || fstat(fd, &sb) < 0)
		return err_sys(e, "open image %s", id->s);
	/* cheap, and catches what a repaired file system does to files */
	if (!S_ISREG(sb.st_mode) || (uint64_t)sb.st_size != want)
		return err_set(e, EBADMSG, "image %s is damaged: %lld bytes in the store, %llu were imported", id->s,
			       (long long)sb.st_size, (unsigned long long)want);
	return take_fd(&fd);
}

void store_touch(struct store *st, const struct image_id *id)
{
	if (st->cas_fd >= 0)
		utimensat(st->cas_fd, store_path("used", id->s).s, NULL, AT_SYMLINK_NOFOLLOW);
}

/* ---- all images ---- */

static struct image_info *list_slot(struct image_infos *l)
{
	if (!(l->n & (l->n - 1))) {
		struct image_info *v = realloc(l->v, (l->n ? l->n * 2 : 1) * sizeof(*v));
		if (!v)
			return NULL;
		l->v = v;
	}
	return &l->v[l->n];
}

int store_list(struct store *st, struct image_infos *out, struct err *e)
{
	auto_dir_reader struct dir d;
	const struct dirent *de;

	*out = (struct image_infos){ 0 };
	if (store_read_dir(st, "info", &d) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read the store's info");
	while ((de = dir_next(&d))) {
		struct image_id id;
		struct err why;
		if (!store_is_id(de->d_name))
			continue;
		struct image_info *i = list_slot(out);
		if (!i) {
			image_infos_free(out);
			return err_set(e, ENOMEM, "list images: out of memory");
		}
		id_set(&id, de->d_name);
		if (info_read(st, &id, i, &why) == 0)
			out->n++;
		else if (why.code != ENOENT) /* removed a moment ago */
			store_warn(st, "%s", why.msg);
	}
	if (!errno)
		return 0;
	err_sys(e, "read the store's info");
	image_infos_free(out);
	return -1;
}
