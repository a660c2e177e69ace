/* SPDX-License-Identifier: Apache-2.0
 * tools - see tools.h: the prompt
 */
#include "stage1-init/tools/tools.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/base/defence.h"
#include "core/base/num.h"

#define WORDS_MAX 64
#define NOT_FOUND 127

/* ---- shared by the tools ---- */

static volatile sig_atomic_t interrupted;

/* again and again until it is heard: the first may come just before the call that it should end */
static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
	alarm(1);
}

/* the app's filter of system calls may not know this one, so only who types ^C needs it */
static void heard(void)
{
	if (interrupted)
		alarm(0);
	interrupted = 0;
}

bool tools_interrupted(void)
{
	return interrupted;
}

int tools_error(const char *name, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s: %s\n", name, what, strerror(errno));
	return 1;
}

void tools_print(const char *name)
{
	for (; *name; name++)
		putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

/* ---- those that are about the prompt itself ---- */

static const struct tool own[];
static const struct tool *const lists[] = { own, tools_files, tools_kernel };
#define N_LISTS (sizeof(lists) / sizeof(*lists))

static int help(int argc, char **argv)
{
	char usage[64];

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < N_LISTS; i++)
		for (const struct tool *t = lists[i]; t->name; t++) {
			snprintf(usage, sizeof(usage), "%s %s", t->name, t->args);
			printf("%-24s %s\n", usage, t->summary);
		}
	return 0;
}

static int cd(int argc, char **argv)
{
	const char *to = argc > 1 ? argv[1] : "/";

	return chdir(to) < 0 ? tools_error("cd", to) : 0;
}

static int pwd(int argc, char **argv)
{
	char cwd[PATH_MAX];

	(void)argc;
	if (!getcwd(cwd, sizeof(cwd)))
		return tools_error(argv[0], ".");
	tools_print(cwd);
	putchar('\n');
	return 0;
}

static int echo(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf(i > 1 ? " %s" : "%s", argv[i]);
	putchar('\n');
	return 0;
}

/* the words behind it as a program of the image takes the place of the prompt */
static int execute(int argc, char **argv)
{
	if (argc < 2)
		return 0;
	fflush(stdout);
	heard();
	execvp(argv[1], argv + 1);
	return tools_error("exec", argv[1]);
}

static const struct tool own[] = {
	{ "help", "", "this list", help },
	{ "cd", "[DIR]", "change the directory; without DIR to /", cd },
	{ "pwd", "", "the directory", pwd },
	{ "echo", "[WORD...]", "the words", echo },
	{ "exec", "PROGRAM [ARG...]", "become a program of the image", execute },
	{ .name = NULL },
};

/* ---- running one ---- */

static const struct tool *find(const char *name)
{
	for (size_t i = 0; i < N_LISTS; i++)
		for (const struct tool *t = lists[i]; t->name; t++)
			if (!strcmp(t->name, name))
				return t;
	return NULL;
}

static int run(int argc, char **argv)
{
	const struct tool *t = find(argv[0]);

	heard();
	if (!t) {
		fprintf(stderr, "%s: there is no such tool; \"help\" lists them, \"exec\" executes a program of the image\n",
			argv[0]);
		return NOT_FOUND;
	}
	int status = t->run(argc, argv);
	if (fflush(stdout) == EOF) {
		clearerr(stdout);
		return tools_error(argv[0], "write");
	}
	return status;
}

/* ---- the prompt ---- */

/* the next word, cut out of the line; quotes of both kinds hold words together */
static char *next_word(char **line)
{
	char *from = *line + strspn(*line, " \t\n"), *to, *word, quote = 0;

	if (!*from)
		return NULL;
	word = to = from;
	for (; *from && (quote || !strchr(" \t\n", *from)); from++)
		if (*from == quote)
			quote = 0;
		else if (!quote && (*from == '"' || *from == '\''))
			quote = *from;
		else
			*to++ = *from;
	*line = from + (*from != 0);
	*to = 0;
	return word;
}

static int split(char *line, char *words[WORDS_MAX + 1])
{
	int n = 0;

	while (n < WORDS_MAX && (words[n] = next_word(&line)))
		n++;
	words[n] = NULL;
	return n;
}

/* false at the end */
static bool read_line(char *line, int size)
{
	heard();
	while (!fgets(line, size, stdin)) {
		if (!ferror(stdin) || errno != EINTR)
			return false;
		/* ^C at the prompt: begin anew */
		clearerr(stdin);
		heard();
		fputs("\n> ", stderr);
	}
	return true;
}

static int exit_status(const char *text)
{
	struct err e;
	uint64_t status;

	return num_u64(text, 255, &status, &e) < 0 ? 2 : (int)status;
}

static int prompt(void)
{
	char line[4096], *words[WORDS_MAX + 1];
	bool asks = isatty(0);
	int status = 0;

	fputs(asks ? "The image has no shell. These are tools of rktbox, which only look; \"help\" lists them.\n" : "",
	      stderr);
	for (;;) {
		if (asks)
			fputs("> ", stderr);
		if (!read_line(line, sizeof(line)))
			break;
		int n = split(line, words);
		if (n && !strcmp(words[0], "exit"))
			return n > 1 ? exit_status(words[1]) : status;
		if (n)
			status = run(n, words);
	}
	return status;
}

static int tools_run(void *opts, int argc, char **argv, struct err *e)
{
	/* no SA_RESTART: a command that reads or writes ends */
	struct sigaction a = { .sa_handler = interrupt };

	(void)opts;
	(void)e;
	/* nobody in the pod looks through /proc/PID of ours at what is not the pod's */
	if (DEFENCE("dumpable"))
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGALRM, &a, NULL);
	return argc ? run(argc, argv) : prompt();
}

const struct cmd stage1_tools_cmd = {
	.name = "tools",
	.args = "[TOOL [ARG...]]",
	.summary = "Look around; what enter offers in an image without a shell",
	.leading = true,
	.run = tools_run,
};
