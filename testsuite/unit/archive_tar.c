/* SPDX-License-Identifier: Apache-2.0
 * archive_tar - unit tests of core/archive/tar.h
 *
 * usage: archive_tar [CASE...], or archive_tar --list FILE (see archive_list.h)
 */
#include "testsuite/unit/unit.h"

#include "core/archive/tar_parts.h"
#include "testsuite/unit/archive_kit.h"
#include "testsuite/unit/archive_list.h"

/* reads all of it: the number of entries, or -1 and *e; the first entry's path, size ... go to *first */
static int read_all(const struct buf *b, size_t piece, struct err *e)
{
	auto_source struct source *s = kit_source(b->data, b->len, piece);
	struct tar *t = tar_open(s, e);
	const struct tar_entry *en;
	int n = 0, r;

	e->msg[0] = 0;
	while ((r = tar_next(t, &en, e)) > 0)
		n++;
	if (r < 0) { /* and it stays that way */
		struct err again;
		CHECK(tar_next(t, &en, &again) < 0);
		CHECK_STR(again.msg, e->msg);
	} else {
		CHECK_INT(tar_offset(t), b->len);
	}
	tar_free(t);
	return r < 0 ? -1 : n;
}

/* the whole must be refused, with these words; frees @b */
static void refused(struct buf *b, const char *words)
{
	struct err e;

	CHECK_INT(read_all(b, 700, &e), -1);
	CHECK_HAS(e.msg, words);
	CHECK_HAS(e.msg, "at byte ");
	buf_free(b);
}

static void refused_ended(struct buf *b, const char *words)
{
	kit_end(b);
	refused(b, words);
}

/* the first entry of an archive that is fine to its end; what it points to lives as long as *t */
static const struct tar_entry *open_first(struct buf *b, struct source **s, struct tar **t)
{
	const struct tar_entry *en = NULL;
	struct err e;

	kit_end(b);
	*s = kit_source(b->data, b->len, 1000);
	*t = tar_open(*s, &e);
	if (!unit_check(tar_next(*t, &en, &e) == 1, __FILE__, __LINE__, "an entry")) {
		printf("# %s\n", e.msg);
		exit(1);
	}
	return en;
}

static void close_first(struct buf *b, struct source *s, struct tar *t)
{
	const struct tar_entry *en;
	struct err e;

	CHECK_INT(tar_next(t, &en, &e), 0);
	tar_free(t);
	s->close(s);
	buf_free(b);
}

#define FIRST(b) \
	struct source *s_; \
	struct tar *t_; \
	const struct tar_entry *en = open_first(&(b), &s_, &t_)
#define FIRST_END(b) close_first(&(b), s_, t_)

TEST(any_pieces, "tar: reads the same whatever pieces the source has")
{
	static const size_t pieces[] = { 1, 3, 511, 512, 513, 1000, 1 << 20 };
	struct buf b = { 0 };
	struct err e;

	kit_header(&b, "d/", '5', NULL, 0);
	kit_pax(&b, 'x', "path", "d/long", NULL);
	kit_file(&b, "short", "some text");
	kit_long(&b, 'L', "d/a name that came from an L entry");
	kit_file(&b, "x", "");
	kit_header(&b, "d/l", '2', "long", 0);
	kit_end(&b);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		CHECK_INT(read_all(&b, pieces[i], &e), 4);
		auto_source struct source *s = kit_source(b.data, b.len, pieces[i]);
		struct tar *t = tar_open(s, &e);
		const struct tar_entry *en;
		char text[32] = "";
		const uint8_t *p;
		size_t len, n = 0;
		CHECK(tar_next(t, &en, &e) == 1 && en->type == TAR_DIR && !strcmp(en->path, "d"));
		CHECK(tar_next(t, &en, &e) == 1 && !strcmp(en->path, "d/long") && en->size == 9);
		CHECK_INT(en->header_offset, 512);
		CHECK_INT(en->data_offset, 2048);
		for (; tar_data(t, &p, &len, &e) == 1; n += len)
			memcpy(text + n, p, len);
		CHECK_STR(text, "some text");
		CHECK(tar_next(t, &en, &e) == 1 && !strcmp(en->path, "d/a name that came from an L entry"));
		CHECK(tar_next(t, &en, &e) == 1 && en->type == TAR_SYMLINK && !strcmp(en->link, "long"));
		tar_free(t);
	}
	buf_free(&b);
}

TEST(paths, "tar: paths are normalised, or refused when two readers could differ")
{
	static const struct {
		const char *in, *out, *error;
		char type;
	} v[] = {
		{ "a", "a", NULL, '0' }, { "./a", "a", NULL, '0' }, { "././a/./b", "a/b", NULL, '0' },
		{ "d/", "d", NULL, '5' }, { "d", "d", NULL, '5' }, { "./", "", NULL, '5' }, { ".", "", NULL, '5' },
		{ "...", "...", NULL, '0' }, { "a/..b", "a/..b", NULL, '0' },
		{ "/etc/passwd", NULL, "absolute path", '0' }, { "..", NULL, "\"..\"", '5' },
		{ "a/../b", NULL, "\"..\"", '0' }, { "a/..", NULL, "\"..\"", '5' }, { "../a", NULL, "\"..\"", '0' },
		{ "./../a", NULL, "\"..\"", '0' }, { "a//b", NULL, "empty component", '0' },
		{ "d//", NULL, "empty component", '5' }, { "f/", NULL, "trailing slash", '0' },
		{ "f/", NULL, "trailing slash", '2' }, { ".", NULL, "trailing slash", '0' },
		{ "", NULL, "empty path", '0' },
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct buf b = { 0 };
		kit_header(&b, v[i].in, v[i].type, v[i].type == '2' ? "x" : NULL, 0);
		if (v[i].error) {
			refused_ended(&b, v[i].error);
			continue;
		}
		FIRST(b);
		CHECK_STR(en->path, v[i].out);
		FIRST_END(b);
	}
}

TEST(long_paths, "tar: names of 255 and paths of 4095 bytes, no more")
{
	char name[300], path[5000] = "";
	struct buf b = { 0 };

	memset(name, 'n', sizeof(name));
	name[256] = 0;
	kit_pax(&b, 'x', "path", name, NULL);
	kit_file(&b, "x", "");
	refused_ended(&b, "too long");
	name[255] = 0;
	for (int i = 0; i < 16; i++) {
		strcat(path, name);
		strcat(path, "/");
	}
	path[4095] = 0; /* 16 * 256 - 1: without the slash */
	kit_pax(&b, 'x', "path", path, NULL);
	kit_file(&b, "x", "");
	{
		FIRST(b);
		CHECK_STR(en->path, path);
		FIRST_END(b);
	}
	kit_long(&b, 'L', path);
	kit_file(&b, "x", "");
	{
		FIRST(b);
		CHECK_STR(en->path, path);
		FIRST_END(b);
	}
	path[4095] = '/';
	path[4096] = 'a';
	path[4097] = 0;
	kit_pax(&b, 'x', "path", path, NULL);
	kit_file(&b, "x", "");
	refused_ended(&b, "too long");
}

TEST(prefix, "tar: the prefix counts in ustar headers only")
{
	struct buf b = { 0 };
	size_t at = kit_file(&b, "name", "");

	strcpy(b.data + at + H_PREFIX, "some/dir");
	kit_sum(&b, at);
	{
		FIRST(b);
		CHECK_STR(en->path, "some/dir/name");
		FIRST_END(b);
	}
	at = kit_file(&b, "name", "");
	strcpy(b.data + at + H_PREFIX, "some/dir");
	memcpy(b.data + at + H_MAGIC, "ustar  ", 8);
	kit_sum(&b, at);
	{
		FIRST(b);
		CHECK_STR(en->path, "name");
		FIRST_END(b);
	}
	at = kit_file(&b, "name", "");
	memcpy(b.data + at + H_MAGIC, "tarred..", 8);
	kit_sum(&b, at);
	refused_ended(&b, "unknown kind of tar");
}

TEST(old_dirs, "tar: in V7 archives a trailing slash makes a directory")
{
	struct buf b = { 0 };
	size_t at = kit_header(&b, "dir/", 0, NULL, 0);

	memset(b.data + at + H_MAGIC, 0, 8);
	kit_sum(&b, at);
	FIRST(b);
	CHECK_INT(en->type, TAR_DIR);
	CHECK_STR(en->path, "dir");
	FIRST_END(b);
}

TEST(numbers, "tar: octal and base-256 fields, and what is neither")
{
	static const struct {
		const char *field;
		bool        good;
		int64_t     value;
	} v[] = {
		{ "0000017\0", true, 15 }, { "     17\0", true, 15 }, { "17      ", true, 15 }, { "17 \0    ", true, 15 },
		{ "00000017", true, 15 }, { "77777777", true, 077777777 }, { "0       ", true, 0 },
		{ "\x80\0\0\0\0\0\1\0", true, 256 }, { "\xff\xff\xff\xff\xff\xff\xff\xff", true, -1 },
		{ "\xff\xff\xff\xff\xff\xff\xfe\xff", true, -257 }, { "\x80\0\0\0\0\0\0\0", true, 0 },
		{ "\xc0\0\0\0\0\0\0\0", true, -0x4000000000000000 }, { "\xbf\xff\xff\xff\xff\xff\xff\xff", true, 0x3fffffffffffffff },
		{ "00000089", false, 0 }, { "-0000001", false, 0 }, { "0x17\0\0\0\0", false, 0 }, { "17\0 17\0\0", false, 0 },
		{ "1 7\0\0\0\0\0", false, 0 }, { "\0\0\0\0\0\0\0\0", false, 0 }, { "        ", false, 0 },
	};
	int64_t out = 0;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		bool good = tar_number((const uint8_t *)v[i].field, 8, true, &out);
		CHECK_INT(good, v[i].good);
		if (good && v[i].good)
			CHECK_INT(out, v[i].value);
	}
	/* more bits than 63 */
	CHECK(!tar_number((const uint8_t *)"\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, true, &out));
	CHECK(tar_number((const uint8_t *)"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, true, &out));
	CHECK_INT(out, INT64_MAX);
	CHECK(tar_number((const uint8_t *)"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12, true, &out));
	CHECK_INT(out, INT64_MIN);
	CHECK(!tar_number((const uint8_t *)"\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0", 12, true, &out));
	CHECK(tar_number((const uint8_t *)"\0\0\0\0", 4, false, &out) && out == 0);
}

static void with_field(struct buf *b, size_t field, const char *value, size_t len)
{
	size_t at = kit_file(b, "f", "");

	memcpy(b->data + at + field, value, len);
	kit_sum(b, at);
}

TEST(owners, "tar: owners from 0 to 2^32-2, times before 1970")
{
	struct buf b = { 0 };

	with_field(&b, H_UID, "\x80\0\0\0\xff\xff\xff\xfe", 8);
	{
		FIRST(b);
		CHECK_INT(en->uid, 4294967294);
		FIRST_END(b);
	}
	with_field(&b, H_UID, "\x80\0\0\0\xff\xff\xff\xff", 8);
	refused_ended(&b, "bad uid");
	with_field(&b, H_GID, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	refused_ended(&b, "bad gid");
	with_field(&b, H_MODE, "\x80\0\0\0\0\1\0\0\0", 8);
	refused_ended(&b, "bad mode");
	with_field(&b, H_MTIME, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12);
	{
		FIRST(b);
		CHECK_INT(en->mtime_s, -2);
		FIRST_END(b);
	}
	kit_pax(&b, 'x', "uid", "4294967295", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "bad value of uid");
	kit_pax(&b, 'x', "uid", "-1", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "bad value of uid");
}

TEST(times, "tar: pax times with fractions, also before 1970")
{
	static const struct {
		const char *in;
		int64_t     s;
		uint32_t    ns;
		bool        good;
	} v[] = {
		{ "0", 0, 0, true }, { "12.5", 12, 500000000, true }, { "12.", 12, 0, true }, { "-1", -1, 0, true },
		{ "-1.25", -2, 750000000, true }, { "-0.1", -1, 900000000, true }, { "1.0000000019", 1, 1, true },
		{ "16725225600.123456789", 16725225600, 123456789, true }, { "", 0, 0, false }, { "x", 0, 0, false },
		{ "1.x", 0, 0, false }, { "1.2.3", 0, 0, false }, { "--1", 0, 0, false }, { "+1", 0, 0, false },
		{ "99999999999999999999", 0, 0, false }, { "1e3", 0, 0, false }, { " 1", 0, 0, false }, { ".5", 0, 0, false },
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct buf b = { 0 };
		kit_pax(&b, 'x', "mtime", v[i].in, NULL);
		kit_file(&b, "f", "");
		if (!v[i].good) {
			refused_ended(&b, "mtime");
			continue;
		}
		FIRST(b);
		CHECK_INT(en->mtime_s, v[i].s);
		CHECK_INT(en->mtime_ns, v[i].ns);
		FIRST_END(b);
	}
}

TEST(no_data_on_links, "tar: only files have data")
{
	static const char types[] = "123456";

	for (const char *t = types; *t; t++) {
		struct buf b = { 0 };
		kit_header(&b, "l", *t, *t < '3' ? "f" : NULL, 5);
		kit_data(&b, "12345", 5);
		refused_ended(&b, "data behind");
	}
	struct buf b = { 0 };
	kit_pax(&b, 'x', "size", "5", NULL); /* the same by way of an extended header */
	kit_header(&b, "l", '1', "f", 0);
	kit_data(&b, "12345", 5);
	refused_ended(&b, "data behind");
}

TEST(links, "tar: targets of links")
{
	struct buf b = { 0 };

	kit_header(&b, "l", '1', "./a/./b", 0);
	{
		FIRST(b);
		CHECK_STR(en->link, "a/b");
		FIRST_END(b);
	}
	kit_header(&b, "l", '2', "../../x//y/", 0);
	{
		FIRST(b);
		CHECK_STR(en->link, "../../x//y/");
		FIRST_END(b);
	}
	kit_header(&b, "l", '1', "/etc/shadow", 0);
	refused_ended(&b, "absolute link target");
	kit_header(&b, "l", '1', "a/../../b", 0);
	refused_ended(&b, "\"..\" in link target");
	kit_header(&b, "l", '1', "d/", 0);
	refused_ended(&b, "hard link to a directory");
	kit_header(&b, "l", '1', "", 0);
	refused_ended(&b, "empty link target");
	kit_header(&b, "l", '2', "", 0);
	refused_ended(&b, "empty target");
	kit_pax(&b, 'x', "linkpath", "a", NULL);
	kit_long(&b, 'K', "b");
	kit_header(&b, "l", '2', "c", 0);
	refused_ended(&b, "two link targets");
	kit_pax(&b, 'x', "linkpath", "a", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "which is no link");
	kit_long(&b, 'K', "long");
	kit_header(&b, "l", '2', "c", 0);
	FIRST(b);
	CHECK_STR(en->link, "long");
	FIRST_END(b);
}

TEST(devices, "tar: device numbers as wide as Linux has them")
{
	struct buf b = { 0 };
	size_t at = kit_header(&b, "dev", '3', NULL, 0);

	memcpy(b.data + at + H_MAJOR, "0007777", 8);
	memcpy(b.data + at + H_MINOR, "3777777", 8);
	kit_sum(&b, at);
	{
		FIRST(b);
		CHECK(en->type == TAR_CHAR && en->rdev_major == 0xfff && en->rdev_minor == 0xfffff);
		FIRST_END(b);
	}
	at = kit_header(&b, "dev", '4', NULL, 0);
	memcpy(b.data + at + H_MAJOR, "0010000", 8);
	memcpy(b.data + at + H_MINOR, "0000001", 8);
	kit_sum(&b, at);
	refused_ended(&b, "bad device number");
	kit_pax(&b, 'x', "SCHILY.devmajor", "8", "SCHILY.devminor", "1048576", NULL);
	kit_header(&b, "dev", '4', NULL, 0);
	refused_ended(&b, "bad device number");
}

TEST(types, "tar: what is not known is refused by name")
{
	static const struct {
		char        type;
		const char *error;
	} v[] = {
		{ 'V', "unsupported type 'V'" }, { 'M', "'M'" }, { 'N', "'N'" }, { 'D', "'D'" }, { 'A', "'A'" },
		{ 1, "0x01" }, { '\xff', "0xff" }, { ' ', "0x20" }, { 'S', "'S'" }, /* ustar magic: star's, not GNU's */
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct buf b = { 0 };
		kit_header(&b, "f", v[i].type, NULL, 0);
		refused_ended(&b, v[i].error);
	}
	struct buf b = { 0 };
	kit_header(&b, "f", '7', NULL, 0);
	FIRST(b);
	CHECK_INT(en->type, TAR_FILE);
	FIRST_END(b);
}

TEST(checksum, "tar: a wrong checksum is an error")
{
	struct buf b = { 0 };
	struct err e;

	kit_file(&b, "f", "text");
	kit_end(&b);
	for (size_t i = 0; i < 512; i++)
		for (int bit = 0; bit < 8; bit++) {
			b.data[i] ^= (char)(1 << bit);
			bool in_sum = i >= H_SUM && i < H_SUM + 8;
			if (read_all(&b, 4096, &e) >= 0 && !in_sum)
				CHECK(!"a flipped bit went unnoticed");
			b.data[i] ^= (char)(1 << bit);
		}
	buf_free(&b);
}

TEST(endings, "tar: the end is zeros, and only zeros to the very end")
{
	static const char zeros[10240];
	struct buf b = { 0 };
	struct err e;

	kit_file(&b, "f", "text");
	refused(&b, "no end-of-archive marker");
	kit_file(&b, "f", "text");
	buf_add(&b, zeros, 512); /* one block, as some writers leave it */
	CHECK_INT(read_all(&b, 700, &e), 1);
	buf_add(&b, zeros, 10240); /* any number of blocks */
	CHECK_INT(read_all(&b, 700, &e), 1);
	buf_add(&b, zeros, 100); /* but no piece of one */
	CHECK_INT(read_all(&b, 700, &e), -1);
	CHECK_HAS(e.msg, "truncated at byte 11876");
	buf_add(&b, "x", 1);
	CHECK_INT(read_all(&b, 700, &e), -1);
	CHECK_HAS(e.msg, "at byte 11876: data after the end");
	buf_free(&b);
	kit_file(&b, "f", "text");
	kit_end(&b);
	kit_file(&b, "g", "a second archive behind the first");
	refused_ended(&b, "data after the end");
	kit_file(&b, "f", "text");
	buf_add(&b, zeros, 100);
	refused(&b, "truncated");
	refused(&b, "truncated at byte 0");
	kit_end(&b);
	CHECK_INT(read_all(&b, 700, &e), 0);
	buf_free(&b);
}

TEST(truncation, "tar: cut off anywhere before its end it is an error")
{
	struct buf b = { 0 };
	struct err e;

	kit_pax(&b, 'x', "mtime", "1.5", NULL);
	kit_file(&b, "f", "text");
	kit_long(&b, 'L', "name");
	kit_file(&b, "g", "more text");
	size_t end = b.len;
	kit_end(&b);
	for (size_t n = 0; n < b.len; n++) {
		if (n == end + 512)
			continue; /* one block of zeros is an end */
		struct buf cut = { .data = b.data, .len = n };
		CHECK_INT(read_all(&cut, 300, &e), -1);
		CHECK_HAS(e.msg, "truncated at byte ");
	}
	buf_free(&b);
}

TEST(pax_records, "tar: malformed extended headers")
{
	static const struct {
		const char *text, *error;
	} v[] = {
		{ "8 a=b\n", "malformed record" }, { "5 a=b\n", "malformed record" }, { "6 a=b", "malformed record" },
		{ "06 a=b\n", "malformed record" }, { "6a=b\n", "malformed record" }, { "6 ab\n\n", "malformed record" },
		{ "5 =b\n", "malformed record" }, { "99999999999 a=b\n", "malformed record" }, { "-6 a=b\n", "malformed record" },
		{ "6 a=b\n6 a=c\n", "a stands twice" }, { "10 path=a\n10 path=a\n", "path stands twice" },
		{ "8 path=\n", "bad value" }, { "9 size=x\n", "bad value of size" }, { "9 size=-\n", "bad value of size" },
 { "28 size=9223372036854775808\n", "bad value of size" },
		{ "20 hdrcharset=LATIN\n", "bad value of hdrcharset" },
		{ "22 SCHILY.xattr.user.\n", "malformed record" },
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct buf b = { 0 };
		kit_raw_pax(&b, v[i].text, strlen(v[i].text));
		kit_file(&b, "f", "");
		refused_ended(&b, v[i].error);
	}
	struct buf b = { 0 }, r = { 0 };
	kit_record(&r, "path", "a\0b", 3);
	kit_raw_pax(&b, r.data, r.len);
	kit_file(&b, "f", "");
	refused_ended(&b, "NUL in the value of path");
	kit_pax(&b, 'x', "SCHILY.xattr.", "x", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "malformed name");
	kit_pax(&b, 'x', "SCHILY.xattr.user.a%00b", "x", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "malformed name");
	kit_pax(&b, 'x', "SCHILY.xattr.user.a", "x", "SCHILY.xattr.user.%61", "y", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "stands twice");
	buf_free(&r);
}

TEST(pax_order, "tar: what belongs to an entry stands before it, once")
{
	struct buf b = { 0 };

	kit_pax(&b, 'x', "mtime", "1", NULL);
	kit_pax(&b, 'x', "uid", "1", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "two extended headers");
	kit_pax(&b, 'x', "mtime", "1", NULL);
	refused_ended(&b, "without an entry");
	kit_long(&b, 'L', "a");
	refused_ended(&b, "without an entry");
	kit_long(&b, 'L', "a");
	kit_long(&b, 'L', "b");
	kit_file(&b, "f", "");
	refused_ended(&b, "two long names");
	kit_pax(&b, 'x', "path", "a", NULL);
	kit_long(&b, 'L', "b");
	kit_file(&b, "f", "");
	refused_ended(&b, "two names");
	kit_pax(&b, 'x', "uid", "1", NULL);
	kit_pax(&b, 'g', "gid", "1", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "global header between");
	kit_header(&b, "x", 'L', NULL, 8);
	kit_data(&b, "a\0b\0\0\0\0\0", 8);
	kit_file(&b, "f", "");
	refused_ended(&b, "malformed long name");
	kit_header(&b, "x", 'L', NULL, 5000);
	refused_ended(&b, "long name of 5000 bytes");
}

TEST(globals, "tar: global headers hold until another says otherwise")
{
	struct buf b = { 0 };
	const struct tar_entry *en;
	struct err e;

	kit_pax(&b, 'g', "comment", "5f1c...", "uid", "7", "mtime", "5.5", NULL);
	kit_file(&b, "a", "");
	kit_pax(&b, 'g', "gid", "9", "mtime", "6", NULL);
	kit_pax(&b, 'x', "uid", "8", NULL);
	kit_file(&b, "b", "");
	kit_file(&b, "c", "");
	kit_end(&b);
	auto_source struct source *s = kit_source(b.data, b.len, 512);
	struct tar *t = tar_open(s, &e);
	CHECK(tar_next(t, &en, &e) == 1 && en->uid == 7 && en->gid == 0 && en->mtime_s == 5 && en->mtime_ns == 500000000);
	CHECK_INT(en->header_offset, 1024);
	CHECK(tar_next(t, &en, &e) == 1 && en->uid == 8 && en->gid == 9 && en->mtime_s == 6 && en->mtime_ns == 0);
	CHECK(tar_next(t, &en, &e) == 1 && en->uid == 7 && en->gid == 9);
	tar_free(t);
	buf_free(&b);
	static const char *const only_one[] = { "path", "linkpath", "size", "SCHILY.xattr.user.a", "SCHILY.acl.access",
						"GNU.sparse.major" };
	for (size_t i = 0; i < sizeof(only_one) / sizeof(*only_one); i++) {
		kit_pax(&b, 'g', only_one[i], "1", NULL);
		kit_file(&b, "f", "");
		refused_ended(&b, "in a global header");
	}
}

TEST(bounds, "tar: what an archive can make us keep is bounded")
{
	struct buf b = { 0 }, big = { 0 }, r = { 0 };
	char key[64];

	kit_header(&b, "x", 'x', NULL, TAR_PAX_MAX + 1);
	refused_ended(&b, "extended header of 1048577 bytes");
	for (int i = 0; i < 65537; i++)
		buf_add(&big, "v", 1);
	kit_record(&r, "SCHILY.xattr.user.big", big.data, big.len);
	kit_raw_pax(&b, r.data, r.len);
	kit_file(&b, "f", "");
	refused_ended(&b, "extended attribute of 65537 bytes");
	buf_free(&r);
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "SCHILY.xattr.user.%08d", i);
		kit_record(&r, key, "", 0);
	}
	kit_raw_pax(&b, r.data, r.len);
	kit_file(&b, "f", "");
	refused_ended(&b, "too many extended attributes");
	buf_free(&r);
	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		kit_record(&r, key, "", 0);
	}
	kit_raw_pax(&b, r.data, r.len);
	kit_file(&b, "f", "");
	refused_ended(&b, "more than 16384 records");
	buf_free(&r);
	kit_pax(&b, 'x', "size", "9223372036854775807", NULL);
	kit_file(&b, "f", "");
	refused_ended(&b, "beyond all bounds");
	buf_free(&big);
}

TEST(xattrs, "tar: extended attributes with any bytes, in order")
{
	struct buf b = { 0 }, r = { 0 };

	kit_record(&r, "SCHILY.xattr.user.nul", "\0\n=", 3);
	kit_record(&r, "SCHILY.xattr.user.e%3Dq%25%zz", "v", 1);
	kit_record(&r, "SCHILY.xattr.security.capability", "", 0);
	kit_record(&r, "LIBARCHIVE.xattr.user.nul", "AAo9", 4);
	kit_raw_pax(&b, r.data, r.len);
	kit_file(&b, "f", "");
	buf_free(&r);
	FIRST(b);
	REQUIRE(en->n_xattrs == 3);
	CHECK_STR(en->xattrs[0].name, "user.nul");
	CHECK(en->xattrs[0].len == 3 && !memcmp(en->xattrs[0].value, "\0\n=", 3));
	CHECK_STR(en->xattrs[1].name, "user.e=q%%zz");
	CHECK_STR(en->xattrs[2].name, "security.capability");
	CHECK_INT(en->xattrs[2].len, 0);
	FIRST_END(b);
}

static size_t entry_with_acl(struct buf *b, const char *which, const char *text, char type, const char *mode)
{
	kit_pax(b, 'x', which, text, NULL);
	size_t at = kit_header(b, "f", type, type == '2' ? "x" : NULL, 0);
	memcpy(b->data + at + H_MODE, mode, 7);
	kit_sum(b, at);
	return at;
}

TEST(acls, "tar: ACLs become what the kernel keeps")
{
	static const uint8_t want[] = {
		2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 6, 0, 0xe8, 3, 0, 0, 4, 0, 5, 0, 255, 255, 255, 255,
		8, 0, 4, 0, 0xd0, 7, 0, 0, 16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 1, 0, 255, 255, 255, 255,
	};
	static const char *const same[] = {
		"user::rwx,user:joe:rw-:1000,group::r-x,group:x:r--:2000,mask::rwx,other::--x",
		"other::--x\nmask::rwx\ngroup:2000:r--\ngroup::r-x\nuser:1000:rw-\nuser::rwx\n",
		"u::rwx,u:1000:rw-,g::r-x #effective:r-x\n,g:2000:r,m:rwx,o:x",
	};
	static const char *const modes[] = { "0000771", "0000751" }; /* group: the mask's, and libarchive's */

	for (size_t i = 0; i < sizeof(same) / sizeof(*same) * 2; i++) {
		struct buf b = { 0 };
		entry_with_acl(&b, "SCHILY.acl.access", same[i / 2], '0', modes[i % 2]);
		FIRST(b);
		REQUIRE(en->n_xattrs == 1);
		CHECK_STR(en->xattrs[0].name, "system.posix_acl_access");
		CHECK(en->xattrs[0].len == sizeof(want) && !memcmp(en->xattrs[0].value, want, sizeof(want)));
		CHECK_INT(en->mode, 0771);
		FIRST_END(b);
	}
	struct buf b = { 0 };
	entry_with_acl(&b, "SCHILY.acl.access", "user::rw-,group::r--,other::r--", '0', "0000644");
	{
		FIRST(b);
		CHECK_INT(en->n_xattrs, 0); /* only what the mode says */
		FIRST_END(b);
	}
	entry_with_acl(&b, "SCHILY.acl.default", "user::rw-,group::r--,other::r--", '5', "0000755");
	{
		FIRST(b);
		REQUIRE(en->n_xattrs == 1);
		CHECK_STR(en->xattrs[0].name, "system.posix_acl_default");
		FIRST_END(b);
	}
}

TEST(acl_twice, "tar: an ACL in both forms must be one, and may have names in the text")
{
	static const char kernel[] = "\2\0\0\0\1\0\6\0\377\377\377\377\2\0\4\0\1\0\0\0\4\0\4\0\377\377\377\377"
				     "\20\0\4\0\377\377\377\377\40\0\4\0\377\377\377\377";
	static const struct {
		const char *text;
		bool        good;
	} v[] = {
		{ "user::rw-,user:1:r--,group::r--,mask::r--,other::r--", true },
		{ "user::rw-,user:joe:r--,group::r--,mask::r--,other::r--", true },
		{ "user::rw-,user:2:r--,group::r--,mask::r--,other::r--", false },
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct buf b = { 0 }, r = { 0 };
		kit_record(&r, "SCHILY.acl.access", v[i].text, strlen(v[i].text));
		kit_record(&r, "SCHILY.xattr.system.posix_acl_access", kernel, 44);
		kit_raw_pax(&b, r.data, r.len);
		kit_file(&b, "f", "");
		buf_free(&r);
		if (!v[i].good) {
			refused_ended(&b, "two ACLs");
			continue;
		}
		FIRST(b);
		CHECK(en->n_xattrs == 1 && en->xattrs[0].len == 44 && !memcmp(en->xattrs[0].value, kernel, 44));
		FIRST_END(b);
	}
}

TEST(bad_acls, "tar: ACLs that are none are refused")
{
	static const struct {
		const char *which, *text, *error, *mode;
		char        type;
	} v[] = {
		{ "SCHILY.acl.access", "user::rw-,user:joe:r--,group::r--,mask::r--,other::r--", "gives no number", "0000644", '0' },
		{ "SCHILY.acl.access", "user::rw-,user:4294967295:r--,group::r--,mask::r--,other::r--", "gives no number", "0000644", '0' },
		{ "SCHILY.acl.access", "user::rw-,group::r--,other::r--", "the mode 600", "0000600", '0' },
		{ "SCHILY.acl.access", "user::rw-,user:1:r--,group::r--,other::r--", "ACL without", "0000644", '0' },
		{ "SCHILY.acl.access", "user::rw-,group::r--", "ACL without", "0000644", '0' },
		{ "SCHILY.acl.access", "user::rw-,user::r--,group::r--,other::r--", "two entries", "0000644", '0' },
		{ "SCHILY.acl.access", "user::rw-,user:1:r--,user:1:---,group::r--,mask::r--,other::r--", "two entries", "0000644", '0' },
		{ "SCHILY.acl.access", "user::rww,group::r--,other::r--", "malformed ACL", "0000644", '0' },
		{ "SCHILY.acl.access", "user::rwxr,group::r--,other::r--", "malformed ACL", "0000644", '0' },
		{ "SCHILY.acl.access", "world::rw-,group::r--,other::r--", "malformed ACL", "0000644", '0' },
		{ "SCHILY.acl.access", "user:a:b:c:d", "malformed ACL", "0000644", '0' },
		{ "SCHILY.acl.access", "user", "malformed ACL", "0000644", '0' },
		{ "SCHILY.acl.default", "user::rw-,group::r--,other::r--", "cannot have one", "0000644", '0' },
		{ "SCHILY.acl.access", "user::rw-,group::r--,other::r--", "cannot have one", "0000777", '2' },
		{ "SCHILY.xattr.system.posix_acl_access", "\2", "malformed ACL", "0000644", '0' },
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct buf b = { 0 };
		entry_with_acl(&b, v[i].which, v[i].text, v[i].type, v[i].mode);
		refused_ended(&b, v[i].error);
	}
}

/* ---- sparse files: four forms of one map, and of bad ones ---- */

static void sparse_gnu(struct buf *b, const uint64_t *map, size_t n, uint64_t real, uint64_t stored)
{
	size_t at = kit_header(b, "f", 'S', NULL, stored), used = 0;
	char *h = b->data + at;

	memcpy(h + H_MAGIC, "ustar  ", 8);
	for (; used < n && used < 4; used++) {
		kit_octal(h + H_SPARSE + used * 24, 11, map[2 * used]);
		kit_octal(h + H_SPARSE + used * 24 + 12, 11, map[2 * used + 1]);
	}
	h[H_EXTENDED] = used < n;
	kit_octal(h + H_REALSIZE, 11, real);
	kit_sum(b, at);
	while (used < n) {
		char more[512] = { 0 };
		size_t i = 0;
		for (; used < n && i < 21; i++, used++) {
			kit_octal(more + i * 24, 11, map[2 * used]);
			kit_octal(more + i * 24 + 12, 11, map[2 * used + 1]);
		}
		more[504] = used < n;
		buf_add(b, more, 512);
	}
}

static void sparse_pax(struct buf *b, int form, const uint64_t *map, size_t n, uint64_t real, uint64_t stored)
{
	struct buf r = { 0 }, text = { 0 };
	char num[32];

#define ADD(k, v) (snprintf(num, sizeof(num), "%llu", (unsigned long long)(v)), kit_record(&r, k, num, strlen(num)))
	if (form == 10) {
		ADD("GNU.sparse.major", 1);
		ADD("GNU.sparse.minor", 0);
		ADD("GNU.sparse.realsize", real);
		buf_fmt(&text, "%zu\n", n);
		for (size_t i = 0; i < 2 * n; i++)
			buf_fmt(&text, "%llu\n", (unsigned long long)map[i]);
		stored += (text.len + 511) / 512 * 512;
	} else {
		ADD("GNU.sparse.size", real);
		ADD("GNU.sparse.numblocks", n);
	}
	for (size_t i = 0; form == 0 && i < n; i++) {
		ADD("GNU.sparse.offset", map[2 * i]);
		ADD("GNU.sparse.numbytes", map[2 * i + 1]);
	}
	if (form == 1 && n) {
		for (size_t i = 0; i < 2 * n; i++)
			buf_fmt(&text, "%s%llu", i ? "," : "", (unsigned long long)map[i]);
		kit_record(&r, "GNU.sparse.map", text.data, text.len);
	}
	kit_record(&r, "GNU.sparse.name", "f", 1);
	kit_raw_pax(b, r.data, r.len);
	kit_header(b, "GNUSparseFile.1/f", '0', NULL, stored);
	if (form == 10)
		kit_data(b, text.data, text.len);
	buf_free(&r);
	buf_free(&text);
}

static void sparse(struct buf *b, int form, const uint64_t *map, size_t n, uint64_t real, uint64_t stored)
{
	if (form == 99)
		sparse_gnu(b, map, n, real, stored);
	else
		sparse_pax(b, form, map, n, real, stored);
	for (uint64_t i = 0; i < stored; i++)
		buf_add(b, "x", 1);
	while (b->len % 512)
		buf_add(b, "", 1);
}

static const int forms[] = { 99, 0, 1, 10 };
#define N_FORMS (sizeof(forms) / sizeof(*forms))

TEST(sparse_forms, "tar: sparse files in all forms read the same")
{
	static const uint64_t map[] = { 512, 512, 4096, 1024, 100000, 7, 200000, 0 };
	static const uint64_t many_n = 100;
	uint64_t many[200];

	for (uint64_t i = 0; i < many_n; i++) {
		many[2 * i] = i * 2048;
		many[2 * i + 1] = 512;
	}
	for (size_t i = 0; i < N_FORMS; i++) {
		struct buf b = { 0 };
		sparse(&b, forms[i], map, 4, 200000, 1543);
		{
			FIRST(b);
			CHECK_STR(en->path, "f");
			CHECK(en->sparse && en->size == 200000 && en->data_size == 1543);
			REQUIRE(en->n_segments == 3);
			CHECK(en->segments[1].offset == 4096 && en->segments[1].len == 1024 && en->segments[1].at == 512);
			CHECK(en->segments[2].offset == 100000 && en->segments[2].len == 7 && en->segments[2].at == 1536);
			CHECK_INT(b.data[en->data_offset], 'x');
			CHECK_INT(en->data_offset % 512, 0);
			FIRST_END(b);
		}
		sparse(&b, forms[i], many, many_n, 100 * 2048, 100 * 512);
		{
			FIRST(b);
			CHECK_INT(en->n_segments, many_n);
			CHECK_INT(b.data[en->data_offset], 'x');
			CHECK_INT(en->data_size, 100 * 512);
			FIRST_END(b);
		}
		sparse(&b, forms[i], NULL, 0, 5000, 0); /* nothing but a hole */
		{
			FIRST(b);
			CHECK(en->sparse && en->size == 5000 && en->n_segments == 0);
			FIRST_END(b);
		}
	}
}

TEST(sparse_bad, "tar: maps that leave anything open are refused")
{
	static const struct {
		uint64_t    map[6], real, stored;
		size_t      n;
		const char *error;
	} v[] = {
		{ { 0, 512, 256, 512 }, 4096, 1024, 2, "overlap" }, { { 1024, 512, 0, 512 }, 4096, 1024, 2, "backwards" },
		{ { 0, 512, 4096, 512 }, 4096, 1024, 2, "leave the file" }, { { 0, 512 }, 4096, 1024, 1, "1024 are stored" },
		{ { 0, 1024 }, 4096, 512, 1, "512 are stored" }, { { 0, 100, 1024, 512 }, 4096, 612, 2, "begin on a block" },
		{ { INT64_MAX, 512 }, INT64_MAX, 512, 1, "leave the file" }, { { 0, 0, 8192, 0 }, 4096, 0, 2, "leave the file" },
	};
	for (size_t f = 0; f < N_FORMS; f++)
		for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
			struct buf b = { 0 };
			if (forms[f] == 99 && v[i].real == INT64_MAX)
				continue; /* does not fit into octal */
			sparse(&b, forms[f], v[i].map, v[i].n, v[i].real, v[i].stored);
			refused_ended(&b, v[i].error);
		}
}

TEST(sparse_malformed, "tar: malformed sparse headers")
{
	static const struct {
		const char *k[5], *v[5], *error;
	} p[] = {
		{ { "GNU.sparse.major" }, { "1" }, "without its size" },
		{ { "GNU.sparse.major", "GNU.sparse.realsize" }, { "2", "5" }, "unknown sparse format 2.0" },
		{ { "GNU.sparse.map" }, { "0,1" }, "without its size" },
		{ { "GNU.sparse.map", "GNU.sparse.size" }, { "0,", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size" }, { "0,1,", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size" }, { "0 1", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size" }, { "0,99999999999999999999", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.numblocks" }, { "0,0", "5", "2" }, "not the one given" },
		{ { "GNU.sparse.offset", "GNU.sparse.size" }, { "0", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.numbytes", "GNU.sparse.size" }, { "0", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.offset", "GNU.sparse.offset", "GNU.sparse.size" }, { "0", "1", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.major" }, { "0,0", "5", "1" }, "several sparse maps" },
	};
	for (size_t i = 0; i < sizeof(p) / sizeof(*p); i++) {
		struct buf b = { 0 }, r = { 0 };
		for (size_t j = 0; j < 5 && p[i].k[j]; j++)
			kit_record(&r, p[i].k[j], p[i].v[j], strlen(p[i].v[j]));
		kit_raw_pax(&b, r.data, r.len);
		kit_file(&b, "f", "");
		buf_free(&r);
		refused_ended(&b, p[i].error);
	}
	struct buf b = { 0 };
	kit_pax(&b, 'x', "GNU.sparse.map", "0,0", "GNU.sparse.size", "5", NULL);
	kit_header(&b, "d", '5', NULL, 0);
	refused_ended(&b, "misplaced sparse map");
	static const char *const maps[] = { "x\n", "1\n0\n", "1\n0\n-5\n", "1\n0\n512\njunk", "\n", "1\n0\n512", "70000\n" };
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		kit_pax(&b, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "4096", NULL);
		kit_header(&b, "f", '0', NULL, 512);
		kit_data(&b, maps[i], strlen(maps[i]));
		refused_ended(&b, i == 6 ? "segments" : "malformed sparse map");
	}
}

TEST(skipping, "tar: data that nobody asks for is skipped")
{
	struct buf b = { 0 };
	struct err e;
	const struct tar_entry *en;
	const uint8_t *p;
	size_t len;
	char big[3000];

	memset(big, 'd', sizeof(big));
	big[sizeof(big) - 1] = 0;
	kit_file(&b, "a", big);
	kit_file(&b, "b", "bb");
	kit_end(&b);
	auto_source struct source *s = kit_source(b.data, b.len, 700);
	struct tar *t = tar_open(s, &e);
	CHECK(tar_next(t, &en, &e) == 1);
	CHECK(tar_data(t, &p, &len, &e) == 1 && len < 700 && *p == 'd');
	CHECK(tar_next(t, &en, &e) == 1 && !strcmp(en->path, "b"));
	CHECK(tar_data(t, &p, &len, &e) == 1 && len == 2 && *p == 'b');
	CHECK_INT(tar_data(t, &p, &len, &e), 0);
	CHECK_INT(tar_data(t, &p, &len, &e), 0);
	CHECK_INT(tar_next(t, &en, &e), 0);
	CHECK_INT(tar_next(t, &en, &e), 0);
	tar_free(t);
	buf_free(&b);
}

static const struct unit_case *const cases[] = { UNIT_REFS(any_pieces, paths, long_paths, prefix, old_dirs, numbers, owners,
	times, no_data_on_links, links, devices, types, checksum, endings, truncation, pax_records, pax_order, globals,
	bounds, xattrs, acls, acl_twice, bad_acls, sparse_forms, sparse_bad, sparse_malformed, skipping) };

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--list"))
		return list_file(argv[2]);
	return unit_run(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
