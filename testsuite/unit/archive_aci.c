/* SPDX-License-Identifier: Apache-2.0
 * archive_aci - unit tests of core/archive/aci.h: what makes an archive an image, case by case
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/archive/aci.h"
#include "core/base/fd.h"
#include "testsuite/unit/archive_kit.h"

static const char manifest[] = "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/a\"}";

/* what the handler was given */
struct seen {
	struct buf  tar, entries; /* entries: "path>link;" */
	struct tar *t;
	size_t      xattrs, fail_after; /* fail_after: the entry with which the handler fails; 0: none */
	size_t      n;
};

static int on_tap(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct seen *s = ctx;

	if (s->fail_after == 1000)
		return err_set(e, ENOSPC, "disk full");
	buf_add(&s->tar, p, len);
	return 0;
}

static int on_entry(void *ctx, const struct tar_entry *en, struct tar *t, struct err *e)
{
	struct seen *s = ctx;
	const uint8_t *p;
	size_t len;

	if (++s->n == s->fail_after)
		return err_set(e, EIO, "handler says no");
	buf_fmt(&s->entries, "%s%s%s", en->path, en->link ? ">" : "", en->link ? en->link : "");
	while (en->type == TAR_FILE && tar_data(t, &p, &len, e) > 0) {
		buf_fmt(&s->entries, "=");
		buf_add(&s->entries, p, len);
	}
	buf_str(&s->entries, ";");
	s->xattrs += en->n_xattrs;
	return 0;
}

struct outcome {
	int               r;
	struct err        e;
	struct findings   f;
	struct aci_result res;
	struct seen       seen;
};

static void read_with(struct outcome *o, const struct buf *b, enum aci_mode mode, const struct aci_bounds *bounds)
{
	const struct aci_handler h = { .ctx = &o->seen, .tap = on_tap, .entry = on_entry };
	auto_source struct source *s = kit_source(b->data, b->len, 777);

	o->e.msg[0] = 0;
	o->r = aci_read(s, bounds, mode, &h, &o->res, &o->f, &o->e);
}

static void outcome_free(struct outcome *o)
{
	aci_result_free(&o->res);
	findings_free(&o->f);
	buf_free(&o->seen.tar);
	buf_free(&o->seen.entries);
}

static const struct finding *finding_of(const struct findings *f, const char *rule)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].rule, rule))
			return &f->v[i];
	return NULL;
}

/* the archive in @b, ended here, breaks just this rule in both modes; frees @b */
static void breaks(struct buf *b, const char *rule, const char *words)
{
	static const struct aci_bounds none = { 0 };

	kit_end(b);
	for (int mode = ACI_STRICT; mode <= ACI_ALL; mode++) {
		struct outcome o = { 0 };
		read_with(&o, b, (enum aci_mode)mode, &none);
		CHECK_INT(o.r, -1);
		CHECK_HAS(o.e.msg, words);
		const struct finding *v = finding_of(&o.f, rule);
		CHECK(v && v->level == FINDING_ERROR);
		CHECK_HAS(v ? v->text : "", words);
		for (size_t i = 0; i < o.f.n; i++)
			if (o.f.v[i].level == FINDING_ERROR)
				CHECK_STR(o.f.v[i].rule, rule);
		outcome_free(&o);
	}
	buf_free(b);
}

static void begin(struct buf *b)
{
	kit_file(b, "manifest", manifest);
	kit_header(b, "rootfs", '5', NULL, 0);
}

TEST(good, "aci: manifest, digest, size and entries of a good image")
{
	static const struct aci_bounds none = { 0 };
	struct outcome o = { 0 };
	struct buf b = { 0 };
	struct err e;
	uint8_t want[64];

	kit_header(&b, "./", '5', NULL, 0);
	begin(&b);
	kit_header(&b, "rootfs/bin/", '5', NULL, 0);
	kit_file(&b, "rootfs/bin/sh", "#!");
	kit_header(&b, "rootfs/bin/ash", '1', "./rootfs/bin/sh", 0);
	kit_header(&b, "rootfs/bin/bash", '1', "rootfs/bin/ash", 0); /* a link to a link is a link to the file */
	kit_header(&b, "rootfs/lib", '2', "../../etc", 0);
	kit_file(&b, "rootfs/no/entry/above", "x");
	kit_end(&b);
	read_with(&o, &b, ACI_STRICT, &none);
	CHECK_INT(o.r, 0);
	CHECK_STR(o.e.msg, "");
	CHECK_INT(o.f.n, 0);
	CHECK(o.seen.tar.len == b.len && !memcmp(o.seen.tar.data, b.data, b.len));
	CHECK_STR(o.seen.entries.data, ";bin;bin/sh=#!;bin/ash>bin/sh;bin/bash>bin/ash;lib>../../etc;no/entry/above=x;");
	CHECK_STR(o.res.manifest.name, "example.com/a");
	CHECK_STR(o.res.manifest_text, manifest);
	CHECK_INT(o.res.tar_bytes, b.len);
	CHECK_INT(o.res.n_entries, 9);
	CHECK_INT(o.res.content_bytes, 3);
	struct hash *h = hash_new(&e);
	hash_feed(h, b.data, b.len);
	hash_final(h, want);
	CHECK(!memcmp(want, o.res.digest, sizeof(want)));
	outcome_free(&o);
	buf_free(&b);
}

TEST(late_manifest, "aci: the manifest may come last")
{
	static const struct aci_bounds none = { 0 };
	struct outcome o = { 0 };
	struct buf b = { 0 };

	kit_header(&b, "rootfs", '5', NULL, 0);
	kit_file(&b, "rootfs/f", "");
	kit_file(&b, "./manifest", manifest);
	kit_end(&b);
	read_with(&o, &b, ACI_ALL, &none);
	CHECK_INT(o.r, 0);
	outcome_free(&o);
	buf_free(&b);
}

TEST(toplevel, "aci: manifest and rootfs, each once, nothing else")
{
	struct buf b = { 0 };

	kit_header(&b, "rootfs", '5', NULL, 0);
	breaks(&b, "aci-manifest", "there is no manifest");
	kit_file(&b, "manifest", manifest);
	breaks(&b, "aci-rootfs", "there is no rootfs");
	kit_file(&b, "manifest", manifest);
	kit_file(&b, "rootfs/f", ""); /* below it is not it */
	breaks(&b, "aci-rootfs", "there is no rootfs");
	begin(&b);
	kit_file(&b, "manifest", manifest);
	breaks(&b, "aci-duplicate", "has an entry already, at byte 0");
	begin(&b);
	kit_header(&b, "./rootfs/.", '5', NULL, 0);
	breaks(&b, "aci-duplicate", "has an entry already, at byte 1024");
	begin(&b);
	kit_file(&b, "README", "");
	breaks(&b, "aci-toplevel", "neither manifest nor rootfs");
	begin(&b);
	kit_file(&b, "rootfsEVIL/x", "");
	breaks(&b, "aci-toplevel", "neither manifest nor rootfs");
	begin(&b);
	kit_header(&b, "rootfsEVIL", '5', NULL, 0);
	breaks(&b, "aci-toplevel", "neither manifest nor rootfs");
	kit_header(&b, "manifest", '5', NULL, 0);
	kit_header(&b, "rootfs", '5', NULL, 0);
	breaks(&b, "aci-manifest", "not a regular file");
	kit_header(&b, "rootfs", '5', NULL, 0);
	kit_file(&b, "rootfs/m", manifest);
	kit_header(&b, "manifest", '1', "rootfs/m", 0);
	breaks(&b, "aci-manifest", "not a regular file");
	kit_header(&b, "rootfs", '5', NULL, 0);
	kit_header(&b, "manifest", '2', "rootfs/m", 0);
	breaks(&b, "aci-manifest", "not a regular file");
	kit_file(&b, "manifest", manifest);
	kit_file(&b, "rootfs", "");
	breaks(&b, "aci-rootfs", "is not a directory");
	kit_file(&b, "manifest", manifest);
	kit_header(&b, "rootfs", '2', "/", 0);
	breaks(&b, "aci-rootfs", "is not a directory");
}

TEST(manifest_rules, "aci: what is wrong in the manifest is told with its rule")
{
	struct buf b = { 0 }, big = { 0 };
	struct outcome o = { 0 };
	static const struct aci_bounds none = { 0 };

	kit_file(&b, "manifest", "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"Bad Name\"}");
	kit_header(&b, "rootfs", '5', NULL, 0);
	kit_end(&b);
	read_with(&o, &b, ACI_ALL, &none);
	CHECK_INT(o.r, -1);
	CHECK(o.f.errors == 1 && !strcmp(o.f.v[0].where, "/name"));
	outcome_free(&o);
	buf_free(&b);
	for (int i = 0; i < (4 << 20) + 1; i++)
		buf_add(&big, " ", 1);
	kit_file(&b, "manifest", big.data);
	kit_header(&b, "rootfs", '5', NULL, 0);
	breaks(&b, "aci-manifest", "4194304 are allowed");
	buf_free(&big);
}

TEST(duplicates, "aci: no path twice, however it is written")
{
	static const char *const twice[] = { "rootfs/a/b", "./rootfs/a/b", "rootfs/./a/b", "rootfs/a/./b" };
	struct buf b = { 0 };

	for (size_t i = 0; i < 4; i++) {
		begin(&b);
		kit_file(&b, "rootfs/a/b", "1");
		kit_file(&b, twice[i], "2");
		breaks(&b, "aci-duplicate", "has an entry already, at byte 1536");
	}
	begin(&b);
	kit_file(&b, "rootfs/a", "1");
	kit_header(&b, "rootfs/a", '2', "/etc", 0); /* a link in place of a file, then something through it */
	breaks(&b, "aci-duplicate", "has an entry already");
	begin(&b);
	kit_header(&b, "rootfs/d", '5', NULL, 0);
	kit_header(&b, "rootfs/d/", '5', NULL, 0);
	breaks(&b, "aci-duplicate", "has an entry already");
}

TEST(parents, "aci: entries lie below directories only")
{
	struct buf b = { 0 };

	begin(&b);
	kit_header(&b, "rootfs/l", '2', "/tmp", 0);
	kit_file(&b, "rootfs/l/x", "");
	breaks(&b, "aci-parent", "lies below an entry that is no directory, at byte 1536");
	begin(&b);
	kit_header(&b, "rootfs/l", '2', "..", 0);
	kit_file(&b, "rootfs/l/a/b/c", "");
	breaks(&b, "aci-parent", "lies below an entry that is no directory, at byte 1536");
	begin(&b);
	kit_file(&b, "rootfs/f", "");
	kit_file(&b, "rootfs/f/x", "");
	breaks(&b, "aci-parent", "lies below");
	begin(&b);
	kit_file(&b, "rootfs/l/x", "");
	kit_header(&b, "rootfs/l", '2', "/tmp", 0); /* the other way round */
	breaks(&b, "aci-parent", "is no directory, but has entries below it, the first at byte 1536");
	begin(&b);
	kit_file(&b, "rootfs/f", "");
	kit_header(&b, "rootfs/h", '1', "rootfs/f", 0);
	kit_file(&b, "rootfs/h/x", "");
	breaks(&b, "aci-parent", "lies below");
}

TEST(hard_links, "aci: hard links to regular files in rootfs that came before")
{
	static const struct {
		const char *target, *words;
	} v[] = {
		{ "manifest", "\"manifest\", which is not below rootfs" }, { "rootfs", "which is not below rootfs" },
		{ "rootfsEVIL/x", "which is not below rootfs" }, { "etc/passwd", "which is not below rootfs" },
		{ "rootfs/none", "no entry before it" }, { "rootfs/self", "no entry before it" },
		{ "rootfs/sym", "no regular file" }, { "rootfs/dir", "no regular file" }, { "rootfs/dev", "no regular file" },
		{ "rootfs/fifo", "no regular file" }, { "rootfs/sub", "no regular file" },
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct buf b = { 0 };
		begin(&b);
		kit_header(&b, "rootfs/sym", '2', "/etc/shadow", 0);
		kit_header(&b, "rootfs/dir", '5', NULL, 0);
		kit_header(&b, "rootfs/dev", '3', NULL, 0);
		kit_header(&b, "rootfs/fifo", '6', NULL, 0);
		kit_file(&b, "rootfs/sub/x", "");
		kit_header(&b, "rootfs/self", '1', v[i].target, 0);
		kit_file(&b, "rootfs/later", "");
		breaks(&b, "aci-link", v[i].words);
	}
	struct buf b = { 0 };
	begin(&b);
	kit_header(&b, "rootfs/l", '1', "rootfs/later", 0);
	kit_file(&b, "rootfs/later", "");
	breaks(&b, "aci-link", "no entry before it");
}

TEST(owners, "aci: nothing belongs to user or group 2^32-1")
{
	for (int i = 0; i < 2; i++) {
		struct buf b = { 0 };
		begin(&b);
		kit_pax(&b, 'x', i ? "gid" : "uid", "4294967295", NULL);
		kit_file(&b, "rootfs/f", "");
		breaks(&b, "aci-owner", "4294967295");
	}
}

TEST(warnings, "aci: devices and the host's own attributes are warnings")
{
	static const struct aci_bounds none = { 0 };
	struct outcome o = { 0 };
	struct buf b = { 0 };

	begin(&b);
	for (int i = 0; i < 2; i++) {
		kit_pax(&b, 'x', "SCHILY.xattr.trusted.overlay.opaque", "y", "SCHILY.xattr.trusted.md5", "y", "SCHILY.xattr.user.overlay.redirect", "/",
			"SCHILY.xattr.security.selinux", "x", "SCHILY.xattr.security.capability", "c", "SCHILY.xattr.user.mine", "m",
			"SCHILY.xattr.btrfs.compression", "zlib", NULL);
		kit_file(&b, i ? "rootfs/b" : "rootfs/a", "");
	}
	kit_header(&b, "rootfs/dev", '4', NULL, 0);
	kit_end(&b);
	/* who stores images is not told, and what they get is the same */
	read_with(&o, &b, ACI_STRICT, &none);
	CHECK_INT(o.r, 0);
	CHECK_INT(o.f.n, 0);
	CHECK_INT(o.seen.xattrs, 4);
	outcome_free(&o);
	o = (struct outcome){ 0 };
	read_with(&o, &b, ACI_ALL, &none);
	CHECK_INT(o.r, 0);
	CHECK_INT(o.f.warnings, 7); /* of each file's attributes: 4 kinds, and two files that have capabilities */
	CHECK_INT(o.seen.xattrs, 4); /* of each: user.mine and security.capability */
	const struct finding *v = finding_of(&o.f, "aci-device");
	REQUIRE(v);
	CHECK_STR(v->where, "rootfs/dev");
	CHECK_HAS(v->text, "block 1:3");
	v = finding_of(&o.f, "aci-xattr");
	REQUIRE(v);
	CHECK_STR(v->where, "rootfs/a");
	CHECK_HAS(v->text, "trusted.* are not kept (in 2 entries)");
	CHECK(finding_of(&o.f, "aci-overlay") && finding_of(&o.f, "aci-selinux") && finding_of(&o.f, "aci-capability"));
	outcome_free(&o);
	buf_free(&b);
}

TEST(all_findings, "aci: ACI_ALL reports everything, ACI_STRICT stops at the first")
{
	static const struct aci_bounds none = { 0 };
	struct outcome o = { 0 };
	struct buf b = { 0 };

	begin(&b);
	kit_file(&b, "x", "");
	kit_file(&b, "rootfs/b/../c", "passed over with all that is in it");
	kit_file(&b, "rootfs/a", "");
	kit_file(&b, "rootfs/a", "");
	kit_pax(&b, 'x', "path", "/rootfs/long", "uid", "7", NULL);
	kit_file(&b, "rootfs/d", "of the next entry nothing is left");
	kit_header(&b, "rootfs/l", '1', "manifest", 0);
	kit_file(&b, "rootfs/good", "");
	buf_add(&b, "rubbish", 7);
	read_with(&o, &b, ACI_ALL, &none);
	CHECK_INT(o.r, -1);
	CHECK_INT(o.f.errors, 6);
	const struct finding *v = finding_of(&o.f, "aci-entry");
	CHECK(v && v->offset == 2048);
	CHECK_HAS(v ? v->text : "", "\"..\" in path");
	CHECK(finding_of(&o.f, "aci-toplevel") && finding_of(&o.f, "aci-duplicate") && finding_of(&o.f, "aci-link") &&
	      finding_of(&o.f, "aci-tar"));
	CHECK_HAS(o.e.msg, "x: is neither"); /* the first one */
	CHECK_STR(o.seen.entries.data, ";a;good;"); /* nothing that is at fault */
	outcome_free(&o);
	o = (struct outcome){ 0 };
	read_with(&o, &b, ACI_STRICT, &none);
	CHECK_INT(o.f.errors, 1);
	CHECK_STR(o.seen.entries.data, ";");
	outcome_free(&o);
	buf_free(&b);
}

TEST(streams, "aci: broken streams and tars are findings")
{
	static const struct aci_bounds none = { 0 };
	struct outcome o = { 0 };
	struct buf b = { 0 };

	begin(&b);
	buf_add(&b, "x", 1);
	read_with(&o, &b, ACI_ALL, &none);
	CHECK(o.r == -1 && finding_of(&o.f, "aci-tar"));
	CHECK_HAS(o.e.msg, "tar: truncated at byte 1537");
	outcome_free(&o);
	o = (struct outcome){ 0 };
	buf_free(&b);
	buf_add(&b, "\x1f\x8b\x08\0\0\0\0\0\0\0junk", 14);
	read_with(&o, &b, ACI_ALL, &none);
	CHECK(o.r == -1 && finding_of(&o.f, "aci-stream"));
	CHECK_HAS(o.e.msg, "gzip: at compressed byte");
	outcome_free(&o);
	o = (struct outcome){ 0 };
	buf_free(&b);
	begin(&b);
	kit_end(&b);
	buf_add(&b, "second", 6);
	read_with(&o, &b, ACI_ALL, &none);
	CHECK_HAS(o.e.msg, "data after the end");
	outcome_free(&o);
	buf_free(&b);
}

TEST(handlers, "aci: a handler that fails ends the pass with its own error")
{
	static const struct aci_bounds none = { 0 };
	struct outcome o = { .seen.fail_after = 2 };
	struct buf b = { 0 };

	begin(&b);
	kit_file(&b, "rootfs/f", "");
	kit_end(&b);
	read_with(&o, &b, ACI_ALL, &none);
	CHECK(o.r == -1 && o.e.code == EIO && o.f.errors == 0);
	CHECK_STR(o.e.msg, "handler says no");
	outcome_free(&o);
	o = (struct outcome){ .seen.fail_after = 1000 };
	read_with(&o, &b, ACI_ALL, &none);
	CHECK(o.r == -1 && o.e.code == ENOSPC && o.f.errors == 0);
	outcome_free(&o);
	buf_free(&b);
}

TEST(bounds, "aci: bounds on bytes, entries and ratio")
{
	const struct aci_bounds bytes = { .max_bytes = 3000 }, entries = { .max_entries = 3 }, ratio = { .max_ratio = 100 };
	struct outcome o = { 0 };
	struct buf b = { 0 };

	begin(&b);
	kit_file(&b, "rootfs/a", "");
	kit_file(&b, "rootfs/b", "");
	kit_end(&b);
	read_with(&o, &b, ACI_ALL, &entries);
	CHECK(o.r == -1 && o.f.errors == 1 && finding_of(&o.f, "aci-bounds"));
	CHECK_HAS(o.e.msg, "more than 3 entries");
	outcome_free(&o);
	o = (struct outcome){ 0 };
	read_with(&o, &b, ACI_ALL, &bytes);
	CHECK(o.r == -1 && o.f.errors == 1 && finding_of(&o.f, "aci-bounds"));
	outcome_free(&o);
	/* 70 MB of zeros in 70 kB */
	size_t room = 1 << 20, at = b.len - 1024, n = 70u << 20;
	b.len = at;
	kit_header(&b, "rootfs/zeros", '0', NULL, n);
	char *zeros = calloc(1, n + 1024), *out = malloc(room);
	REQUIRE(zeros && out);
	z_stream z = { .next_in = (uint8_t *)b.data, .avail_in = (uInt)b.len, .next_out = (uint8_t *)out, .avail_out = (uInt)room };
	deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_NO_FLUSH);
	z.next_in = (uint8_t *)zeros;
	z.avail_in = (uInt)(n + 1024);
	CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
	struct buf packed = { .data = out, .len = z.total_out };
	deflateEnd(&z);
	o = (struct outcome){ 0 };
	read_with(&o, &packed, ACI_ALL, &ratio);
	CHECK(o.r == -1 && o.f.errors == 1 && finding_of(&o.f, "aci-bounds"));
	CHECK_HAS(o.e.msg, "100 times the size");
	outcome_free(&o);
	o = (struct outcome){ 0 };
	const struct aci_bounds none = { 0 };
	read_with(&o, &packed, ACI_ALL, &none); /* no more than deflate can do */
	CHECK_INT(o.r, 0);
	CHECK_INT(o.res.in_bytes, packed.len);
	CHECK_INT(o.res.format, INFLATE_GZIP);
	outcome_free(&o);
	free(zeros);
	free(out);
	buf_free(&b);
}

TEST(only_manifest, "aci: the manifest alone, without reading on")
{
	struct aci_result r = { 0 };
	struct findings f = { 0 };
	struct buf b = { 0 };
	struct err e;

	begin(&b);
	buf_add(&b, "rubbish that is never looked at", 31);
	{
		auto_source struct source *s = kit_source(b.data, b.len, 512);
		CHECK_INT(aci_read_manifest(s, &r, &f, &e), 0);
		CHECK_STR(r.manifest.name, "example.com/a");
		CHECK_STR(r.manifest_text, manifest);
		aci_result_free(&r);
	}
	buf_free(&b);
	kit_header(&b, "rootfs", '5', NULL, 0);
	kit_end(&b);
	auto_source struct source *s = kit_source(b.data, b.len, 512);
	CHECK_INT(aci_read_manifest(s, &r, &f, &e), -1);
	CHECK_STR(e.msg, "there is no manifest");
	aci_result_free(&r);
	findings_free(&f);
	buf_free(&b);
}

TEST(rules, "aci: every rule has a section, a text and a remedy, and no name twice")
{
	for (const struct appc_rule *r = aci_rules(); r->id; r++) {
		CHECK(r->section && *r->text && *r->remedy && r->flags & RULE_BOTH);
		for (const struct appc_rule *q = r + 1; q->id; q++)
			CHECK(strcmp(r->id, q->id) != 0);
	}
}

/* ---- layouts ---- */

static int layout(char *dir)
{
	strcpy(dir, "/tmp/archive_aci.XXXXXX");
	if (!mkdtemp(dir))
		abort();
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void write_to(int dir_fd, const char *name, const char *text)
{
	auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static void check_layout(int dir_fd, const char *rule)
{
	struct image_manifest m;
	struct findings f = { 0 };
	struct err e;

	CHECK_INT(aci_check_layout(dir_fd, &m, &f, &e), rule ? -1 : 0);
	CHECK(!rule || (f.errors == 1 && finding_of(&f, rule)));
	image_manifest_free(&m);
	findings_free(&f);
}

TEST(layouts, "aci: the same rules over an unpacked layout")
{
	char dir[64];
	struct err e;
	auto_close int fd = layout(dir);

	mkdirat(fd, "rootfs", 0755);
	check_layout(fd, "aci-manifest");
	write_to(fd, "manifest", manifest);
	check_layout(fd, NULL);
	write_to(fd, "README", "");
	check_layout(fd, "aci-toplevel");
	unlinkat(fd, "README", 0);
	unlinkat(fd, "rootfs", AT_REMOVEDIR);
	check_layout(fd, "aci-rootfs");
	CHECK_INT(symlinkat("/", fd, "rootfs"), 0);
	check_layout(fd, "aci-rootfs");
	unlinkat(fd, "rootfs", 0);
	mkdirat(fd, "rootfs", 0755);
	unlinkat(fd, "manifest", 0);
	CHECK_INT(symlinkat("/etc/passwd", fd, "manifest"), 0);
	check_layout(fd, "aci-manifest");
	unlinkat(fd, "manifest", 0);
	CHECK_INT(mkfifoat(fd, "manifest", 0644), 0);
	check_layout(fd, "aci-manifest");
	fd_remove_tree(AT_FDCWD, dir, &e);
}

/* of this process, from files */
static uint64_t bytes_read(void)
{
	uint64_t n = 0;
	FILE *f = fopen("/proc/self/io", "re");

	CHECK(f && fscanf(f, "rchar: %" SCNu64, &n) == 1);
	if (f)
		fclose(f);
	return n;
}

static void read_undigested(struct outcome *o, int fd)
{
	static const struct aci_bounds none = { 0 };
	const struct aci_handler h = { .undigested = true };

	REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
	auto_source struct source *s = source_fd(fd, &o->e);
	o->r = aci_read(s, &none, ACI_ALL, &h, &o->res, &o->f, &o->e);
}

TEST(undigested, "aci: without a digest, content is not read, and what is wrong is found all the same")
{
	static const uint8_t zero[HASH_SHA512_LEN];
	const uint64_t size = 40 << 20;
	struct buf b = { 0 }, end = { 0 };
	auto_close int fd = memfd_create("aci", MFD_CLOEXEC);

	begin(&b);
	kit_header(&b, "rootfs/large", '0', NULL, size - 3);
	kit_file(&end, "rootfs/small", "x");
	kit_end(&end);
	const off_t total = (off_t)(b.len + size + end.len);
	REQUIRE(fd_write_all(fd, b.data, b.len) == 0 && lseek(fd, (off_t)size, SEEK_CUR) > 0);
	REQUIRE(fd_write_all(fd, end.data, end.len) == 0);

	struct outcome o = { 0 };
	uint64_t before = bytes_read();
	read_undigested(&o, fd);
	CHECK(bytes_read() - before < 1 << 20);
	CHECK_INT(o.r, 0);
	CHECK_INT(o.f.n, 0);
	CHECK_INT(o.res.tar_bytes, total);
	CHECK_INT(o.res.in_bytes, total);
	CHECK_INT(o.res.n_entries, 4);
	CHECK(!memcmp(o.res.digest, zero, sizeof(zero)));
	outcome_free(&o);

	/* cut off within the content, at its end, before the end of the archive; and something behind that */
	const off_t lengths[] = { (off_t)b.len + 5, total - (off_t)end.len, total - 1, total - 1024, total + 512 };
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		o = (struct outcome){ 0 };
		REQUIRE(ftruncate(fd, lengths[i]) == 0);
		if (lengths[i] > total)
			REQUIRE(pwrite(fd, "x", 1, total) == 1);
		read_undigested(&o, fd);
		CHECK_INT(o.r, -1);
		CHECK(finding_of(&o.f, "aci-tar"));
		outcome_free(&o);
		REQUIRE(ftruncate(fd, total) == 0 && pwrite(fd, end.data, end.len, total - (off_t)end.len) == (ssize_t)end.len);
	}
	buf_free(&b);
	buf_free(&end);
}

UNIT_MAIN(good, undigested, late_manifest, toplevel, manifest_rules, duplicates, parents, hard_links, owners, warnings,
	  all_findings, streams, handlers, bounds, only_manifest, rules, layouts)
