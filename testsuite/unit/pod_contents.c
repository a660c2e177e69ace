/* SPDX-License-Identifier: Apache-2.0
 * pod_contents - what is read from a pod directory, also when a stranger wrote it
 */
#include "testsuite/unit/pod_dir.h"

#include <sched.h>
#include <sys/sysmacros.h>

#define STATUS "stage1/rootfs/rkt/status"
#define UPPER  "appsinfo/.stage1/upper/rkt/status"

static const char manifest[] =
	"{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[{\"name\":\"web\",\"image\":{\"name\":"
	"\"example.com/web\",\"id\":\"sha512-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},"
	"\"app\":{\"exec\":[\"/bin/web\"],\"user\":\"0\",\"group\":\"0\"}}]}";

struct scene {
	struct dir d;
	struct pod p;
};

static bool scene_make(struct scene *s)
{
	/* whoever opens a FIFO for reading waits for a writer: a test that hangs has failed */
	alarm(20);
	return dir_make(&s->d) && pod_new(s->d.ps, &s->p, &s->d.e) == 0 && pod_to_run(&s->p, &s->d.e) == 0 &&
	       fd_mkdirs(s->p.dir_fd, STATUS, 0755, &s->d.e) == 0;
}

static void scene_drop(struct scene *s)
{
	pod_close(&s->p);
	dir_drop(&s->d);
	alarm(0);
}

static int status_of(struct scene *s, const char *app)
{
	int status = -1, r = pod_app_status(&s->p, app, &status, NULL, &s->d.e);

	return r > 0 ? status : r < 0 ? -1 : -2;
}

TEST(statuses, "pod: exit statuses are read from stage 1's directory or from its overlay")
{
	struct scene s;
	int64_t ended = 0;
	int status;

	REQUIRE(scene_make(&s));
	CHECK_INT(status_of(&s, "web"), -2);
	CHECK(put_text(s.p.dir_fd, STATUS "/web", "0\n"));
	CHECK_INT(status_of(&s, "web"), 0);
	CHECK(put_text(s.p.dir_fd, STATUS "/db", "137"));
	CHECK_INT(status_of(&s, "db"), 137);
	CHECK_INT(pod_app_status(&s.p, "db", &status, &ended, &s.d.e), 1);
	CHECK(ended > INT64_C(1000000000) * 1000000000);
	CHECK_INT(fd_mkdirs(s.p.dir_fd, UPPER, 0755, &s.d.e), 0);
	CHECK(put_text(s.p.dir_fd, UPPER "/far", "3\n"));
	CHECK_INT(status_of(&s, "far"), 3);
	scene_drop(&s);
}

TEST(status_of_app_called_stage1, "pod: an app called stage1 cannot write other apps' statuses")
{
	struct scene s;

	REQUIRE(scene_make(&s));
	CHECK_INT(fd_mkdirs(s.p.dir_fd, "appsinfo/stage1/upper/rkt/status", 0755, &s.d.e), 0);
	CHECK(put_text(s.p.dir_fd, "appsinfo/stage1/upper/rkt/status/web", "0\n"));
	CHECK_INT(status_of(&s, "web"), -2);
	scene_drop(&s);
}

TEST(status_garbage, "pod: what is no number from 0 to 255 is no exit status")
{
	static const char *const bad[] = { "", "\n", " 0", "0 ", "0\n\n", "-1", "+1", "256", "0x0", "1e1", "zero",
					   "99999999999999999999", "0\n1\n" };
	struct scene s;
	char huge[5000];

	REQUIRE(scene_make(&s));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(put_text(s.p.dir_fd, STATUS "/web", bad[i]));
		CHECK_INT(status_of(&s, "web"), -1);
	}
	CHECK(put_file(s.p.dir_fd, STATUS "/web", "0\0", 2));
	CHECK_INT(status_of(&s, "web"), -1);
	memset(huge, '0', sizeof(huge));
	CHECK(put_file(s.p.dir_fd, STATUS "/web", huge, sizeof(huge)));
	CHECK_INT(status_of(&s, "web"), -1);
	scene_drop(&s);
}

TEST(status_links, "pod: no symlink on the way to a status file is followed")
{
	struct scene s;

	REQUIRE(scene_make(&s));
	CHECK(put_text(s.p.dir_fd, "secret", "42\n"));
	CHECK_INT(symlinkat("../../../../secret", s.p.dir_fd, STATUS "/web"), 0);
	CHECK_INT(status_of(&s, "web"), -1);
	CHECK_INT(unlinkat(s.p.dir_fd, STATUS "/web", 0), 0);
	CHECK_INT(mkdirat(s.p.dir_fd, "elsewhere", 0755), 0);
	CHECK(put_text(s.p.dir_fd, "elsewhere/web", "42\n"));
	CHECK_INT(unlinkat(s.p.dir_fd, STATUS, AT_REMOVEDIR), 0);
	CHECK_INT(symlinkat("../../../elsewhere", s.p.dir_fd, STATUS), 0);
	CHECK_INT(status_of(&s, "web"), -1);
	scene_drop(&s);
}

TEST(status_odd_files, "pod: a FIFO, a directory or a device in place of a status file is not opened")
{
	struct scene s;

	REQUIRE(scene_make(&s));
	CHECK_INT(mkfifoat(s.p.dir_fd, STATUS "/web", 0644), 0);
	CHECK_INT(status_of(&s, "web"), -1);
	CHECK_INT(mkdirat(s.p.dir_fd, STATUS "/dir", 0755), 0);
	CHECK_INT(status_of(&s, "dir"), -1);
	/* 1:5 is /dev/zero */
	if (mknodat(s.p.dir_fd, STATUS "/dev", S_IFCHR | 0644, makedev(1, 5)) == 0)
		CHECK_INT(status_of(&s, "dev"), -1);
	scene_drop(&s);
}

TEST(status_names, "pod: names that are none of an app are not looked for")
{
	static const char *const bad[] = { "", "..", "../../../../pid", "a/b", "/etc/hostname", "A", "web\n" };
	struct scene s;

	REQUIRE(scene_make(&s));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(status_of(&s, bad[i]), -1);
	scene_drop(&s);
}

static int pid_of(struct scene *s, const char *text)
{
	pid_t pid = 0;

	if (text && !put_text(s->p.dir_fd, "pid", text))
		return -2;
	return pod_pid(&s->p, &pid, &s->d.e) < 0 ? -1 : pid;
}

TEST(pids, "pod: the pid file holds one number or is damaged")
{
	static const char *const bad[] = { "", "0", "-1", "abc", "12 34", "99999999999", "5000000", "1\n2" };
	struct scene s;

	REQUIRE(scene_make(&s));
	CHECK_INT(pid_of(&s, NULL), -1);
	CHECK_INT(s.d.e.code, ESRCH);
	CHECK_INT(pid_of(&s, "4321"), 4321);
	CHECK_INT(pid_of(&s, "4321\n"), 4321);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_INT(pid_of(&s, bad[i]), -1);
		CHECK(s.d.e.code != ESRCH);
	}
	CHECK_INT(unlinkat(s.p.dir_fd, "pid", 0), 0);
	CHECK_INT(mkfifoat(s.p.dir_fd, "pid", 0644), 0);
	CHECK_INT(pid_of(&s, NULL), -1);
	CHECK_INT(pod_started_ns(&s.p), 0);
	scene_drop(&s);
}

TEST(ppids, "pod: by ppid PID 1 is the child that is PID 1 of its namespace")
{
	struct scene s;
	char text[32];
	int said[2], hold[2];
	pid_t init = -1;

	if (geteuid())
		SKIP("needs root");
	REQUIRE(scene_make(&s));
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	CHECK(put_text(s.p.dir_fd, "ppid", text));
	CHECK_INT(pid_of(&s, NULL), -1);
	CHECK_INT(s.d.e.code, ESRCH);
	REQUIRE(pipe(said) == 0 && pipe(hold) == 0);
	/* a parent of its own: unshare(CLONE_NEWPID) cannot be undone */
	pid_t self = getpid(), parent = fork();
	if (parent == 0) {
		die_with(self);
		if (unshare(CLONE_NEWPID) < 0)
			_exit(1);
		init = fork();
		if (init == 0) {
			char c;
			close(hold[1]);
			_exit(read(hold[0], &c, 1) < 0); /* until nobody is left to write */
		}
		if (write(said[1], &init, sizeof(init)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(said[1]);
	close(hold[0]);
	if (read(said[0], &init, sizeof(init)) == sizeof(init)) {
		snprintf(text, sizeof(text), "%d\n", (int)parent);
		CHECK(put_text(s.p.dir_fd, "ppid", text));
		CHECK_INT(pid_of(&s, NULL), init);
		/* of a pod that ended the number may be anybody's */
		s.p.state = POD_EXITED;
		CHECK_INT(pid_of(&s, NULL), -1);
		CHECK_INT(s.d.e.code, ESRCH);
	}
	close(said[0]);
	close(hold[1]);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	scene_drop(&s);
}

TEST(manifests, "pod: a manifest that is not a regular file of sane size and content is refused")
{
	struct scene s;
	struct pod_manifest m;

	REQUIRE(scene_make(&s));
	CHECK_INT(pod_manifest(&s.p, &m, &s.d.e), -1);
	CHECK_INT(s.d.e.code, ENOENT);
	CHECK(put_text(s.p.dir_fd, "pod", manifest));
	REQUIRE(pod_manifest(&s.p, &m, &s.d.e) == 0);
	CHECK_INT(m.apps.n, 1);
	CHECK_STR(m.apps.v[0].name, "web");
	pod_manifest_free(&m);
	CHECK(put_file(s.p.dir_fd, "pod", manifest, sizeof(manifest) / 2));
	CHECK_INT(pod_manifest(&s.p, &m, &s.d.e), -1);
	auto_close int fd = openat(s.p.dir_fd, "pod", O_WRONLY | O_CLOEXEC);
	CHECK_INT(ftruncate(fd, 1LL << 40), 0);
	CHECK_INT(pod_manifest(&s.p, &m, &s.d.e), -1);
	CHECK_INT(s.d.e.code, EFBIG);
	CHECK_INT(unlinkat(s.p.dir_fd, "pod", 0), 0);
	CHECK_INT(symlinkat("/etc/hostname", s.p.dir_fd, "pod"), 0);
	CHECK_INT(pod_manifest(&s.p, &m, &s.d.e), -1);
	CHECK_INT(unlinkat(s.p.dir_fd, "pod", 0), 0);
	CHECK_INT(mkfifoat(s.p.dir_fd, "pod", 0644), 0);
	CHECK_INT(pod_manifest(&s.p, &m, &s.d.e), -1);
	scene_drop(&s);
}

TEST(files, "pod: only regular files below the directory are opened")
{
	struct scene s;

	REQUIRE(scene_make(&s));
	CHECK_INT(mkdirat(s.p.dir_fd, "logs", 0755), 0);
	CHECK(put_text(s.p.dir_fd, "logs/web", "hello\n"));
	auto_close int fd = pod_file(&s.p, "logs/web", &s.d.e);
	CHECK(fd >= 0);
	CHECK_INT(pod_file(&s.p, "logs", &s.d.e), -1);
	CHECK_INT(pod_file(&s.p, "../../../../../../etc/passwd", &s.d.e), -1);
	CHECK_INT(pod_file(&s.p, "/etc/passwd", &s.d.e), -1);
	CHECK_INT(symlinkat("web", s.p.dir_fd, "logs/link"), 0);
	CHECK_INT(pod_file(&s.p, "logs/link", &s.d.e), -1);
	scene_drop(&s);
}

static bool is_used(struct pods *ps, const char *id)
{
	struct pods_trees t;
	struct err e;
	bool used = pods_trees(ps, &t, &e) < 0 || pods_trees_used(&t, id);

	pods_trees_free(&t);
	return used;
}

TEST(trees, "pod: what it stands on is in use until it is garbage")
{
	static const char mine[] = "sha512-aa", other[] = "sha512-ab", stage1[] = "deps-sha512-ac";
	struct pod_remove_opts none = { .ctx = NULL };
	struct scene s;

	REQUIRE(scene_make(&s));
	CHECK(!is_used(s.d.ps, mine));
	CHECK_INT(fd_mkdirs(s.p.dir_fd, "appsinfo/web", 0755, &s.d.e), 0);
	CHECK(put_text(s.p.dir_fd, "appsinfo/web/treeStoreID", "sha512-aa\n"));
	CHECK(put_text(s.p.dir_fd, "stage1TreeStoreID", stage1));
	CHECK(is_used(s.d.ps, mine));
	CHECK(is_used(s.d.ps, stage1));
	CHECK(!is_used(s.d.ps, other));
	/* what cannot be read might be anything */
	CHECK_INT(fd_mkdirs(s.p.dir_fd, "appsinfo/db/treeStoreID", 0755, &s.d.e), 0);
	CHECK(is_used(s.d.ps, other));
	pod_close(&s.p);
	REQUIRE(pod_find(s.d.ps, s.p.uuid, &s.p, &s.d.e) == 0);
	CHECK(is_used(s.d.ps, mine));
	CHECK_INT(pod_remove(&s.p, &none, &s.d.e), 0);
	CHECK(!is_used(s.d.ps, mine));
	CHECK(!is_used(s.d.ps, other));
	scene_drop(&s);
}

UNIT_MAIN(statuses, status_of_app_called_stage1, status_garbage, status_links, status_odd_files, status_names, pids,
	  ppids, manifests, files, trees)
