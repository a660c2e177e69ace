/* SPDX-License-Identifier: Apache-2.0
 * Workers of the host side: started when wanted, one at a time, dead with their parent, and at rest after a failure.
 */
#include "core/base/clock.h"
#include "stage1-init/worker.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "testsuite/unit/unit.h"

/* what it is told to do: 'x' ends well, 'f' fails, 's' says who it is and stays */
struct job { int in, out; };

static int work(void *ctx)
{
	const struct job *j = ctx;
	pid_t pid = getpid();
	char c;

	if (read(j->in, &c, 1) != 1)
		return 3;
	if (c == 's' && write(j->out, &pid, sizeof(pid)) == sizeof(pid))
		for (;;)
			pause();
	return c == 'x' ? 0 : 1;
}

static size_t look(struct worker *w)
{
	struct pollfd p[4] = { { .fd = -1 } };
	size_t n = worker_polls(w, p);

	poll(p, n, 0);
	worker_handle(w, p, n);
	return n;
}

static int await(struct worker *w)
{
	int status = -1;
	pid_t pid = waitpid(w->pid, &status, 0);

	CHECK(!worker_ended(w, pid + 1, status));
	CHECK(worker_ended(w, pid, status));
	return status;
}

struct kit { struct job job; struct pollfd wanted; struct worker w; int to; };

static bool set_up(struct kit *k)
{
	int in[2], out[2];

	if (pipe(in) < 0 || pipe(out) < 0)
		return false;
	*k = (struct kit){ .job = { in[0], out[1] }, .wanted = { .fd = in[0], .events = POLLIN }, .to = in[1] };
	k->w = (struct worker){ .what = "test", .wanted = &k->wanted, .n_wanted = 1, .main = work, .ctx = &k->job };
	return true;
}

TEST(wanted, "worker: nothing runs until it is wanted, then one process; and again after that")
{
	struct kit k;

	REQUIRE(set_up(&k));
	CHECK_INT(look(&k.w), 1);
	CHECK_INT(k.w.pid, 0);
	CHECK_INT(worker_timeout_ms(&k.w), -1);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(write(k.to, "x", 1), 1);
		CHECK_INT(look(&k.w), 1);
		CHECK(k.w.pid > 0);
		CHECK_INT(look(&k.w), 0);
		CHECK_INT(await(&k.w), 0);
		CHECK_INT(k.w.pid, 0);
	}
}

TEST(failed, "worker: one that fails is not started again at once, though it is wanted")
{
	struct kit k;

	REQUIRE(set_up(&k));
	CHECK_INT(write(k.to, "fx", 2), 2);
	look(&k.w);
	CHECK(await(&k.w) != 0);
	CHECK_INT(look(&k.w), 0);
	CHECK_INT(k.w.pid, 0);
	CHECK(worker_timeout_ms(&k.w) > 0 && worker_timeout_ms(&k.w) <= 1000);
	k.w.not_before_ms = 1; /* later */
	CHECK_INT(worker_timeout_ms(&k.w), -1);
	CHECK_INT(look(&k.w), 1);
	CHECK_INT(await(&k.w), 0);
}

TEST(in_time, "worker: starts at its time, and that once")
{
	struct kit k;

	REQUIRE(set_up(&k));
	CHECK_INT(write(k.to, "x", 1), 1);
	k.w.n_wanted = 0;
	k.w.at_ms = clock_ms(CLOCK_BOOTTIME) + 60000;
	CHECK(worker_timeout_ms(&k.w) > 50000);
	look(&k.w);
	CHECK_INT(k.w.pid, 0);
	k.w.at_ms = clock_ms(CLOCK_BOOTTIME);
	CHECK_INT(worker_timeout_ms(&k.w), 0);
	look(&k.w);
	CHECK(k.w.pid > 0);
	CHECK_INT(worker_timeout_ms(&k.w), -1);
	CHECK_INT(await(&k.w), 0);
	look(&k.w);
	CHECK_INT(k.w.pid, 0);
}

TEST(killed, "worker: is gone when it was killed, and killing none is harmless")
{
	struct kit k;
	pid_t pid;

	REQUIRE(set_up(&k));
	worker_kill(&k.w);
	CHECK_INT(write(k.to, "s", 1), 1);
	look(&k.w);
	pid = k.w.pid;
	worker_kill(&k.w);
	CHECK_INT(k.w.pid, 0);
	CHECK(kill(pid, 0) < 0);
}

TEST(orphaned, "worker: dies with its parent, however that dies")
{
	struct kit k;
	int ours[2];
	pid_t pid = 0;

	REQUIRE(set_up(&k) && pipe(ours) == 0);
	k.job.out = ours[1];
	pid_t parent = fork();
	if (parent == 0) {
		if (write(k.to, "s", 1) == 1)
			look(&k.w);
		for (;;)
			pause();
	}
	CHECK_INT(read(ours[0], &pid, sizeof(pid)), sizeof(pid));
	REQUIRE(pid > 0);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	close(ours[1]);
	/* its end of the pipe closes when it is gone */
	CHECK_INT(read(ours[0], &pid, 1), 0);
}

UNIT_MAIN(wanted, failed, in_time, killed, orphaned)
