/* SPDX-License-Identifier: Apache-2.0
 * store_kit - images made byte by byte, and a store of its own in a temporary directory for each case
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/internal.h"
#include "testsuite/unit/unit.h"

/* ---- images ---- */

static inline void tar_add(struct buf *b, char type, const char *name, const char *link, const char *data, size_t len)
{
	char h[512] = { 0 };
	static const char zeros[512];
	unsigned sum = 0;

	snprintf(h, 100, "%s", name);
	snprintf(h + 100, 8, "%07o", type == '5' ? 0755u : 0644u);
	snprintf(h + 108, 8, "%07o", 0u);
	snprintf(h + 116, 8, "%07o", 0u);
	snprintf(h + 124, 12, "%011o", (unsigned)len);
	snprintf(h + 136, 12, "%011o", 1000000000u);
	h[156] = type;
	snprintf(h + 157, 100, "%s", link ? link : "");
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_add(b, h, sizeof(h));
	buf_add(b, data, len);
	buf_add(b, zeros, (512 - len % 512) % 512);
}

static inline void tar_file(struct buf *b, const char *name, const char *data)
{
	tar_add(b, '0', name, NULL, data, strlen(data));
}

static inline void tar_end(struct buf *b)
{
	static const char zeros[1024];

	buf_add(b, zeros, sizeof(zeros));
}

/* @more: members of the manifest, with their commas */
static inline void image_begin(struct buf *b, const char *name, const char *version, const char *more)
{
	struct buf m = { 0 };

	buf_fmt(&m, "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"%s\"%s,"
		    "\"labels\":[{\"name\":\"version\",\"value\":\"%s\"},{\"name\":\"os\",\"value\":\"linux\"},"
		    "{\"name\":\"arch\",\"value\":\"amd64\"}]}", name, more, version);
	tar_file(b, "manifest", m.data);
	tar_add(b, '5', "rootfs/", NULL, "", 0);
	buf_free(&m);
}

static inline void make_image(struct buf *b, const char *name, const char *version, const char *content)
{
	image_begin(b, name, version, "");
	tar_file(b, "rootfs/file", content);
	tar_end(b);
}

/* bytes in memory, a few at a time */
struct mem_source {
	struct source     s;
	const struct buf *b;
	size_t            at;
};

static inline int mem_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct mem_source *m = (struct mem_source *)s;
	size_t left = m->b->len - m->at;

	(void)e;
	*p = (const uint8_t *)m->b->data + m->at;
	*len = left < 1000 ? left : 1000;
	m->at += *len;
	return *len ? 1 : 0;
}

static inline void mem_close(struct source *s)
{
	(void)s;
}

/* ---- stores ---- */

struct place {
	char          dir[256];
	struct store *st;
};

/* these tests have no mount namespace of their own */
static inline void render_trees(struct store *st)
{
	const struct render_how how = { .mode = RENDER_TREE };

	if (st)
		render_set_how(st, &how);
}

static inline void place_make(struct place *p)
{
	struct err e;

	const char *tmp = getenv("TMPDIR");

	snprintf(p->dir, sizeof(p->dir), "%s/rktbox-unit.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(p->dir))
		abort();
	p->st = store_open(p->dir, true, &e);
	if (!p->st)
		printf("# %s\n", e.msg);
	render_trees(p->st);
}

/* the image and all that it leaves; no pod uses it */
static inline bool remove_whole(struct store *st, const struct image_id *id)
{
	const struct store_gc_opts o = { .ctx = NULL };
	struct image_id left = *id;
	struct err e;
	size_t n = 1;

	return store_remove(st, id, &e) == 0 && store_discard(st, &o, &left, &n, &e) == 0 && n == 0;
}

static inline void place_drop(struct place *p)
{
	struct err e;

	store_close(p->st);
	fd_remove_tree(AT_FDCWD, p->dir, &e);
}
#define auto_place __attribute__((cleanup(place_drop)))

/* vouches with the name that it gets, or refuses */
static inline int judge(void *ctx, const struct import_facts *f, struct import_verdict *out, struct err *e)
{
	const char *by = ctx;

	if (!strcmp(by, "refused"))
		return err_set(e, EPERM, "%s is refused", f->manifest->name);
	if (!strcmp(by, "insecure"))
		return 0;
	out->by = strdup(by);
	out->prefix = strdup("example.com");
	return out->by && out->prefix && f->tar_bytes && store_is_id(f->id->s) ? 0 : err_set(e, ENOMEM, "out of memory");
}

static inline int import_as(struct store *st, const struct buf *b, const char *verified_by, struct image_id *id,
		     bool *existed, struct err *e)
{
	struct mem_source m = { .s = { .next = mem_next, .close = mem_close }, .b = b };
	const struct import_opts o = { .ctx = (char *)(uintptr_t)verified_by, .judge = judge, .origin = "/a/file.aci" };

	return store_import(st, &m.s, &o, id, existed, e);
}

static inline bool put(struct place *p, const char *name, const char *version, const char *content, struct image_id *id)
{
	auto_buf struct buf b = { 0 };
	struct err e = { .code = 0 };
	bool existed;

	make_image(&b, name, version, content);
	int r = import_as(p->st, &b, "insecure", id, &existed, &e);
	if (r < 0)
		printf("# %s\n", e.msg);
	return r == 0;
}

/* every path below the store, with sizes, in one text that is equal for equal stores */
static inline void list_into(int fd, const char *path, struct buf *out)
{
	auto_dir DIR *d = fdopendir(openat(fd, *path ? path : ".", O_RDONLY | O_DIRECTORY));
	struct dirent *de;
	char *names[512];
	size_t n = 0;

	while (d && (de = readdir(d)) && n < 512)
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			names[n++] = strdup(de->d_name);
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (strcmp(names[i], names[k]) > 0) {
				char *t = names[i];
				names[i] = names[k];
				names[k] = t;
			}
	for (size_t i = 0; i < n; i++) {
		char child[1024];
		struct stat st;
		snprintf(child, sizeof(child), "%s%s%s", path, *path ? "/" : "", names[i]);
		if (fstatat(fd, child, &st, AT_SYMLINK_NOFOLLOW) == 0)
			buf_fmt(out, "%s %o %lld\n", child, st.st_mode, S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size);
		if (S_ISDIR(st.st_mode))
			list_into(fd, child, out);
		free(names[i]);
	}
}

static inline struct buf listing(const struct place *p)
{
	struct buf b = { 0 };

	buf_str(&b, "");
	list_into(store_cas_fd(p->st), "", &b);
	return b;
}

static inline void plant(const struct place *p, const char *path)
{
	struct err e;
	const char *slash = strrchr(path, '/');
	char dir[256];

	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	fd_mkdirs(store_cas_fd(p->st), dir, 0700, &e);
	auto_close int fd = openat(store_cas_fd(p->st), path, O_WRONLY | O_CREAT, 0400);
	if (fd < 0 || write(fd, "x", 1) != 1)
		printf("# cannot plant %s\n", path);
}

static inline bool is_rendered(struct store *st, const struct image_id *id)
{
	struct render_id rid;

	render_id_set(&rid, id->s);
	return render_is_ready(st, &rid);
}
