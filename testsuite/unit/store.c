/* SPDX-License-Identifier: Apache-2.0
 * store - the store by its interface: import, look-ups, rendering, removal
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/internal.h"
#include "testsuite/unit/store_kit.h"

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

UNIT_MAIN(imports, absent, prefixes, names, urls, verification, judged, removal, bad_images, damage, manifest_damage,
	  dependencies, whitelist)
