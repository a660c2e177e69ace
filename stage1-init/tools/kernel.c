/* SPDX-License-Identifier: Apache-2.0
 * kernel - tools that look at processes and what the kernel says of them: ps, env, id, mount, kill
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/num.h"
#include "stage1-init/tools/tools.h"

/* ---- ps ---- */

static size_t read_proc(const char *pid, const char *what, char *out, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.10s/%s", pid, what);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(out, 1, size - 1, f) : 0;
	if (f)
		fclose(f);
	out[n] = 0;
	return n;
}

/* the value in a line of /proc/PID/status */
static void field(const char *status, const char *name, char *out, size_t size)
{
	const char *p = strstr(status, name);

	*out = 0;
	if (!p)
		return;
	p += strlen(name);
	p += strspn(p, "\t ");
	snprintf(out, size, "%.*s", (int)strcspn(p, "\t\n"), p);
}

static void print_process(const char *pid)
{
	char status[4096], args[512], user[16], parent[16], name[64], state[32], memory[24];
	size_t n = read_proc(pid, "status", status, sizeof(status));

	if (!n)
		return; /* ended meanwhile */
	field(status, "\nUid:", user, sizeof(user));
	field(status, "\nPPid:", parent, sizeof(parent));
	field(status, "Name:", name, sizeof(name));
	field(status, "\nState:", state, sizeof(state));
	field(status, "\nVmRSS:", memory, sizeof(memory));
	printf("%5s %5s %5s %c %10s ", pid, parent, user, *state, *memory ? memory : "-");
	n = read_proc(pid, "cmdline", args, sizeof(args));
	for (size_t i = 0; i + 1 < n; i++)
		if (!args[i])
			args[i] = ' ';
	if (!n)
		snprintf(args, sizeof(args), "[%s]", name);
	tools_print(args);
	putchar('\n');
}

static int is_process(const struct dirent *d)
{
	return *d->d_name >= '0' && *d->d_name <= '9';
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	size_t n = strlen((*a)->d_name), m = strlen((*b)->d_name);

	return n != m ? (n < m ? -1 : 1) : strcmp((*a)->d_name, (*b)->d_name);
}

static int ps(int argc, char **argv)
{
	struct dirent **v;
	int n = scandir("/proc", &v, is_process, by_number);

	(void)argc;
	if (n < 0)
		return tools_error(argv[0], "/proc");
	puts("  PID  PPID  USER S     MEMORY COMMAND");
	for (int i = 0; i < n; i++) {
		print_process(v[i]->d_name);
		free(v[i]);
	}
	free(v);
	return 0;
}

/* ---- the others ---- */

static int env(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (char **p = environ; *p; p++)
		puts(*p);
	return 0;
}

static int id(int argc, char **argv)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	(void)argc;
	if (n < 0)
		return tools_error(argv[0], "groups");
	printf("uid=%lu gid=%lu groups=", (unsigned long)getuid(), (unsigned long)getgid());
	for (int i = 0; i < n; i++)
		printf(i ? ",%lu" : "%lu", (unsigned long)groups[i]);
	putchar('\n');
	return 0;
}

/* as mount(8) says it: "SOURCE on PLACE type TYPE (OPTIONS)" */
static int mount_list(int argc, char **argv)
{
	char line[4096], *f[6];
	FILE *in = fopen("/proc/self/mounts", "re");

	(void)argc;
	if (!in)
		return tools_error(argv[0], "/proc/self/mounts");
	while (fgets(line, sizeof(line), in)) {
		char *save = NULL;
		size_t n = 0;
		for (char *p = strtok_r(line, " \n", &save); p && n < 6; p = strtok_r(NULL, " \n", &save))
			f[n++] = p;
		if (n == 6)
			printf("%s on %s type %s (%s)\n", f[0], f[1], f[2], f[3]);
	}
	fclose(in);
	return 0;
}

static int say(const struct err *e)
{
	fprintf(stderr, "kill: %s\n", e->msg);
	return 1;
}

static int kill_all(int argc, char **argv)
{
	uint64_t sig = SIGTERM, pid;
	int status = 0, i = 1;
	struct err e;

	if (argc > 1 && *argv[1] == '-' && num_u64(argv[i++] + 1, NSIG - 1, &sig, &e) < 0)
		return say(&e);
	for (; i < argc; i++)
		if (num_u64(argv[i], INT32_MAX, &pid, &e) < 0)
			status = say(&e);
		else if (kill((pid_t)pid, (int)sig) < 0)
			status = tools_error("kill", argv[i]);
	return status;
}

const struct tool tools_kernel[] = {
	{ "ps", "", "the processes of the pod", ps },
	{ "env", "", "the environment", env },
	{ "id", "", "user and groups, by number", id },
	{ "mount", "", "what is mounted", mount_list },
	{ "kill", "[-NUMBER] PID...", "send a signal (default: 15)", kill_all },
	{ .name = NULL },
};
