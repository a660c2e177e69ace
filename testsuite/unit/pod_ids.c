/* SPDX-License-Identifier: Apache-2.0
 * pod_ids - ranges of ids for pods with users of their own
 */
#include "testsuite/unit/pod_dir.h"

#include <dirent.h>

#include "core/pod/ids.h"

TEST(parse, "ids: a range is FIRST:COUNT, and nothing that could be root or has no end")
{
	static const char *const bad[] = { "", ":", "1", "1:", ":1", "0:65536", "65536:0", "1:4294967295",
		"4294967295:1", "-1:5", "1:+5", " 1:5", "1:5 ", "1:5:6", "0x10000:65536", "99999999999:1" };
	struct pod_ids ids;
	struct err e;
	char text[POD_IDS_TEXT_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(pod_ids_parse(bad[i], &ids, &e), -1);
	CHECK_INT(pod_ids_parse("1879048192:65536", &ids, &e), 0);
	CHECK_INT(ids.first, 1879048192);
	CHECK_INT(ids.count, 65536);
	pod_ids_text(&ids, text);
	CHECK_STR(text, "1879048192:65536");
	CHECK_INT(pod_ids_parse("4294967294:1", &ids, &e), 0);
}

struct seen { size_t n; uint64_t sum, count; };

static void see(void *ctx, uint64_t first, uint64_t count)
{
	struct seen *s = ctx;

	s->n++;
	s->sum += first;
	s->count += count;
}

TEST(host, "ids: what the host's files name, and lines that name nothing")
{
	struct dir d;
	struct seen s = { 0 };

	CHECK(dir_make(&d));
	int fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(pod_ids_host(d.path, see, &s, &d.e), 0); /* none of them is there */
	CHECK_INT(s.n, 0);
	CHECK(put_text(fd, "passwd", "a:x:1:2:::\n+::::::\n#b:x:5\nc:x:-1:0x4::\nd:x:99999999999:3:gecos:/:/\n\n:\n"));
	CHECK(put_text(fd, "group", "g:x:10:a,b\nh:x:\ni\nj:x:20:7,8"));
	CHECK(put_text(fd, "subuid", "a:100:50\nb:100:x\nc:100\nd:1000:50:7\n"));
	CHECK(put_text(fd, "subgid", "a:200:70"));
	CHECK_INT(pod_ids_host(d.path, see, &s, &d.e), 0);
	CHECK_INT(s.n, 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1);
	CHECK_INT(s.sum, 1 + 2 + 5 + 3 + 10 + 20 + 100 + 200);
	CHECK_INT(s.count, 6 + 50 + 70);
	CHECK_INT(mkdirat(fd, "x", 0755), 0);
	CHECK_INT(unlinkat(fd, "subgid", 0) | mkdirat(fd, "subgid", 0755), 0);
	CHECK_INT(pod_ids_host(d.path, see, &s, &d.e), -1);
	close(fd);
	dir_drop(&d);
}

static int claims(const struct dir *d)
{
	char path[300];
	int n = 0;

	snprintf(path, sizeof(path), "%s/pods/ids", d->path);
	auto_dir DIR *claimed = opendir(path);
	const struct dirent *de;
	while (claimed && (de = readdir(claimed)))
		n += *de->d_name != '.';
	return n;
}

TEST(reserve, "ids: each pod has others, whatever has become of those before; a removed one's are free")
{
	enum { PODS = 300 };
	static struct pod_ids ids[PODS];
	struct dir d;

	CHECK(dir_make(&d));
	for (size_t i = 0; i < PODS; i++) {
		auto_pod struct pod p = { .dir_fd = -1 };
		CHECK_INT(pod_new(d.ps, &p, &d.e), 0);
		/* all would begin at the same place */
		memset(p.uuid, '0', 8);
		CHECK_INT(pod_ids_reserve(&p, &ids[i], &d.e), 0);
		CHECK_INT(ids[i].count, POD_IDS_COUNT);
		for (size_t j = 0; j < i; j++)
			CHECK(ids[i].first - ids[j].first >= POD_IDS_COUNT && ids[j].first - ids[i].first >= POD_IDS_COUNT);
	}
	CHECK_INT(claims(&d), PODS);
	/* whatever removes a pod's directory: nobody has to say that its range is free */
	char path[300];
	snprintf(path, sizeof(path), "%s/pods/prepare", d.path);
	CHECK_INT(fd_remove_tree(AT_FDCWD, path, &d.e), 0);
	pods_close(d.ps);
	d.ps = pods_open(d.path, true, &d.e);
	auto_pod struct pod p = { .dir_fd = -1 };
	CHECK_INT(pod_new(d.ps, &p, &d.e), 0);
	memset(p.uuid, '0', 8);
	struct pod_ids again;
	CHECK_INT(pod_ids_reserve(&p, &again, &d.e), 0);
	CHECK_INT(again.first, ids[0].first);
	CHECK_INT(claims(&d), PODS);
	const struct pods_gc_opts dry = { .dry_run = true }, wet = { .mark_only = true };
	CHECK_INT(pods_gc(d.ps, &dry, &d.e), 0);
	CHECK_INT(claims(&d), PODS);
	CHECK_INT(pods_gc(d.ps, &wet, &d.e), 0);
	CHECK_INT(claims(&d), 1);
	dir_drop(&d);
}

UNIT_MAIN(parse, host, reserve)
