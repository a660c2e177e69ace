/* SPDX-License-Identifier: Apache-2.0
 * pod - states, finding, listing; the moves of a pod and who wins them
 */
#include "testsuite/unit/pod_dir.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "core/pod/uuid.h"

TEST(uuid_form, "uuid: version 4, canonical, never twice")
{
	char seen[500][UUID_LEN + 1];

	for (size_t i = 0; i < 500; i++) {
		uuid_new(seen[i]);
		CHECK(uuid_ok(seen[i]));
		CHECK_INT(seen[i][14], '4');
		CHECK(strchr("89ab", seen[i][19]));
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(seen[i], seen[k]));
	}
}

TEST(uuid_bad, "uuid: anything but 36 lower-case characters is none")
{
	static const char *const bad[] = {
		"", "x", "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f00", "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f0011",
		"0E6FF2CE-7F3B-4DBE-9A39-B7D0D3C0F001", "0e6ff2ce07f3b-4dbe-9a39-b7d0d3c0f001",
		"0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f00/", "../../../../../../../../etc/passwd..",
		"------------------------------------", "g e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f00",
	};

	CHECK(uuid_ok("0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f001"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!uuid_ok(bad[i]));
}

TEST(life, "pod: goes from prepare to run and is exited when its lock is gone")
{
	struct dir d;
	struct pod p;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_new(d.ps, &p, &d.e) == 0);
	CHECK_INT(p.state, POD_PREPARING);
	CHECK_INT(state_of_uuid(&d, p.uuid), POD_PREPARING);
	CHECK(pod_created_ns(&p) > 0);
	CHECK_INT(pod_started_ns(&p), 0);
	CHECK_INT(pod_to_run(&p, &d.e), 0);
	CHECK_INT(state_of_uuid(&d, p.uuid), POD_RUNNING);
	/* asking for the state must not cost the one who holds the lock anything */
	CHECK_INT(pod_refresh(&p, &d.e), 0);
	CHECK_INT(p.state, POD_RUNNING);
	CHECK_INT(state_of_uuid(&d, p.uuid), POD_RUNNING);
	CHECK(put_text(p.dir_fd, "pid", "1234\n"));
	CHECK(pod_started_ns(&p) > 0);
	pod_close(&p);
	CHECK_INT(p.dir_fd, -1);
	CHECK_INT(state_of_uuid(&d, p.uuid), POD_EXITED);
	dir_drop(&d);
}

TEST(life_prepared, "pod: dwells in prepared without a lock, and is run once")
{
	struct dir d;
	struct pod p, again;
	char uuid[UUID_LEN + 1];

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_PREPARED, uuid));
	CHECK_INT(state_of_uuid(&d, uuid), POD_PREPARED);
	REQUIRE(pod_find(d.ps, uuid, &p, &d.e) == 0);
	REQUIRE(pod_find(d.ps, uuid, &again, &d.e) == 0);
	CHECK_INT(pod_to_run(&p, &d.e), 0);
	CHECK_INT(pod_to_run(&again, &d.e), -1);
	CHECK_INT(d.e.code, EBUSY);
	pod_close(&p);
	/* it ran and ended meanwhile: still not for the second one */
	CHECK_INT(pod_to_run(&again, &d.e), -1);
	CHECK_INT(d.e.code, EBUSY);
	CHECK_INT(pod_refresh(&again, &d.e), 0);
	CHECK_INT(again.state, POD_EXITED);
	CHECK_INT(pod_to_run(&again, &d.e), -1);
	CHECK_INT(d.e.code, EINVAL);
	pod_close(&again);
	dir_drop(&d);
}

TEST(killed, "pod: a killed maker leaves an aborted prepare, a killed runner an exited pod")
{
	struct dir d;
	struct holder maker, runner;

	REQUIRE(dir_make(&d));
	REQUIRE(holder_start(&maker, &d, POD_PREPARING) && holder_start(&runner, &d, POD_RUNNING));
	CHECK_INT(state_of_uuid(&d, maker.uuid), POD_PREPARING);
	CHECK_INT(state_of_uuid(&d, runner.uuid), POD_RUNNING);
	holder_kill(&maker);
	holder_kill(&runner);
	CHECK_INT(state_of_uuid(&d, maker.uuid), POD_ABORTED_PREPARE);
	CHECK_INT(state_of_uuid(&d, runner.uuid), POD_EXITED);
	dir_drop(&d);
}

TEST(handed_over, "pod: runs as long as a program that was handed the lock")
{
	struct dir d;
	struct pod p;

	REQUIRE(dir_make(&d));
	REQUIRE(pod_new(d.ps, &p, &d.e) == 0 && pod_to_run(&p, &d.e) == 0);
	pid_t self = getpid(), pid = fork();
	if (pid == 0) {
		die_with(self);
		for (;;)
			pause();
	}
	REQUIRE(pid > 0);
	pod_close(&p);
	CHECK_INT(state_of_uuid(&d, p.uuid), POD_RUNNING);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_INT(state_of_uuid(&d, p.uuid), POD_EXITED);
	dir_drop(&d);
}

TEST(wait_exit, "pod: waiting for its end wakes when the runner dies")
{
	struct dir d;
	struct holder h;
	struct pod p;

	REQUIRE(dir_make(&d));
	REQUIRE(holder_start(&h, &d, POD_RUNNING));
	REQUIRE(pod_find(d.ps, h.uuid, &p, &d.e) == 0);
	pid_t killer = fork();
	if (killer == 0) {
		nap_ms(100);
		kill(h.pid, SIGKILL);
		_exit(0);
	}
	CHECK_INT(pod_wait_exit(&p, &d.e), 0);
	CHECK_INT(p.state, POD_EXITED);
	CHECK_INT(child_status(killer), 0);
	waitpid(h.pid, NULL, 0);
	pod_close(&p);
	dir_drop(&d);
}

/* ---- finding ---- */

static bool make_named(struct dir *d, const char *place, const char *uuid)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/pods/%s/%s", d->path, place, uuid);
	return mkdir(path, 0750) == 0;
}

static int find(struct dir *d, const char *prefix, char found[UUID_LEN + 1])
{
	auto_pod struct pod p = { .dir_fd = -1 };
	int r = pod_find(d->ps, prefix, &p, &d->e);

	memcpy(found, p.uuid, sizeof(p.uuid));
	return r < 0 ? d->e.code : 0;
}

TEST(prefixes, "pod: is found by unique prefix; empty and ambiguous ones are refused")
{
	static const char a[] = "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f001", b[] = "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f002";
	char found[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(make_named(&d, "run", a) && make_named(&d, "prepared", b));
	CHECK_INT(find(&d, "", found), EINVAL);
	CHECK_STR(d.e.msg, "UUID cannot be empty");
	CHECK_INT(find(&d, "0", found), ENOTUNIQ);
	CHECK_STR(d.e.msg, "ambiguous UUID: 2 matches found for \"0\"");
	CHECK_INT(find(&d, "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f00", found), ENOTUNIQ);
	CHECK_INT(find(&d, a, found), 0);
	CHECK_STR(found, a);
	CHECK_INT(find(&d, b, found), 0);
	CHECK_STR(found, b);
	CHECK_INT(find(&d, "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f003", found), ENOENT);
	CHECK_INT(find(&d, "1", found), ENOENT);
	CHECK_STR(d.e.msg, "no matches found for \"1\"");
	REQUIRE(make_named(&d, "garbage", "1f6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f003"));
	CHECK_INT(find(&d, "1", found), 0);
	/* as if it had been moved while the places were read */
	REQUIRE(make_named(&d, "run", "1f6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f003"));
	CHECK_INT(find(&d, "1", found), 0);
	dir_drop(&d);
}

TEST(prefixes_hostile, "pod: paths, patterns and controls are not prefixes")
{
	static const char *const bad[] = { "..", "../run", "/", "*", "0\x1b[2J", "run", ".", "-", " ", "\xff" };
	char found[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(make_named(&d, "run", "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f001"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_INT(find(&d, bad[i], found), ENOENT);
		CHECK(!strchr(d.e.msg, '\x1b'));
	}
	dir_drop(&d);
}

static int count(void *ctx, struct pod *p, struct err *e)
{
	(void)p;
	(void)e;
	++*(size_t *)ctx;
	return 0;
}

static size_t n_pods(struct dir *d)
{
	size_t n = 0;

	return pods_each(d->ps, count, &n, &d->e) == 0 ? n : (size_t)-1;
}

TEST(strays, "pod: what is no pod directory is passed over")
{
	static const char uuid[] = "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f001";
	char path[160], found[UUID_LEN + 1];
	struct dir d;

	REQUIRE(dir_make(&d));
	REQUIRE(make_named(&d, "run", "lost+found"));
	snprintf(path, sizeof(path), "%s/pods/run/%s", d.path, uuid);
	CHECK_INT(symlink("/", path), 0);
	snprintf(path, sizeof(path), "%s/pods/prepared/%s", d.path, uuid);
	CHECK(put_text(AT_FDCWD, path, "no directory"));
	CHECK_INT(n_pods(&d), 0);
	CHECK_INT(find(&d, uuid, found), ENOENT);
	CHECK_INT(find(&d, "0e", found), ENOENT);
	dir_drop(&d);
}

TEST(no_data_dir, "pod: a data directory that is not there holds no pods, and is not made by looking")
{
	char found[UUID_LEN + 1], path[] = "/tmp/pod-unit-not-there/x";
	struct dir d = { .ps = NULL };

	d.ps = pods_open(path, false, &d.e);
	REQUIRE(d.ps);
	CHECK_INT(n_pods(&d), 0);
	CHECK_INT(find(&d, "0e", found), ENOENT);
	CHECK_INT(find(&d, "0e6ff2ce-7f3b-4dbe-9a39-b7d0d3c0f001", found), ENOENT);
	CHECK_INT(access("/tmp/pod-unit-not-there", F_OK), -1);
	pods_close(d.ps);
	d.ps = pods_open("/dev/null", false, &d.e);
	CHECK(!d.ps);
	CHECK_INT(d.e.code, ENOTDIR);
}

struct stop_at { size_t n, stop; };

static int stop(void *ctx, struct pod *p, struct err *e)
{
	struct stop_at *s = ctx;
	(void)p;
	(void)e;

	return ++s->n == s->stop ? 7 : 0;
}

TEST(each_many, "pod: 3,000 pods are listed once each, in milliseconds")
{
	enum { N = 3000 };
	static const char *const places[] = { "prepared", "run", "exited-garbage", "garbage", "prepare", "embryo" };
	struct stop_at s = { .stop = 5 };
	struct timespec a, b;
	struct dir d;

	REQUIRE(dir_make(&d));
	for (int i = 0; i < N; i++) {
		char uuid[UUID_LEN + 1];
		uuid_new(uuid);
		REQUIRE(make_named(&d, places[i % 6], uuid));
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	CHECK_INT(n_pods(&d), N);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	long us = (b.tv_sec - a.tv_sec) * 1000000L + (b.tv_nsec - a.tv_nsec) / 1000;
	printf("# %d pods: %ld us of CPU\n", N, us);
	CHECK(us < 300000);
	CHECK_INT(pods_each(d.ps, stop, &s, &d.e), 7);
	CHECK_INT(s.n, 5);
	dir_drop(&d);
}

/* ---- races ---- */

TEST(run_once, "pod: of eight that run a prepared pod at once exactly one does")
{
	enum { N = 8, ROUNDS = 10 };
	struct dir d;

	REQUIRE(dir_make(&d));
	for (int round = 0; round < ROUNDS; round++) {
		char uuid[UUID_LEN + 1];
		pid_t pids[N];
		int won = 0, lost = 0, n_found = 0, go[2], found[2];
		REQUIRE(pod_at(&d, POD_PREPARED, uuid) && pipe(go) == 0 && pipe(found) == 0);
		for (int i = 0; i < N; i++) {
			pids[i] = fork();
			if (pids[i])
				continue;
			struct pod p;
			char c;
			close(go[1]);
			if (pod_find(d.ps, uuid, &p, &d.e) < 0 || write(found[1], "", 1) < 0 || read(go[0], &c, 1) < 0)
				_exit(3);
			_exit(pod_to_run(&p, &d.e) == 0 ? 0 : d.e.code == EBUSY ? 1 : 2);
		}
		close(found[1]);
		for (char c; read(found[0], &c, 1) > 0 && ++n_found < N;)
			continue;
		close(found[0]);
		close(go[0]);
		close(go[1]);
		for (int i = 0; i < N; i++) {
			int st = child_status(pids[i]);
			won += st == 0;
			lost += st == 1;
		}
		CHECK_INT(won, 1);
		CHECK_INT(lost, N - 1);
		CHECK_INT(state_of_uuid(&d, uuid), POD_EXITED);
	}
	dir_drop(&d);
}

TEST(run_looked_at, "pod: is run though somebody who looks at it has lost the processor just then")
{
	struct dir d;
	struct pod p;
	char uuid[UUID_LEN + 1];

	REQUIRE(dir_make(&d));
	REQUIRE(pod_at(&d, POD_PREPARED, uuid));
	pid_t looker = looker_start(&d, uuid, 500);
	REQUIRE(looker > 0 && pod_find(d.ps, uuid, &p, &d.e) == 0);
	CHECK_INT(pod_to_run(&p, &d.e), 0);
	CHECK_INT(child_status(looker), 0);
	pod_close(&p);
	dir_drop(&d);
}

/* a child that does @work until it is killed */
static pid_t in_background(struct dir *d, void (*work)(struct dir *d))
{
	pid_t self = getpid(), pid = fork();

	if (pid == 0) {
		struct err e;
		die_with(self);
		/* directories of its own: positions in them are not shared */
		struct dir own = { .ps = pods_open(d->path, false, &e) };
		if (!own.ps)
			_exit(1);
		for (;;)
			work(&own);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void collect(struct dir *d)
{
	struct pods_gc_opts o = { .grace_ns = 0, .expire_prepared_ns = INT64_C(3600000000000) };
	struct err e;

	pods_gc(d->ps, &o, &e);
}

static void look(struct dir *d)
{
	n_pods(d);
}

TEST(alive_survive, "pod: no pod that somebody makes, keeps or runs is lost to gcs and listers")
{
	struct dir d;
	int lost = 0, wrong = 0;

	REQUIRE(dir_make(&d));
	pid_t others[] = { in_background(&d, collect), in_background(&d, collect), in_background(&d, look) };
	for (int i = 0; i < 200; i++) {
		struct pod p;
		if (pod_new(d.ps, &p, &d.e) < 0) {
			printf("# %s\n", d.e.msg);
			lost++;
			continue;
		}
		wrong += pod_refresh(&p, &d.e) < 0 || p.state != POD_PREPARING;
		if (i % 2) {
			lost += pod_to_prepared(&p, &d.e) < 0;
			wrong += pod_refresh(&p, &d.e) < 0 || p.state != POD_PREPARED;
		}
		lost += pod_to_run(&p, &d.e) < 0;
		wrong += pod_refresh(&p, &d.e) < 0 || p.state != POD_RUNNING;
		lost += !put_text(p.dir_fd, "pid", "1");
		pod_close(&p);
	}
	for (size_t i = 0; i < 3; i++)
		end(others[i]);
	CHECK_INT(lost, 0);
	CHECK_INT(wrong, 0);
	collect(&d);
	CHECK_INT(n_pods(&d), 0);
	dir_drop(&d);
}

static long syscall_of(pid_t pid)
{
	char path[40], text[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? strtol(text, NULL, 10) : -1;
}

/* lets a traced child go on until it is about to make that system call */
static bool stop_before(pid_t pid, long nr)
{
	int st;

	while (ptrace(PTRACE_SYSCALL, pid, 0, 0) == 0 && waitpid(pid, &st, 0) == pid && WIFSTOPPED(st))
		if (syscall_of(pid) == nr)
			return true;
	return false;
}

TEST(embryo_taken, "pod: making one succeeds though gc takes the directory before it is locked")
{
	struct dir d;
	int st;

	REQUIRE(dir_make(&d));
	pid_t maker = fork();
	if (maker == 0) {
		struct pod p;
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			_exit(3);
		raise(SIGSTOP);
		_exit(pod_new(d.ps, &p, &d.e) < 0 ? 1 : p.state == POD_PREPARING ? 0 : 2);
	}
	if (waitpid(maker, &st, 0) != maker || !WIFSTOPPED(st))
		SKIP("may not trace a child");
	CHECK(stop_before(maker, SYS_flock));
	CHECK_INT(n_pods(&d), 1);
	collect(&d);
	CHECK_INT(n_pods(&d), 0);
	ptrace(PTRACE_DETACH, maker, 0, 0);
	CHECK_INT(child_status(maker), 0);
	CHECK_INT(n_pods(&d), 1);
	dir_drop(&d);
}

TEST(found_in_motion, "pod: is found at every moment of its way")
{
	struct dir d;
	int missed = 0, aborted = 0, looks = 0;

	REQUIRE(dir_make(&d));
	for (int i = 0; i < 100; i++) {
		struct pod p;
		REQUIRE(pod_new(d.ps, &p, &d.e) == 0);
		pid_t mover = fork();
		if (mover == 0) {
			nap_ms(1);
			if (pod_to_prepared(&p, &d.e) < 0 || pod_to_run(&p, &d.e) < 0)
				_exit(1);
			nap_ms(1);
			_exit(0);
		}
		pod_close(&p);
		for (int k = 0; k < 200; k++, looks++) {
			enum pod_state s = state_of_uuid(&d, p.uuid);
			missed += s == (enum pod_state)-1;
			aborted += s == POD_ABORTED_PREPARE;
		}
		CHECK_INT(child_status(mover), 0);
	}
	CHECK_INT(missed, 0);
	CHECK_INT(aborted, 0);
	dir_drop(&d);
}

UNIT_MAIN(uuid_form, uuid_bad, life, life_prepared, killed, handed_over, wait_exit, prefixes, prefixes_hostile, strays,
	  no_data_dir, each_many, run_once, run_looked_at, alive_survive, embryo_taken, found_in_motion)
