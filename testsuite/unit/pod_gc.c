/* SPDX-License-Identifier: Apache-2.0
 * pod_gc - removing dead pods, one by one and all at once
 */
#include "testsuite/unit/pod_dir.h"

#include <limits.h>
#include <sched.h>
#include <sys/mount.h>

#include "core/base/lock.h"

#define HOUR INT64_C(3600000000000)

/* what a gc told */
struct told {
	struct dir *d;
	size_t      marked, removed, kept, failed, stage1;
	bool        unlocked; /* stage 1's gc was called without the lock being held */
	struct err  last;
};

static void on_marked(void *ctx, const char *uuid, enum pod_state was)
{
	(void)uuid;
	(void)was;
	((struct told *)ctx)->marked++;
}

static void on_removed(void *ctx, const char *uuid)
{
	(void)uuid;
	((struct told *)ctx)->removed++;
}

static void on_kept(void *ctx, const char *uuid)
{
	(void)uuid;
	((struct told *)ctx)->kept++;
}

static void on_failed(void *ctx, const char *uuid, const struct err *why)
{
	(void)uuid;
	((struct told *)ctx)->failed++;
	((struct told *)ctx)->last = *why;
}

static int on_stage1(void *ctx, struct pod *p, struct err *e)
{
	struct told *t = ctx;
	auto_close int fd = openat(p->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	t->stage1++;
	if (lock_try(fd, LOCK_SHARED, e))
		t->unlocked = true;
	return 0;
}

static struct told collect(struct dir *d, int64_t grace_ns, bool mark_only, bool dry_run)
{
	struct told t = { .d = d };
	struct pods_gc_opts o = {
		.grace_ns = grace_ns, .expire_prepared_ns = 24 * HOUR, .mark_only = mark_only, .dry_run = dry_run,
		.marked = on_marked, .removed = on_removed, .kept = on_kept, .failed = on_failed, .ctx = &t,
		.remove = { .stage1_gc = on_stage1, .ctx = &t },
	};

	CHECK_INT(pods_gc(d->ps, &o, &d->e), 0);
	return t;
}

static int add(void *ctx, struct pod *p, struct err *e)
{
	(void)p;
	(void)e;
	++*(size_t *)ctx;
	return 0;
}

static size_t n_pods(struct dir *d)
{
	size_t n = 0;

	return pods_each(d->ps, add, &n, &d->e) == 0 ? n : (size_t)-1;
}

static int remove_uuid(struct dir *d, const char *uuid)
{
	struct pod_remove_opts none = { .ctx = NULL };
	auto_pod struct pod p = { .dir_fd = -1 };

	return pod_find(d->ps, uuid, &p, &d->e) < 0 || pod_remove(&p, &none, &d->e) < 0 ? d->e.code : 0;
}

/* ---- one pod ---- */

TEST(remove_states, "pod: exited, prepared, aborted and marked pods can be removed")
{
	static const enum pod_state states[] = { POD_EXITED, POD_PREPARED, POD_ABORTED_PREPARE };
	char uuid[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	for (size_t i = 0; i < 3; i++) {
		REQUIRE(pod_at(&d, states[i], uuid));
		CHECK_INT(remove_uuid(&d, uuid), 0);
		CHECK_INT(remove_uuid(&d, uuid), ENOENT);
	}
	REQUIRE(pod_at(&d, POD_EXITED, uuid));
	CHECK_INT(collect(&d, HOUR, true, false).marked, 1);
	CHECK_INT(state_of_uuid(&d, uuid), POD_EXITED_GARBAGE);
	CHECK_INT(remove_uuid(&d, uuid), 0);
	CHECK_INT(n_pods(&d), 0);
	dir_drop(&d);
}

TEST(remove_alive, "pod: a pod that runs or is prepared is not removed, and is left as it was")
{
	static const enum pod_state states[] = { POD_RUNNING, POD_PREPARING };
	struct dir d;

	REQUIRE(dir_make(&d));
	for (size_t i = 0; i < 2; i++) {
		struct holder h;
		REQUIRE(holder_start(&h, &d, states[i]));
		CHECK_INT(remove_uuid(&d, h.uuid), EBUSY);
		CHECK_HAS(d.e.msg, h.uuid);
		CHECK_INT(state_of_uuid(&d, h.uuid), states[i]);
		struct told t = collect(&d, 0, false, false);
		CHECK_INT(t.marked + t.removed + t.failed, 0);
		CHECK_INT(state_of_uuid(&d, h.uuid), states[i]);
		holder_kill(&h);
		CHECK_INT(remove_uuid(&d, h.uuid), 0);
	}
	dir_drop(&d);
}

TEST(remove_watched, "pod: somebody who looks at its state does not keep a pod from being removed")
{
	char uuid[UUID_LEN + 1];
	struct dir d;
	struct pod p;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_EXITED, uuid) && pod_find(d.ps, uuid, &p, &d.e) == 0);
	pid_t looker = fork();
	if (looker == 0) {
		auto_close int fd = openat(p.dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		lock_try(fd, LOCK_SHARED, &d.e);
		nap_ms(40);
		_exit(0);
	}
	nap_ms(10);
	CHECK_INT(remove_uuid(&d, uuid), 0);
	child_status(looker);
	pod_close(&p);
	dir_drop(&d);
}

TEST(remove_own, "pod: whoever makes a pod can remove it again under the same lock")
{
	struct pod_remove_opts none = { .ctx = NULL };
	struct dir d;
	struct pod p;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_new(d.ps, &p, &d.e) == 0);
	CHECK_INT(pod_remove(&p, &none, &d.e), 0);
	pod_close(&p);
	CHECK_INT(n_pods(&d), 0);
	dir_drop(&d);
}

TEST(remove_stage1, "pod: stage 1 cleans up under the lock, and only after pods that ran")
{
	char uuid[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_EXITED, uuid) && pod_at(&d, POD_ABORTED_PREPARE, uuid));
	struct told t = collect(&d, 0, false, false);
	CHECK_INT(t.removed, 2);
	CHECK_INT(t.stage1, 1);
	CHECK(!t.unlocked);
	dir_drop(&d);
}

TEST(remove_mount, "pod: nothing beyond a mount is touched; the pod stays to be removed later")
{
	char uuid[UUID_LEN + 1], path[200];
	struct dir d;
	struct pod p;

	if (geteuid())
		SKIP("needs root");
	pid_t child = fork();
	if (child) {
		CHECK_INT(child_status(child), 0);
		return;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(1);
	if (!dir_make(&d) || !pod_at(&d, POD_EXITED, uuid) || pod_find(d.ps, uuid, &p, &d.e) < 0)
		_exit(2);
	if (mkdirat(p.dir_fd, "a", 0755) < 0 || mkdirat(p.dir_fd, "a/b", 0755) < 0)
		_exit(3);
	snprintf(path, sizeof(path), "%s/pods/run/%s/a/b", d.path, uuid);
	/* a bind mount of the same file system, which its device number does not give away */
	if (mkdirat(p.dir_fd, "c", 0755) < 0 || !put_text(p.dir_fd, "c/precious", "x"))
		_exit(4);
	char from[200];
	snprintf(from, sizeof(from), "%s/pods/run/%s/c", d.path, uuid);
	if (mount(from, path, NULL, MS_BIND, NULL) < 0)
		_exit(5);
	struct told t = collect(&d, 0, false, false);
	if (t.removed || t.failed != 1 || t.last.code != EBUSY)
		_exit(6);
	if (n_pods(&d) != 1)
		_exit(7);
	snprintf(path, sizeof(path), "%s/pods/garbage/%s/a/b", d.path, uuid);
	if (umount2(path, 0) < 0)
		_exit(8);
	t = collect(&d, 0, false, false);
	if (t.removed != 1 || t.failed || n_pods(&d))
		_exit(9);
	pod_close(&p);
	dir_drop(&d);
	_exit(unit_now.bad_checks ? 10 : 0);
}

TEST(remove_deep, "pod: a tree of any depth and with odd entries goes")
{
	char uuid[UUID_LEN + 1], name[201];
	struct dir d;
	struct pod p;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_EXITED, uuid) && pod_find(d.ps, uuid, &p, &d.e) == 0);
	memset(name, 'x', 200);
	name[200] = 0;
	int at = dup(p.dir_fd);
	for (int i = 0; i < 300; i++) {
		int next = mkdirat(at, name, 0700) < 0 ? -1 : openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
		REQUIRE(at >= 0);
	}
	CHECK_INT(mkfifoat(at, "fifo", 0), 0);
	CHECK_INT(symlinkat("/etc", at, "link"), 0);
	CHECK_INT(mkdirat(at, "locked", 0), 0);
	close(at);
	pod_close(&p);
	CHECK_INT(remove_uuid(&d, uuid), 0);
	CHECK_INT(access("/etc/passwd", F_OK), 0);
	dir_drop(&d);
}

/* ---- gc ---- */

TEST(gc_grace, "gc: marks what ended and keeps it inside its grace period")
{
	char uuid[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_EXITED, uuid));
	struct told t = collect(&d, HOUR, false, false);
	CHECK_INT(t.marked, 1);
	CHECK_INT(t.removed, 0);
	CHECK_INT(state_of_uuid(&d, uuid), POD_EXITED_GARBAGE);
	t = collect(&d, HOUR, false, false);
	CHECK_INT(t.marked + t.removed, 0);
	CHECK_INT(t.kept, 1);
	nap_ms(30);
	t = collect(&d, 20000000, false, false);
	CHECK_INT(t.removed, 1);
	CHECK_INT(n_pods(&d), 0);
	dir_drop(&d);
}

TEST(gc_at_once, "gc: without a grace period marks and removes in one go")
{
	char uuid[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	for (int i = 0; i < 20; i++)
		REQUIRE(pod_at(&d, POD_EXITED, uuid));
	struct told t = collect(&d, 0, false, false);
	CHECK_INT(t.marked, 20);
	CHECK_INT(t.removed, 20);
	CHECK_INT(n_pods(&d), 0);
	dir_drop(&d);
}

TEST(gc_leftovers, "gc: removes what killed starts left in embryo and prepare, whatever the grace period")
{
	char path[200];
	struct holder h;
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(holder_start(&h, &d, POD_PREPARING));
	holder_kill(&h);
	snprintf(path, sizeof(path), "%s/pods/embryo/0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f001", d.path);
	CHECK_INT(mkdir(path, 0750), 0);
	CHECK_INT(n_pods(&d), 2);
	struct told t = collect(&d, HOUR, false, false);
	CHECK_INT(t.removed, 2);
	CHECK_INT(t.failed, 0);
	CHECK_INT(n_pods(&d), 0);
	dir_drop(&d);
}

TEST(gc_prepared, "gc: prepared pods stay until they expire")
{
	struct pods_gc_opts now = { .grace_ns = HOUR, .expire_prepared_ns = 0 };
	char uuid[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_PREPARED, uuid));
	CHECK_INT(collect(&d, 0, false, false).marked, 0);
	CHECK_INT(state_of_uuid(&d, uuid), POD_PREPARED);
	nap_ms(2);
	CHECK_INT(pods_gc(d.ps, &now, &d.e), 0);
	CHECK_INT(n_pods(&d), 0);
	dir_drop(&d);
}

TEST(gc_mark_only, "gc: --mark-only moves, and removes nothing")
{
	char a[UUID_LEN + 1], b[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_EXITED, a) && pod_at(&d, POD_ABORTED_PREPARE, b));
	struct told t = collect(&d, 0, true, false);
	CHECK_INT(t.marked, 2);
	CHECK_INT(t.removed, 0);
	CHECK_INT(state_of_uuid(&d, a), POD_EXITED_GARBAGE);
	CHECK_INT(state_of_uuid(&d, b), POD_GARBAGE);
	CHECK_INT(collect(&d, 0, true, false).removed, 0);
	CHECK_INT(n_pods(&d), 2);
	dir_drop(&d);
}

TEST(gc_dry_run, "gc: a dry run tells what would go and changes nothing")
{
	char a[UUID_LEN + 1], b[UUID_LEN + 1], c[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_EXITED, a) && pod_at(&d, POD_ABORTED_PREPARE, b) && pod_at(&d, POD_PREPARED, c));
	struct told t = collect(&d, 0, false, true);
	CHECK_INT(t.marked, 2);
	CHECK_INT(t.removed, 2);
	CHECK_INT(t.stage1, 0);
	CHECK_INT(state_of_uuid(&d, a), POD_EXITED);
	CHECK_INT(state_of_uuid(&d, b), POD_ABORTED_PREPARE);
	CHECK_INT(state_of_uuid(&d, c), POD_PREPARED);
	dir_drop(&d);
}

TEST(gc_once_each, "gc: of four gcs at once exactly one removes each pod, and none fails")
{
	enum { GCS = 4, N = 100 };
	size_t removed = 0, failed = 0;
	char uuid[UUID_LEN + 1];
	pid_t pids[GCS];
	struct dir d;
	int said[2];

	REQUIRE(dir_make(&d) && pipe(said) == 0);
	for (int i = 0; i < N; i++)
		REQUIRE(pod_at(&d, i % 2 ? POD_EXITED : POD_ABORTED_PREPARE, uuid));
	for (int i = 0; i < GCS; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		struct dir own = { .ps = pods_open(d.path, false, &d.e) };
		struct told t = collect(&own, 0, false, false);
		if (t.failed)
			printf("# %s\n", t.last.msg);
		_exit(write(said[1], &t, sizeof(t)) == sizeof(t) ? 0 : 1);
	}
	for (int i = 0; i < GCS; i++) {
		struct told t = { .d = NULL };
		CHECK_INT(child_status(pids[i]), 0);
		CHECK_INT(read(said[0], &t, sizeof(t)), sizeof(t));
		removed += t.removed;
		failed += t.failed;
	}
	CHECK_INT(removed, N);
	CHECK_INT(failed, 0);
	CHECK_INT(n_pods(&d), 0);
	close(said[0]);
	close(said[1]);
	dir_drop(&d);
}

TEST(removed_looked_at, "remove: takes the pod though somebody who looks at it has lost the processor just then")
{
	struct dir d;
	struct pod p;
	char uuid[UUID_LEN + 1];

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_EXITED, uuid));
	pid_t looker = looker_start(&d, uuid, 500);
	REQUIRE(looker > 0 && pod_find(d.ps, uuid, &p, &d.e) == 0);
	CHECK_INT(pod_remove(&p, NULL, &d.e), 0);
	CHECK_INT(child_status(looker), 0);
	pod_close(&p);
	dir_drop(&d);
}

TEST(gc_killed, "gc: what a killed gc left half removed the next one finishes")
{
	char uuid[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 10; i++) {
			struct pod p;
			REQUIRE(pod_at(&d, POD_EXITED, uuid) && pod_find(d.ps, uuid, &p, &d.e) == 0);
			CHECK_INT(fd_mkdirs(p.dir_fd, "a/b/c/d/e/f", 0755, &d.e), 0);
			CHECK(put_text(p.dir_fd, "a/b/c/d/e/f/file", "x"));
			pod_close(&p);
		}
		pid_t gc = fork();
		if (gc == 0) {
			collect(&d, 0, false, false);
			_exit(0);
		}
		nanosleep(&(struct timespec){ .tv_nsec = round * 100000 }, NULL);
		kill(gc, SIGKILL);
		waitpid(gc, NULL, 0);
		struct told t = collect(&d, 0, false, false);
		CHECK_INT(t.failed, 0);
		CHECK_INT(n_pods(&d), 0);
	}
	dir_drop(&d);
}

TEST(gc_speed, "gc: 200 exited pods of 30 files each, far from a second per hundred")
{
	struct timespec a, b;
	char uuid[UUID_LEN + 1], name[32];
	struct dir d;

	REQUIRE(dir_make(&d));
	for (int i = 0; i < 200; i++) {
		struct pod p;
		REQUIRE(pod_at(&d, POD_EXITED, uuid) && pod_find(d.ps, uuid, &p, &d.e) == 0);
		CHECK_INT(fd_mkdirs(p.dir_fd, "stage1/rootfs/rkt/status", 0755, &d.e), 0);
		for (int k = 0; k < 30; k++) {
			snprintf(name, sizeof(name), "stage1/rootfs/%d", k);
			CHECK(put_text(p.dir_fd, name, "x"));
		}
		pod_close(&p);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	CHECK_INT(collect(&d, 0, false, false).removed, 200);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	long ms = (b.tv_sec - a.tv_sec) * 1000L + (b.tv_nsec - a.tv_nsec) / 1000000;
	printf("# %ld ms of CPU\n", ms);
	CHECK(ms < 3000); /* figures are make bench's; this is for what grows with the square */
	dir_drop(&d);
}

/* ---- cgroups ---- */

/* a group of ours that we may make groups in, in any hierarchy; false: there is none */
static bool own_group(char *path, size_t size)
{
	char line[512];
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool good = false;

	while (f && !good && fgets(line, sizeof(line), f)) {
		char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL;
		if (!at || strchr(names, ','))
			continue;
		line[strcspn(line, "\n")] = 0;
		*at++ = 0;
		names += strncmp(names, ":name=", 6) ? 1 : 6;
		snprintf(path, size, "/sys/fs/cgroup%s%s%s/pod-unit-%d", *names ? "/" : "", names, at + (at[1] == 0),
			 (int)getpid());
		good = mkdir(path, 0755) == 0;
	}
	if (f)
		fclose(f);
	return good;
}

static pid_t process_in(const char *group)
{
	char path[800];
	int ready[2];

	if (pipe(ready) < 0)
		return -1;
	pid_t self = getpid(), pid = fork();
	if (pid == 0) {
		die_with(self);
		snprintf(path, sizeof(path), "%s/cgroup.procs", group);
		if (!put_text(AT_FDCWD, path, "0") || write(ready[1], "x", 1) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	char c;
	close(ready[1]);
	bool good = read(ready[0], &c, 1) == 1;
	close(ready[0]);
	return good ? pid : -1;
}

TEST(cgroups, "gc: removes the pod's own cgroups with the processes in them, and no others")
{
	char base[400], own[500], sub[520], other[500], text[4000], uuid[UUID_LEN + 1];
	struct dir d;
	struct pod p;

	if (!own_group(base, sizeof(base)))
		SKIP("needs a cgroup hierarchy to write to");
	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_EXITED, uuid) && pod_find(d.ps, uuid, &p, &d.e) == 0);
	snprintf(own, sizeof(own), "%s/rkt-%s", base, uuid);
	snprintf(sub, sizeof(sub), "%s/web", own);
	snprintf(other, sizeof(other), "%s/other", base);
	CHECK(mkdir(own, 0755) == 0 && mkdir(sub, 0755) == 0 && mkdir(other, 0755) == 0);
	pid_t in_own = process_in(own), in_sub = process_in(sub), in_other = process_in(other);
	CHECK(in_own > 0 && in_sub > 0 && in_other > 0);
	/* the file may say what it likes: a stranger's group, ways around, a directory that is no cgroup */
	snprintf(text, sizeof(text), "%s\n%s\n%s/../other\n%s/%s/../../other\n/tmp/%s\nrelative-%s\n%s/\n\n", other, base,
		 own, base, uuid, uuid, uuid, own);
	CHECK(put_text(p.dir_fd, "cgroup", text));
	char not_group[100];
	snprintf(not_group, sizeof(not_group), "/tmp/%s", uuid);
	CHECK_INT(mkdir(not_group, 0755), 0);
	pod_close(&p);
	CHECK_INT(collect(&d, 0, false, false).removed, 1);
	CHECK(access(own, F_OK) < 0 && errno == ENOENT);
	CHECK_INT(waitpid(in_own, NULL, WNOHANG), in_own);
	CHECK_INT(waitpid(in_sub, NULL, WNOHANG), in_sub);
	CHECK_INT(access(other, F_OK), 0);
	CHECK_INT(waitpid(in_other, NULL, WNOHANG), 0);
	CHECK_INT(rmdir(not_group), 0);
	kill(in_other, SIGKILL);
	waitpid(in_other, NULL, 0);
	for (int i = 0; i < 50 && rmdir(other) < 0; i++)
		nap_ms(10);
	CHECK_INT(rmdir(base), 0);
	dir_drop(&d);
}

UNIT_MAIN(remove_states, remove_alive, remove_watched, remove_own, remove_stage1, remove_mount, remove_deep, gc_grace,
	  gc_at_once, gc_leftovers, gc_prepared, gc_mark_only, gc_dry_run, gc_once_each, removed_looked_at, gc_killed, gc_speed, cgroups)
