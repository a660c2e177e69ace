/* SPDX-License-Identifier: Apache-2.0
 * store - the store by its interface: import, look-ups, rendering, removal, collection
 *
 * Every case has a store of its own in a temporary directory. Images are made here, byte by byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/store/blob.h"
#include "core/store/internal.h"
#include "testsuite/unit/unit.h"

/* ---- images ---- */

static void tar_add(struct buf *b, char type, const char *name, const char *link, const char *data, size_t len)
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

static void tar_file(struct buf *b, const char *name, const char *data)
{
	tar_add(b, '0', name, NULL, data, strlen(data));
}

static void tar_end(struct buf *b)
{
	static const char zeros[1024];

	buf_add(b, zeros, sizeof(zeros));
}

/* @more: members of the manifest, with their commas */
static void image_begin(struct buf *b, const char *name, const char *version, const char *more)
{
	struct buf m = { 0 };

	buf_fmt(&m, "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"%s\"%s,"
		    "\"labels\":[{\"name\":\"version\",\"value\":\"%s\"},{\"name\":\"os\",\"value\":\"linux\"},"
		    "{\"name\":\"arch\",\"value\":\"amd64\"}]}", name, more, version);
	tar_file(b, "manifest", m.data);
	tar_add(b, '5', "rootfs/", NULL, "", 0);
	buf_free(&m);
}

static void make_image(struct buf *b, const char *name, const char *version, const char *content)
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

static int mem_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct mem_source *m = (struct mem_source *)s;
	size_t left = m->b->len - m->at;

	(void)e;
	*p = (const uint8_t *)m->b->data + m->at;
	*len = left < 1000 ? left : 1000;
	m->at += *len;
	return *len ? 1 : 0;
}

static void mem_close(struct source *s)
{
	(void)s;
}

/* ---- stores ---- */

struct place {
	char          dir[256];
	struct store *st;
};

/* these tests have no mount namespace of their own */
static void render_trees(struct store *st)
{
	const struct render_how how = { .mode = RENDER_TREE };

	if (st)
		render_set_how(st, &how);
}

static void place_make(struct place *p)
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
static bool remove_whole(struct store *st, const struct image_id *id)
{
	const struct store_gc_opts o = { .ctx = NULL };
	struct image_id left = *id;
	struct err e;
	size_t n = 1;

	return store_remove(st, id, &e) == 0 && store_discard(st, &o, &left, &n, &e) == 0 && n == 0;
}

static void place_drop(struct place *p)
{
	struct err e;

	store_close(p->st);
	fd_remove_tree(AT_FDCWD, p->dir, &e);
}
#define auto_place __attribute__((cleanup(place_drop)))

/* vouches with the name that it gets, or refuses */
static int judge(void *ctx, const struct import_facts *f, struct import_verdict *out, struct err *e)
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

static int import_as(struct store *st, const struct buf *b, const char *verified_by, struct image_id *id,
		     bool *existed, struct err *e)
{
	struct mem_source m = { .s = { .next = mem_next, .close = mem_close }, .b = b };
	const struct import_opts o = { .ctx = (char *)(uintptr_t)verified_by, .judge = judge, .origin = "/a/file.aci" };

	return store_import(st, &m.s, &o, id, existed, e);
}

static bool put(struct place *p, const char *name, const char *version, const char *content, struct image_id *id)
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
static void list_into(int fd, const char *path, struct buf *out)
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

static struct buf listing(const struct place *p)
{
	struct buf b = { 0 };

	buf_str(&b, "");
	list_into(store_cas_fd(p->st), "", &b);
	return b;
}

static void plant(const struct place *p, const char *path)
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

/* ---- cases ---- */

TEST(imports, "store: an imported image is found by ID, name and in the list")
{
	auto_place struct place p = { .st = NULL };
	struct image_id id, found;
	struct image_info i;
	struct image_infos l;
	struct err e;
	struct stat sb;

	place_make(&p);
	REQUIRE(p.st && put(&p, "example.com/app", "1.0.0", "hello", &id));
	CHECK(store_is_id(id.s));
	CHECK(store_resolve(p.st, id.s, &found, &e) == 0 && !strcmp(found.s, id.s));
	char prefix[16];
	snprintf(prefix, sizeof(prefix), "%.9s", id.s);
	CHECK(store_resolve(p.st, prefix, &found, &e) == 0);
	CHECK(store_resolve(p.st, prefix + 7, &found, &e) == 0);
	CHECK(store_find_name(p.st, "example.com/app", NULL, &found, &e) == 0 && !strcmp(found.s, id.s));
	REQUIRE(store_info(p.st, &id, &i, &e) == 0);
	CHECK_STR(i.name, "example.com/app");
	CHECK_STR(appc_pair_find(&i.labels, "arch"), "amd64");
	CHECK_STR(i.verified_by, "insecure");
	CHECK_STR(i.origin, "/a/file.aci");
	CHECK(i.import_ns > 1600000000000000000 && i.last_used_ns > 1600000000000000000);
	REQUIRE(store_list(p.st, &l, &e) == 0);
	CHECK_INT(l.n, 1);
	image_infos_free(&l);
	auto_close int fd = store_blob(p.st, &id, &e);
	REQUIRE(fd >= 0 && fstat(fd, &sb) == 0);
	CHECK_INT(sb.st_size, i.tar_bytes);
	CHECK_INT(sb.st_mode & 07777, 0400);
	CHECK_INT(sb.st_nlink, 1);
	CHECK(store_verify(p.st, &id, &e) == 0);
	image_info_free(&i);
	REQUIRE(fstat(store_cas_fd(p.st), &sb) == 0);
	CHECK_INT(sb.st_mode & 07777, 0700);
}

TEST(absent, "store: one that is not there is an empty one")
{
	struct err e = { .code = 0 };
	struct image_id id;
	struct image_infos l;
	struct image_info i;
	char *text;
	size_t len;

	struct store *st = store_open("/nonexistent/rkt", false, &e);
	REQUIRE(st);
	CHECK(store_list(st, &l, &e) == 0 && l.n == 0);
	CHECK(store_resolve(st, "sha512-abcd", &id, &e) < 0 && e.code == ENOENT);
	CHECK(store_find_name(st, "example.com/app", NULL, &id, &e) < 0 && e.code == ENOENT);
	CHECK(store_find_url(st, "https://example.com/a.aci", &id, &e) < 0 && e.code == ENOENT);
	memset(id.s, 'a', IMAGE_ID_LEN);
	id.s[IMAGE_ID_LEN] = 0;
	memcpy(id.s, "sha512-", 7);
	CHECK(store_info(st, &id, &i, &e) < 0 && e.code == ENOENT);
	CHECK(store_manifest_text(st, &id, &text, &len, &e) < 0 && e.code == ENOENT);
	CHECK(store_blob(st, &id, &e) < 0 && e.code == ENOENT);
	CHECK(store_remove(st, &id, &e) < 0 && e.code == ENOENT);
	CHECK(render_image(st, &id, NULL, &e) < 0 && e.code == ENOENT);
	CHECK(store_gc(st, &(struct store_gc_opts){ .ctx = NULL }, &e) == 0);
	store_touch(st, &id);
	store_close(st);
}

TEST(prefixes, "store: ID prefixes are checked, and each fault has its message")
{
	auto_place struct place p = { .st = NULL };
	struct image_id id, ids[40], found;
	struct err e = { .code = 0 };
	char two[10], content[16];

	place_make(&p);
	REQUIRE(p.st);
	for (int i = 0; i < 40; i++) { /* 40 of 256 first bytes: two share theirs in 95 of 100 cases; see below */
		snprintf(content, sizeof(content), "%d", i);
		REQUIRE(put(&p, "example.com/app", "1.0.0", content, &ids[i]));
	}
	CHECK(store_resolve(p.st, "", &id, &e) < 0 && e.code == EINVAL);
	CHECK_HAS(e.msg, "image ID too short");
	CHECK(store_resolve(p.st, "sha512-", &id, &e) < 0 && e.code == EINVAL);
	CHECK(store_resolve(p.st, "sha512-a", &id, &e) < 0 && e.code == EINVAL);
	CHECK_HAS(e.msg, "image ID too short");
	CHECK(store_resolve(p.st, "sha512-ABCD", &id, &e) < 0 && e.code == EINVAL);
	CHECK(store_resolve(p.st, "sha512-../x", &id, &e) < 0 && e.code == EINVAL);
	CHECK(store_resolve(p.st, "sha256-abcd", &id, &e) < 0 && e.code == EINVAL);
	char longer[IMAGE_ID_LEN + 2];
	snprintf(longer, sizeof(longer), "%sa", ids[0].s);
	CHECK(store_resolve(p.st, longer, &id, &e) < 0 && e.code == EINVAL);
	CHECK(store_resolve(p.st, "sha512-0123456789abcdef0123", &id, &e) < 0 && e.code == ENOENT);
	CHECK_HAS(e.msg, "no image IDs found");
	/* the contents are fixed, so these IDs are, and two of them do share a byte */
	bool shared = false;
	for (int i = 0; i < 40 && !shared; i++)
		for (int k = 0; k < i && !shared; k++)
			if (!strncmp(ids[i].s, ids[k].s, 9)) {
				snprintf(two, sizeof(two), "%.9s", ids[i].s);
				shared = true;
			}
	REQUIRE(shared);
	CHECK(store_resolve(p.st, two, &id, &e) < 0 && e.code == ENOTUNIQ);
	CHECK_HAS(e.msg, "ambiguous image ID");
	CHECK(store_resolve(p.st, ids[7].s, &found, &e) == 0 && !strcmp(found.s, ids[7].s));
	snprintf(longer, sizeof(longer), "%.71s", ids[7].s);
	CHECK(store_resolve(p.st, longer, &found, &e) == 0 && !strcmp(found.s, ids[7].s));
}

TEST(names, "store: by name the newest that has all labels, and latest before newest")
{
	auto_place struct place p = { .st = NULL };
	struct image_id a, b, c, found;
	struct appc_pairs want = { 0 };
	struct err e = { .code = 0 };
	bool existed;

	place_make(&p);
	REQUIRE(p.st && put(&p, "example.com/app", "1.0.0", "a", &a) && put(&p, "example.com/app", "2.0.0", "b", &b) &&
		put(&p, "example.com/app", "2.0.0", "c", &c));
	CHECK(store_find_name(p.st, "example.com/app", &want, &found, &e) == 0);
	CHECK_STR(found.s, c.s);
	REQUIRE(appc_pairs_set(&want, "version", "1.0.0", &e) == 0);
	CHECK(store_find_name(p.st, "example.com/app", &want, &found, &e) == 0);
	CHECK_STR(found.s, a.s);
	REQUIRE(appc_pairs_set(&want, "version", "2.0.0", &e) == 0);
	CHECK(store_find_name(p.st, "example.com/app", &want, &found, &e) == 0);
	CHECK_STR(found.s, c.s);
	REQUIRE(appc_pairs_set(&want, "arch", "aarch64", &e) == 0);
	CHECK(store_find_name(p.st, "example.com/app", &want, &found, &e) < 0 && e.code == ENOENT);
	CHECK(store_find_name(p.st, "example.com/ap", NULL, &found, &e) < 0 && e.code == ENOENT);
	CHECK(store_find_name(p.st, "example.com/app/x", NULL, &found, &e) < 0 && e.code == ENOENT);

	/* imported again, the old one is the newest */
	auto_buf struct buf img = { 0 };
	make_image(&img, "example.com/app", "1.0.0", "a");
	struct mem_source m = { .s = { .next = mem_next, .close = mem_close }, .b = &img };
	REQUIRE(import_as(p.st, &img, "insecure", &found, &existed, &e) == 0);
	CHECK(existed);
	CHECK(store_find_name(p.st, "example.com/app", NULL, &found, &e) == 0);
	CHECK_STR(found.s, a.s);
	/* and one that was fetched as the latest comes first for good */
	img.len = 0;
	make_image(&img, "example.com/app", "2.0.0", "b");
	const struct import_opts latest = { .latest = true };
	m.at = 0;
	REQUIRE(store_import(p.st, &m.s, &latest, &found, &existed, &e) == 0);
	REQUIRE(put(&p, "example.com/app", "3.0.0", "d", &found));
	CHECK(store_find_name(p.st, "example.com/app", NULL, &found, &e) == 0);
	CHECK_STR(found.s, b.s);
	for (size_t i = 0; i < want.n; i++) {
		free(want.v[i].name);
		free(want.v[i].value);
	}
	free(want.v);
}

TEST(urls, "store: a URL leads to its image as long as that is there")
{
	auto_place struct place p = { .st = NULL };
	struct image_id a, b, found;
	struct err e = { .code = 0 };

	place_make(&p);
	REQUIRE(p.st && put(&p, "example.com/a", "1", "a", &a) && put(&p, "example.com/b", "1", "b", &b));
	CHECK(store_find_url(p.st, "https://example.com/a.aci", &found, &e) < 0 && e.code == ENOENT);
	CHECK(store_set_url(p.st, "https://example.com/a.aci", &a, "\"etag\"", 60, &e) == 0);
	CHECK(store_find_url(p.st, "https://example.com/a.aci", &found, &e) == 0);
	CHECK_STR(found.s, a.s);
	struct store_remote r = { .etag = NULL };
	REQUIRE(store_find_remote(p.st, "https://example.com/a.aci", &r, &e) == 0);
	CHECK_STR(r.id.s, a.s);
	CHECK_STR(r.etag, "\"etag\"");
	CHECK(r.fetched_s > 0 && store_remote_fresh(&r, r.fetched_s) && store_remote_fresh(&r, r.fetched_s + 59));
	CHECK(!store_remote_fresh(&r, r.fetched_s + 60) && !store_remote_fresh(&r, r.fetched_s - 1));
	store_remote_free(&r);
	CHECK(store_set_url(p.st, "https://example.com/a.aci", &b, NULL, 0, &e) == 0);
	REQUIRE(store_find_remote(p.st, "https://example.com/a.aci", &r, &e) == 0);
	CHECK(!r.etag && !store_remote_fresh(&r, r.fetched_s));
	CHECK(store_find_url(p.st, "https://example.com/a.aci", &found, &e) == 0);
	CHECK_STR(found.s, b.s);
	CHECK(store_remove(p.st, &b, &e) == 0);
	CHECK(store_find_url(p.st, "https://example.com/a.aci", &found, &e) < 0 && e.code == ENOENT);
}

TEST(verification, "store: importing again can make the verification better, never worse")
{
	auto_place struct place p = { .st = NULL };
	auto_buf struct buf img = { 0 };
	struct image_id id;
	struct image_info i;
	struct err e;
	bool existed;

	place_make(&p);
	make_image(&img, "example.com/app", "1", "a");
	REQUIRE(p.st && import_as(p.st, &img, "insecure", &id, &existed, &e) == 0 && !existed);
	REQUIRE(import_as(p.st, &img, "0123456789abcdef0123456789abcdef01234567", &id, &existed, &e) == 0 && existed);
	REQUIRE(store_info(p.st, &id, &i, &e) == 0);
	CHECK_STR(i.verified_by, "0123456789abcdef0123456789abcdef01234567");
	image_info_free(&i);
	REQUIRE(import_as(p.st, &img, "insecure", &id, &existed, &e) == 0 && existed);
	REQUIRE(store_info(p.st, &id, &i, &e) == 0);
	CHECK_STR(i.verified_by, "0123456789abcdef0123456789abcdef01234567");
	CHECK_STR(i.verified_prefix, "example.com");
	image_info_free(&i);
	/* it was checked just now, and the other one perhaps before its key was stolen */
	REQUIRE(import_as(p.st, &img, "76543210fedcba9876543210fedcba9876543210", &id, &existed, &e) == 0 && existed);
	REQUIRE(store_info(p.st, &id, &i, &e) == 0);
	CHECK_STR(i.verified_by, "76543210fedcba9876543210fedcba9876543210");
	image_info_free(&i);
}

TEST(judged, "store: what the judge refuses leaves the store as it was")
{
	auto_place struct place p = { .st = NULL };
	auto_buf struct buf img = { 0 };
	struct image_id id;
	struct err e;
	bool existed;

	place_make(&p);
	make_image(&img, "example.com/app", "1", "a");
	REQUIRE(p.st);
	struct buf before = listing(&p);
	CHECK(import_as(p.st, &img, "refused", &id, &existed, &e) < 0 && e.code == EPERM);
	CHECK_STR(e.msg, "example.com/app is refused");
	struct buf after = listing(&p);
	CHECK_STR(after.data, before.data);
	buf_free(&after);
	REQUIRE(import_as(p.st, &img, "insecure", &id, &existed, &e) == 0);
	buf_free(&before);
	before = listing(&p);
	CHECK(import_as(p.st, &img, "refused", &id, &existed, &e) < 0 && e.code == EPERM);
	after = listing(&p);
	CHECK_STR(after.data, before.data);
	buf_free(&before);
	buf_free(&after);
}

TEST(removal, "store: removal leaves nothing, and only then")
{
	auto_place struct place p = { .st = NULL };
	struct image_id a, b;
	struct err e = { .code = 0 };

	place_make(&p);
	REQUIRE(p.st);
	struct buf empty = listing(&p);
	REQUIRE(put(&p, "example.com/app", "1", "a", &a));
	struct buf one = listing(&p);
	REQUIRE(put(&p, "example.com/app", "1", "b", &b));
	auto_close int reader = store_blob(p.st, &b, &e);
	CHECK(remove_whole(p.st, &b));
	struct buf back = listing(&p);
	CHECK_STR(back.data, one.data);
	CHECK(reader >= 0 && lseek(reader, 0, SEEK_END) > 0);
	CHECK(store_remove(p.st, &b, &e) < 0 && e.code == ENOENT);
	CHECK(remove_whole(p.st, &a));
	buf_free(&back);
	back = listing(&p);
	CHECK_STR(back.data, empty.data);
	buf_free(&back);
	buf_free(&one);
	buf_free(&empty);
}

TEST(bad_images, "store: an image that is cut off or not one changes nothing")
{
	auto_place struct place p = { .st = NULL };
	auto_buf struct buf img = { 0 };
	struct image_id id;
	struct err e = { .code = 0 };
	bool existed;

	place_make(&p);
	REQUIRE(p.st);
	struct buf before = listing(&p);
	make_image(&img, "example.com/app", "1", "content of a file");
	/* from the second of the two zero blocks on, nothing of value is missing */
	for (size_t len = 0; len < img.len - 512; len += 128) {
		struct buf cut = { .data = img.data, .len = len };
		CHECK(import_as(p.st, &cut, "insecure", &id, &existed, &e) < 0);
	}
	img.len = 0;
	image_begin(&img, "example.com/app", "1", "");
	tar_file(&img, "rootfsEVIL/file", "x");
	tar_end(&img);
	CHECK(import_as(p.st, &img, "insecure", &id, &existed, &e) < 0);
	struct buf after = listing(&p);
	CHECK_STR(after.data, before.data);
	buf_free(&before);
	buf_free(&after);
}

static bool is_rendered(struct store *st, const struct image_id *id)
{
	struct render_id rid;

	render_id_set(&rid, id->s);
	return render_is_ready(st, &rid);
}

TEST(damage, "store: a blob that changed is noticed, and healed by the next import")
{
	auto_place struct place p = { .st = NULL };
	auto_buf struct buf img = { 0 };
	struct image_id id;
	struct err e = { .code = 0 };
	bool existed;

	place_make(&p);
	make_image(&img, "example.com/app", "1", "content of a file");
	REQUIRE(p.st && import_as(p.st, &img, "insecure", &id, &existed, &e) == 0);
	struct store_path path = store_path("blob", id.s);
	REQUIRE(fchmodat(store_cas_fd(p.st), path.s, 0600, 0) == 0);
	auto_close int fd = openat(store_cas_fd(p.st), path.s, O_RDWR);
	REQUIRE(fd >= 0 && pwrite(fd, "X", 1, 2048 + 20) == 1);
	CHECK(store_verify(p.st, &id, &e) < 0 && e.code == EBADMSG);
	CHECK_HAS(e.msg, id.s);
	CHECK(render_image(p.st, &id, NULL, &e) < 0 && e.code == EBADMSG);
	CHECK(!is_rendered(p.st, &id));
	REQUIRE(ftruncate(fd, 1024) == 0);
	CHECK(store_blob(p.st, &id, &e) < 0 && e.code == EBADMSG);
	REQUIRE(import_as(p.st, &img, "insecure", &id, &existed, &e) == 0);
	CHECK(!existed);
	CHECK(store_verify(p.st, &id, &e) == 0);
	REQUIRE(unlinkat(store_cas_fd(p.st), path.s, 0) == 0);
	CHECK(store_verify(p.st, &id, &e) < 0 && e.code == EBADMSG);
	REQUIRE(import_as(p.st, &img, "insecure", &id, &existed, &e) == 0);
	CHECK(store_verify(p.st, &id, &e) == 0);
}

TEST(manifest_damage, "store: a manifest file that differs from the image's is noticed")
{
	auto_place struct place p = { .st = NULL };
	struct image_id id;
	struct err e = { .code = 0 };

	place_make(&p);
	REQUIRE(p.st && put(&p, "example.com/app", "1", "a", &id));
	REQUIRE(fd_publish(store_cas_fd(p.st), store_path("manifest", id.s).s, "{}", 2, 0400, false, &e) == 0);
	CHECK(store_verify(p.st, &id, &e) < 0 && e.code == EBADMSG);
	struct image_manifest m;
	CHECK(store_manifest(p.st, &id, &m, &e) < 0);
	CHECK_HAS(e.msg, "damaged");
}

static bool used_is(void *ctx, const char *render_id)
{
	return ctx && !strcmp(ctx, render_id);
}

static void count(void *ctx, const char *what)
{
	(void)what;
	++*(int *)ctx;
}

TEST(leftovers, "store: gc removes what crashes leave, and nothing else")
{
	auto_place struct place p = { .st = NULL };
	struct image_id id, gone;
	struct err e = { .code = 0 };
	char path[400];

	place_make(&p);
	REQUIRE(p.st && put(&p, "example.com/app", "1", "a", &id) && put(&p, "example.com/b", "1", "b", &gone));
	REQUIRE(store_set_url(p.st, "https://example.com/a", &id, NULL, 0, &e) == 0);
	REQUIRE(remove_whole(p.st, &gone));
	struct buf clean = listing(&p);
	plant(&p, store_path("blob", gone.s).s);
	plant(&p, store_path("manifest", gone.s).s);
	plant(&p, store_path("used", gone.s).s);
	plant(&p, "blob/sha512/.tmp.1.0123");
	plant(&p, "blob/sha512/ab/.tmp.1.0123");
	plant(&p, "manifest/.tmp.1.x");
	plant(&p, "info/.tmp.1.x");
	plant(&p, "remote/.tmp.1.x");
	plant(&p, "remote/0123");
	snprintf(path, sizeof(path), "name/0123456789/%s", gone.s);
	plant(&p, path);
	snprintf(path, sizeof(path), "tree/.tmp.%s/rootfs/a/b", gone.s);
	plant(&p, path);
	plant(&p, "tree/.trash.x/rootfs/a/b");
	snprintf(path, sizeof(path), "tree/%s/rootfs/a/b", gone.s);
	plant(&p, path);
	struct buf dirty = listing(&p);
	int n = 0;
	struct store_gc_opts o = { .ctx = &n, .removed = count, .dry_run = true };
	CHECK(store_gc(p.st, &o, &e) == 0);
	CHECK_INT(n, 12);
	struct buf now = listing(&p);
	CHECK_STR(now.data, dirty.data);
	n = 0;
	o.dry_run = false;
	CHECK(store_gc(p.st, &o, &e) == 0);
	CHECK_INT(n, 12);
	buf_free(&now);
	now = listing(&p);
	CHECK_STR(now.data, clean.data);
	CHECK(store_verify(p.st, &id, &e) == 0);
	buf_free(&now);
	buf_free(&clean);
	buf_free(&dirty);
}

TEST(used_trees, "store: gc keeps the tree of a removed image while a pod uses it")
{
	auto_place struct place p = { .st = NULL };
	struct image_id id;
	struct err e = { .code = 0 };

	place_make(&p);
	REQUIRE(p.st && put(&p, "example.com/app", "1", "a", &id));
	auto_close int root = render_image(p.st, &id, NULL, &e);
	REQUIRE(root >= 0);
	CHECK(faccessat(root, "file", F_OK, 0) == 0);
	struct store_gc_opts o = { .ctx = id.s, .render_used = used_is };
	CHECK(store_gc(p.st, &o, &e) < 0 && e.code == EBUSY); /* we have it in use ourselves */
	store_close(p.st);
	p.st = store_open(p.dir, false, &e);
	REQUIRE(p.st);
	render_trees(p.st);
	CHECK(store_remove(p.st, &id, &e) == 0);
	CHECK(store_gc(p.st, &o, &e) == 0);
	CHECK(faccessat(root, "file", F_OK, 0) == 0);
	o.ctx = NULL;
	CHECK(store_gc(p.st, &o, &e) == 0);
	CHECK(faccessat(root, "file", F_OK, 0) < 0);
	CHECK(!is_rendered(p.st, &id));
}

TEST(named_blobs, "store: without O_TMPFILE a file under way is locked, and gc leaves it alone")
{
	auto_place struct place p = { .st = NULL };
	struct err e = { .code = 0 };
	struct blob b;
	int n = 0;

	place_make(&p);
	REQUIRE(p.st);
	struct buf before = listing(&p);
	auto_close int dir_fd = openat(store_cas_fd(p.st), "blob/sha512", O_RDONLY | O_DIRECTORY);
	REQUIRE(blob_create(&b, dir_fd, true, &e) == 0 && blob_write(&b, "abc", 3, &e) == 0);
	struct store_gc_opts o = { .ctx = &n, .removed = count };
	CHECK(store_gc(p.st, &o, &e) == 0);
	CHECK_INT(n, 0);
	CHECK(blob_sync(&b, &e) == 0 && blob_publish(&b, dir_fd, "x", &e) == 0);
	blob_drop(&b);
	CHECK(unlinkat(dir_fd, "x", 0) == 0);
	REQUIRE(blob_create(&b, dir_fd, true, &e) == 0);
	fd_cleanup(&b.fd); /* the process died */
	CHECK(store_gc(p.st, &o, &e) == 0);
	CHECK_INT(n, 1);
	REQUIRE(blob_create(&b, dir_fd, true, &e) == 0);
	blob_drop(&b);
	REQUIRE(blob_create(&b, dir_fd, false, &e) == 0 && blob_publish(&b, dir_fd, "x", &e) == 0);
	blob_drop(&b);
	REQUIRE(blob_create(&b, dir_fd, false, &e) == 0 && blob_write(&b, "new", 3, &e) == 0);
	CHECK(blob_publish(&b, dir_fd, "x", &e) == 0); /* over the one that is there */
	blob_drop(&b);
	char text[4] = "";
	auto_close int fd = openat(dir_fd, "x", O_RDONLY);
	CHECK(read(fd, text, 3) == 3);
	CHECK_STR(text, "new");
	CHECK(unlinkat(dir_fd, "x", 0) == 0);
	struct buf after = listing(&p);
	CHECK_STR(after.data, before.data);
	buf_free(&before);
	buf_free(&after);
}

TEST(readers, "store: an import does not keep gc waiting, and gc does not disturb the import")
{
	auto_place struct place p = { .st = NULL };
	struct err e = { .code = 0 };
	struct image_id id;
	bool existed;
	int to[2];

	place_make(&p);
	REQUIRE(p.st && pipe(to) == 0);
	auto_buf struct buf img = { 0 };
	make_image(&img, "example.com/app", "1", "a");
	pid_t child = fork();
	if (child == 0) {
		struct store *st = store_open(p.dir, false, &e);
		auto_source struct source *src = source_fd(to[0], &e);
		const struct import_opts o = { .latest = false };
		close(to[1]);
		_exit(st && store_import(st, src, &o, &id, &existed, &e) == 0 ? 0 : 1);
	}
	close(to[0]);
	REQUIRE(write(to[1], img.data, 512) == 512);
	/* until it is amid the import */
	for (int unread = 1, ms = 0; unread > 0 && ms < 60000; ms++, usleep(1000))
		REQUIRE(ioctl(to[1], FIONREAD, &unread) == 0);
	CHECK(store_gc(p.st, &(struct store_gc_opts){ .ctx = NULL }, &e) == 0);
	REQUIRE(write(to[1], img.data + 512, img.len - 512) == (ssize_t)(img.len - 512));
	close(to[1]);
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
	CHECK(store_find_name(p.st, "example.com/app", NULL, &id, &e) == 0);
	CHECK(store_verify(p.st, &id, &e) == 0);
}

TEST(dependencies, "render: without its dependencies an image is refused, by the dependency's name")
{
	auto_place struct place p = { .st = NULL };
	auto_buf struct buf img = { 0 };
	struct image_id id;
	struct err e = { .code = 0 };
	bool existed;

	place_make(&p);
	image_begin(&img, "example.com/app", "1", ",\"dependencies\":[{\"imageName\":\"example.com/base\"}]");
	tar_end(&img);
	REQUIRE(p.st && import_as(p.st, &img, "insecure", &id, &existed, &e) == 0);
	CHECK(render_image(p.st, &id, NULL, &e) < 0 && e.code == ENOENT);
	CHECK_HAS(e.msg, "example.com/base");
}

TEST(whitelist, "render: with a whitelist only what is on it, and what leads there")
{
	auto_place struct place p = { .st = NULL };
	auto_buf struct buf img = { 0 };
	struct image_id id;
	struct err e = { .code = 0 };
	struct stat sb;
	bool existed;

	place_make(&p);
	image_begin(&img, "example.com/app", "1", ",\"pathWhitelist\":[\"/a/b/keep\",\"/dir/\",\"/link\",\"/a-b\"]");
	tar_add(&img, '5', "rootfs/a", NULL, "", 0);
	tar_add(&img, '5', "rootfs/a/b", NULL, "", 0);
	tar_file(&img, "rootfs/a/b/drop", "x");
	tar_add(&img, '1', "rootfs/a/b/keep", "rootfs/a/b/drop", "", 0);
	tar_file(&img, "rootfs/a/drop", "x");
	tar_file(&img, "rootfs/a-b", "x");
	tar_add(&img, '5', "rootfs/dir", NULL, "", 0);
	tar_file(&img, "rootfs/dir/drop", "x");
	tar_add(&img, '2', "rootfs/link", "/etc", "", 0);
	tar_add(&img, '5', "rootfs/drop", NULL, "", 0);
	tar_file(&img, "rootfs/drop/deep", "x");
	tar_end(&img);
	REQUIRE(p.st && import_as(p.st, &img, "insecure", &id, &existed, &e) == 0);
	auto_close int root = render_image(p.st, &id, NULL, &e);
	if (root < 0)
		printf("# %s\n", e.msg);
	REQUIRE(root >= 0);
	struct buf got = { 0 };
	list_into(root, "", &got);
	CHECK_STR(got.data, "a 40755 0\na/b 40755 0\na/b/keep 100644 1\na-b 100644 1\ndir 40755 0\nlink 120777 4\n");
	buf_free(&got);
	CHECK(fstatat(root, "a/b", &sb, 0) == 0);
	CHECK_INT(sb.st_mtim.tv_sec, 1000000000);
	CHECK(fstatat(root, "", &sb, AT_EMPTY_PATH) == 0);
	CHECK_INT(sb.st_mtim.tv_sec, 1000000000);
}

UNIT_MAIN(imports, absent, prefixes, names, urls, verification, judged, removal, bad_images, damage, manifest_damage, leftovers,
	  used_trees, named_blobs, readers, dependencies, whitelist)
