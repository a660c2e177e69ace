/* SPDX-License-Identifier: Apache-2.0
 * measure - time and memory of whole commands, run in turns so that a busy moment hits all of them alike
 *
 * usage: measure [-oq] [-n RUNS] [-p PREPARE] [-r ROW] [-w MS] 'COMMAND' ['COMMAND'...]
 * A command is split at blanks; its output goes to /dev/null, with -q what it says to stderr as well. PREPARE is run
 * before each of them, with its number, counted from 1, as one more word; it is not measured. The order is another
 * one in each turn, with -o that of the arguments.
 *
 * What a command leaves to the kernel (namespaces and cgroups go when it has ended) is paid by the one that comes
 * next. With -w there are MS milliseconds before each, for the kernel to be done with that. With -r a turn is
 * ROW + 1 runs in a row, of which the first, the one after another command, does not count: so each pays for itself.
 *
 * Prints one line per command: median and lowest wall time in microseconds, the largest resident set of it or its
 * children in KiB, and the least processor time of them all in microseconds, for which a busy machine counts less. A
 * command that fails ends the whole measurement with status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS 512

extern char **environ;

static bool       quiet, in_order;
static useconds_t wait_us;
static int        in_row;

struct command {
	char  *text;
	char  *words[MAX_WORDS + 1];
	long  *us;         /* [n_us] */
	int    n_us;
	long   max_rss_kib, cpu_us;
};

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static int split(struct command *c, char *text, int runs)
{
	int n = 0;

	c->text = strdup(text);
	c->us = calloc((size_t)runs * (size_t)(in_row ? in_row : 1), sizeof(*c->us));
	if (!c->text || !c->us)
		return -1;
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " ")) {
		if (n == MAX_WORDS - 1)
			return -1;
		c->words[n++] = w;
	}
	return n ? 0 : -1;
}

/* the time it took in microseconds, or -1 */
static long run_words(struct command *c, struct rusage *ru)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	if (quiet)
		posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
	long begin = now_us();
	int r = posix_spawnp(&pid, c->words[0], &fa, NULL, c->words, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (r) {
		fprintf(stderr, "measure: %s: %s\n", c->words[0], strerror(r));
		return -1;
	}
	while (wait4(pid, &status, 0, ru) < 0)
		if (errno != EINTR)
			return -1;
	long us = now_us() - begin;
	if (status) {
		fprintf(stderr, "measure: status %#x of: %s\n", (unsigned)status, c->text);
		return -1;
	}
	return us;
}

static int run_one(struct command *c)
{
	struct rusage ru;

	usleep(wait_us);
	long us = run_words(c, &ru);
	if (us < 0)
		return -1;
	long cpu_us = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000L + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
	c->us[c->n_us] = us;
	if (!c->n_us++ || cpu_us < c->cpu_us)
		c->cpu_us = cpu_us;
	if (ru.ru_maxrss > c->max_rss_kib)
		c->max_rss_kib = ru.ru_maxrss;
	return 0;
}

/* @p: NULL: nothing to do; its last word is for the number */
static int prepare(struct command *p, int number)
{
	char text[16];
	struct rusage ru;
	int n = 0;

	if (!p)
		return 0;
	while (p->words[n])
		n++;
	snprintf(text, sizeof(text), "%d", number);
	p->words[n] = text;
	long us = run_words(p, &ru);
	p->words[n] = NULL;
	return us < 0 ? -1 : 0;
}

/* @order: of the @n commands, shuffled for the next turn; the same orders in every measurement */
static void shuffle(int *order, int n)
{
	static unsigned seed = 1;

	for (int i = n - 1; i > 0; i--) {
		int with = rand_r(&seed) % (i + 1), other = order[with];
		order[with] = order[i];
		order[i] = other;
	}
}

/* the turn of one command */
static int run_row(struct command *c)
{
	struct rusage ru;

	if (in_row && run_words(c, &ru) < 0)
		return -1;
	for (int i = 0; i < (in_row ? in_row : 1); i++)
		if (run_one(c) < 0)
			return -1;
	return 0;
}

/* each of the @n commands @c; -1 when one failed */
static int run_all(struct command *c, int *order, int n, struct command *before)
{
	if (!in_order)
		shuffle(order, n);
	for (int i = 0; i < n; i++)
		if (prepare(before, order[i] + 1) < 0 || run_row(&c[order[i]]) < 0)
			return -1;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct command before = { 0 };
	int runs = 1, opt;

	while ((opt = getopt(argc, argv, "+n:op:qr:w:")) != -1) {
		if (opt == 'n')
			runs = atoi(optarg);
		else if (opt == 'w')
			wait_us = (useconds_t)atoi(optarg) * 1000;
		else if (opt == 'r')
			in_row = atoi(optarg);
		else if (opt == 'o')
			in_order = true;
		else if (opt == 'q')
			quiet = true;
		else if (opt != 'p' || split(&before, optarg, 1) < 0)
			return 2;
	}
	int n = argc - optind;
	if (n < 1 || runs < 1 || in_row < 0) {
		fputs("usage: measure [-oq] [-n RUNS] [-p PREPARE] [-r ROW] [-w MS] 'COMMAND' ['COMMAND'...]\n", stderr);
		return 2;
	}
	struct command *c = calloc((size_t)n, sizeof(*c));
	int *order = calloc((size_t)n, sizeof(*order));
	if (!c || !order)
		return 1;
	for (int i = 0; i < n; i++) {
		order[i] = i;
		if (split(&c[i], argv[optind + i], runs) < 0) {
			fprintf(stderr, "measure: cannot split: %s\n", argv[optind + i]);
			return 1;
		}
	}
	for (int run = 0; run < runs; run++)
		if (run_all(c, order, n, before.words[0] ? &before : NULL) < 0)
			return 1;
	for (int i = 0; i < n; i++) {
		qsort(c[i].us, (size_t)c[i].n_us, sizeof(*c[i].us), by_value);
		printf("%ld %ld %ld %ld\n", c[i].us[c[i].n_us / 2], c[i].us[0], c[i].max_rss_kib, c[i].cpu_us);
	}
	return 0;
}
