/* SPDX-License-Identifier: Apache-2.0
 * conf - configuration files: what they may say, and which one wins
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/conf/conf.h"
#include "testsuite/unit/unit.h"

static const char *bad(const char *kind, const char *text)
{
	static struct err e;
	struct conf c = { 0 };

	e.msg[0] = 0;
	if (conf_parse(kind, text, strlen(text), &c, &e) == 0) {
		conf_free(&c);
		return "accepted";
	}
	if (c.data_dir || c.stage1_images_dir || c.stage1_name || c.stage1_version || c.stage1_location)
		return "left something behind";
	return e.msg;
}

TEST(parses, "conf: reads paths and stage1")
{
	struct conf c = { 0 };
	struct err e;
	static const char paths[] = "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\",\"data\":\"/d\",\"stage1-images\":\"/s\"}";
	static const char stage1[] = "{\"rktKind\":\"stage1\",\"rktVersion\":\"v1\",\"name\":\"example.com/s1\","
				     "\"version\":\"1\",\"location\":\"https://example.com/s1.aci\",\"later\":1}";

	CHECK(conf_parse("paths", paths, strlen(paths), &c, &e) == 0);
	CHECK(conf_parse("stage1", stage1, strlen(stage1), &c, &e) == 0);
	CHECK_STR(c.data_dir, "/d");
	CHECK_STR(c.stage1_images_dir, "/s");
	CHECK_STR(c.stage1_name, "example.com/s1");
	CHECK_STR(c.stage1_version, "1");
	CHECK_STR(c.stage1_location, "https://example.com/s1.aci");
	/* what is set is not set again, and the rest of a bad file is not taken */
	CHECK(conf_parse("paths", paths, strlen(paths), &c, &e) < 0);
	CHECK_HAS(e.msg, "\"data\"");
	CHECK_STR(c.data_dir, "/d");
	conf_free(&c);
}

TEST(reads_store, "conf: reads store")
{
	struct conf c = { 0 };
	struct err e;
	static const char text[] = "{\"rktKind\":\"store\",\"rktVersion\":\"v1\",\"verify\":\"always\","
				   "\"max-size\":\"1.5Gi\"}";

	CHECK(conf_parse("store", text, strlen(text), &c, &e) == 0);
	CHECK_STR(c.verify, "always");
	CHECK_STR(c.max_size, "1.5Gi");
	conf_free(&c);
	CHECK_HAS(bad("store", "{\"rktKind\":\"store\",\"rktVersion\":\"v1\",\"verify\":\"Always\"}"), "\"verify\"");
	CHECK_HAS(bad("store", "{\"rktKind\":\"store\",\"rktVersion\":\"v1\",\"max-size\":\"much\"}"), "\"max-size\"");
}

TEST(refuses, "conf: says which field is wrong and why")
{
	CHECK_HAS(bad("paths", "{\"rktVersion\":\"v1\"}"), "rktKind");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"paths\"}"), "rktVersion");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"paths\",\"rktVersion\":\"v2\"}"), "\"v2\"");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"stage1\",\"rktVersion\":\"v1\"}"), "\"stage1\"");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"nope\",\"rktVersion\":\"v1\"}"), "\"nope\"");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\",\"data\":\"d\"}"), "absolute");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\",\"data\":7}"), "\"data\"");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\",\"data\":\"/a\",\"data\":\"/b\"}"), "data");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\",\"data\":\"/a\",\"stage1-images\":\"b\"}"),
		  "stage1-images");
	CHECK_HAS(bad("paths", "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\"} x"), "byte");
	CHECK_HAS(bad("paths", ""), "byte");
	CHECK_HAS(bad("paths", "[]"), "object");
	CHECK_HAS(bad("stage1", "{\"rktKind\":\"stage1\",\"rktVersion\":\"v1\",\"name\":\"a\"}"), "\"version\"");
	CHECK_HAS(bad("stage1", "{\"rktKind\":\"stage1\",\"rktVersion\":\"v1\",\"version\":\"1\"}"), "\"name\"");
	CHECK_HAS(bad("stage1", "{\"rktKind\":\"stage1\",\"rktVersion\":\"v1\",\"location\":\"s1.aci\"}"), "\"location\"");
	CHECK_HAS(bad("stage1", "{\"rktKind\":\"stage1\",\"rktVersion\":\"v1\",\"location\":\"ftp://x\"}"), "\"location\"");
}

static void place(const char *dir, const char *path, const char *text)
{
	struct err e;
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", dir, path);
	char *slash = strrchr(whole, '/');
	*slash = 0;
	fd_mkdirs(AT_FDCWD, whole, 0700, &e);
	*slash = '/';
	if (fd_publish(AT_FDCWD, whole, text, strlen(text), 0600, false, &e) < 0)
		printf("# %s\n", e.msg);
}

#define PATHS(data) "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\",\"data\":\"" data "\"}"

TEST(overrides, "conf: user over local over system, field by field")
{
	const char *tmp = getenv("TMPDIR");
	char dir[256], sys[300], local[300], user[300];
	struct conf c;
	struct err e = { .code = 0 };

	snprintf(dir, sizeof(dir), "%s/rktbox-unit.XXXXXX", tmp ? tmp : "/tmp");
	REQUIRE(mkdtemp(dir));
	snprintf(sys, sizeof(sys), "%s/sys", dir);
	snprintf(local, sizeof(local), "%s/local", dir);
	snprintf(user, sizeof(user), "%s/user", dir);
	struct conf_opts o = { .system_dir = sys, .local_dir = local, .user_dir = user };
	CHECK(conf_read(&o, &c, &e) == 0 && !c.data_dir);
	place(sys, "paths.d/a.json", "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\",\"data\":\"/s\",\"stage1-images\":\"/i\"}");
	place(sys, "paths.d/README", "not JSON");
	CHECK(conf_read(&o, &c, &e) == 0);
	CHECK_STR(c.data_dir, "/s");
	conf_free(&c);
	place(local, "paths.d/z.json", PATHS("/l"));
	CHECK(conf_read(&o, &c, &e) == 0);
	CHECK_STR(c.data_dir, "/l");
	CHECK_STR(c.stage1_images_dir, "/i");
	conf_free(&c);
	place(user, "paths.d/a.json", PATHS("/u"));
	CHECK(conf_read(&o, &c, &e) == 0);
	CHECK_STR(c.data_dir, "/u");
	conf_free(&c);
	place(local, "paths.d/y.json", PATHS("/l2"));
	CHECK(conf_read(&o, &c, &e) < 0);
	CHECK_HAS(e.msg, "local/paths.d/z.json");
	CHECK_HAS(e.msg, "\"data\"");
	place(local, "paths.d/y.json", "{");
	CHECK(conf_read(&o, &c, &e) < 0);
	CHECK_HAS(e.msg, "y.json");
	fd_remove_tree(AT_FDCWD, dir, &e);
}

UNIT_MAIN(parses, reads_store, refuses, overrides)
