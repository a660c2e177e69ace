/* SPDX-License-Identifier: Apache-2.0
 * archive_tar_pax - unit tests of core/archive/tar.h: extended headers, and what comes with them: attributes, ACLs
 */
#include "testsuite/unit/archive_tar_kit.h"

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

UNIT_MAIN(pax_records, pax_order, globals, bounds, xattrs, acls, acl_twice, bad_acls)
