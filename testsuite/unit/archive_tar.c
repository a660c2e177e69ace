/* SPDX-License-Identifier: Apache-2.0
 * archive_tar - unit tests of core/archive/tar.h: names, numbers, types, links, and where an archive ends
 *
 * usage: archive_tar [CASE...], or archive_tar --list FILE (see archive_list.h)
 */
#include "testsuite/unit/archive_tar_kit.h"

#include "core/archive/tar_parts.h"
#include "testsuite/unit/archive_list.h"

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

TEST(owners, "tar: owners from 0 to 2^32-1, times before 1970")
{
	struct buf b = { 0 };

	with_field(&b, H_UID, "\x80\0\0\0\xff\xff\xff\xfe", 8);
	{
		FIRST(b);
		CHECK_INT(en->uid, 4294967294);
		FIRST_END(b);
	}
	with_field(&b, H_UID, "\x80\0\0\0\xff\xff\xff\xff", 8); /* nobody: who may be that is for others to say */
	{
		FIRST(b);
		CHECK_INT(en->uid, 4294967295);
		FIRST_END(b);
	}
	with_field(&b, H_UID, "\x80\0\0\1\0\0\0\0", 8);
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
	kit_pax(&b, 'x', "uid", "4294967296", NULL);
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
	times, no_data_on_links, links, devices, types, checksum, endings, truncation, skipping) };

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--list"))
		return list_file(argv[2]);
	return unit_run(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
