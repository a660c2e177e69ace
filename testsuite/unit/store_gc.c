/* SPDX-License-Identifier: Apache-2.0
 * store_gc - what a collection takes and what it leaves alone, and who waits for whom
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/store/blob.h"
#include "core/store/internal.h"
#include "testsuite/unit/store_kit.h"

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

UNIT_MAIN(leftovers, used_trees, named_blobs, readers)
