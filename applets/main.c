/* SPDX-License-Identifier: Apache-2.0
 * rktbox - one binary, several applets: argv[0] says which, or the first argument of "rktbox"
 *
 * The only main(). Finds the command in the tables, parses its options, runs it, prints its error once and
 * chooses the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/commands.h"
#include "applets/completion.h"
#include "applets/passphrase.h"
#include "applets/ui.h"

/* What the name of a link stands for: a command, and for short names the words that lead to it. */
struct applet {
	const char       *name;
	const struct cmd *cmd;
	const char       *sub; /* "gc": rkt-gc is "rkt gc" */
	bool              hidden;
};

static const struct applet applets[] = {
#if RKTBOX_WITH_RKT
	{ .name = "rkt", .cmd = &rkt_cmd },
#endif
#if RKTBOX_WITH_ACTOOL
	{ .name = "actool", .cmd = &actool_cmd },
#endif
#if RKTBOX_WITH_RKT_TRUST
	{ .name = "rkt-trust", .cmd = &rkt_cmd, .sub = "trust" },
#endif
#if RKTBOX_WITH_RKT_GC
	{ .name = "rkt-gc", .cmd = &rkt_cmd, .sub = "gc" },
#endif
#if RKTBOX_WITH_STAGE1_INIT
	{ .name = "stage1-init", .cmd = &stage1_init_cmd },
	/* entry points of stage1.aci: links to the one binary */
	{ .name = "stage1-run", .cmd = &stage1_init_cmd, .sub = "run", .hidden = true },
	{ .name = "stage1-enter", .cmd = &stage1_init_cmd, .sub = "enter", .hidden = true },
	{ .name = "stage1-gc", .cmd = &stage1_init_cmd, .sub = "gc", .hidden = true },
	{ .name = "stage1-stop", .cmd = &stage1_init_cmd, .sub = "stop", .hidden = true },
#endif
};
#define N_APPLETS (sizeof(applets) / sizeof(*applets))

#define STATUS_FAILURE 254 /* of rktbox itself, where no applet has a say */

/* where we are on the way down from the applet to the command */
struct path {
	char        text[128]; /* "rkt image": what the command was called by */
	const char *speaker;   /* before messages: "image" */
	int         failure, usage;
	const void *group_opts;
	size_t      group_opts_size;
};

static int fail(const struct path *p, const struct err *e, bool usage)
{
	ui_error(e);
	return usage ? p->usage : p->failure;
}

static int print_help(const struct cmd *c, const struct path *p)
{
	struct buf b = { 0 };
	struct err e;

	opt_help(c, p->text, &b);
	return ui_out(&b, &e) < 0 ? fail(p, &e, false) : 0;
}

static int print_dump(const struct cmd *c, const struct path *p)
{
	struct buf b = { 0 };
	struct err e;

	opt_dump(c, p->text, &b);
	return ui_out(&b, &e) < 0 ? fail(p, &e, false) : 0;
}

static int run_cmd(const struct cmd *c, struct path p, int argc, char **argv);

/* "rkt help [COMMAND...]", "rkt help --dump" */
static int help_cmd(const struct cmd *c, struct path p, char **argv)
{
	struct err e;

	if (*argv && !strcmp(*argv, "--dump"))
		return print_dump(c, &p);
	for (; *argv; argv++) {
		const struct cmd *sub = opt_sub(c, *argv);
		if (!sub) {
			err_set(&e, EINVAL, "unknown command \"%s\" (%s help lists them)", *argv, c->name);
			return fail(&p, &e, true);
		}
		size_t n = strlen(p.text);
		snprintf(p.text + n, sizeof(p.text) - n, "%s%s", n ? " " : "", c->name);
		c = sub;
	}
	return print_help(c, &p);
}

static int run_sub(const struct cmd *c, struct path p, const void *opts, int argc, char **argv)
{
	struct err e;
	const struct cmd *sub = argc ? opt_sub(c, argv[0]) : NULL;

	if (!argc || (!sub && !strcmp(argv[0], "help"))) {
		int r = help_cmd(c, p, argc ? argv + 1 : argv);
		return argc ? r : p.usage;
	}
	if (!sub) {
		err_set(&e, EINVAL, "unknown command \"%s\" (%s%s%s help lists them)", argv[0], p.text,
			*p.text ? " " : "", c->name);
		return fail(&p, &e, true);
	}
	/* messages begin with the name of the outermost command below the applet, as rkt's did */
	if (!*p.text)
		p.speaker = sub->name;
	size_t n = strlen(p.text);
	snprintf(p.text + n, sizeof(p.text) - n, "%s%s", n ? " " : "", c->name);
	/* a nested group (rkt trust) may have options of its own behind those that its commands inherit */
	p.group_opts = opts;
	if (!c->inherits)
		p.group_opts_size = c->opts_size;
	return run_cmd(sub, p, argc - 1, argv + 1);
}

/* a group that also does something by itself (rkt trust KEY): when no subcommand is named */
static bool goes_down(const struct cmd *c, int argc, char **argv)
{
	return c->sub && (!c->run || (argc && opt_sub(c, argv[0])));
}

static int run_parsed(const struct cmd *c, struct path p, void *opts, int argc, char **argv)
{
	struct err e = { .code = 0 };
	struct cmd plain = *c;
	enum opt_result r = opt_parse(c, opts, &argc, &argv, &e);

	if (r == OPT_OK && c->sub && c->run && !goes_down(c, argc, argv)) {
		plain.sub = NULL; /* now options may follow the operands */
		r = opt_parse(&plain, opts, &argc, &argv, &e);
	}
	ui_start(p.speaker, opt_flag(c, opts, "debug"));
	if (r == OPT_HELP)
		return print_help(c, &p);
	if (r == OPT_ERROR)
		return fail(&p, &e, true);
	if (goes_down(c, argc, argv))
		return run_sub(c, p, opts, argc, argv);
	int status = c->run(opts, argc, argv, &e);
	return status < 0 ? fail(&p, &e, status == CMD_USAGE) : status;
}

static int run_cmd(const struct cmd *c, struct path p, int argc, char **argv)
{
	void *opts = xmalloc(c->opts_size);

	p.failure = p.failure ? p.failure : c->failure;
	p.usage = p.usage ? p.usage : c->usage;
	p.speaker = p.speaker ? p.speaker : c->name;
	if (c->inherits && p.group_opts)
		memcpy(opts, p.group_opts, p.group_opts_size);
	if (c->init)
		c->init(opts);
	int status = run_parsed(c, p, opts, argc, argv);
	opt_free(c, opts);
	free(opts);
	return status;
}

static int run_applet(const struct applet *a, int argc, char **argv)
{
	char **words = argv;
	int n = argc;

	if (a->sub) {
		words = xmalloc(((size_t)argc + 2) * sizeof(*words));
		words[0] = xstrdup(a->sub);
		memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
		n++;
	}
	int status = run_cmd(a->cmd, (struct path){ .failure = 0 }, n, words);
	passphrase_forget();
	if (a->sub) {
		free(words[0]);
		free(words);
	}
	return status;
}

static const struct applet *find_applet(const char *name)
{
	for (size_t i = 0; i < N_APPLETS; i++)
		if (!strcmp(applets[i].name, name))
			return &applets[i];
	return NULL;
}

/* ---- rktbox itself ---- */

static int list_applets(void)
{
	struct buf b = { 0 };
	struct err e;

	for (size_t i = 0; i < N_APPLETS; i++)
		if (!applets[i].hidden)
			buf_fmt(&b, "%s\n", applets[i].name);
	if (ui_out(&b, &e) == 0)
		return 0;
	ui_error(&e);
	return STATUS_FAILURE;
}

/* links beside each other are relative, so a staged tree can be moved */
static int install_links(const char *dir)
{
	char self[PATH_MAX];
	struct err e;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0) {
		err_sys(&e, "find the running binary: /proc/self/exe");
		goto fail;
	}
	self[n] = 0;
	char *base = strrchr(self, '/'), real[PATH_MAX];
	*base = 0;
	if (!realpath(dir, real)) {
		err_sys(&e, "directory %s", dir);
		goto fail;
	}
	bool beside = !strcmp(real, self);
	*base = '/';
	for (size_t i = 0; i < N_APPLETS; i++) {
		if (applets[i].hidden)
			continue;
		char *at = xasprintf("%s/%s", dir, applets[i].name);
		if (unlink(at) < 0 && errno != ENOENT)
			err_sys(&e, "replace %s", at);
		else if (symlink(beside ? base + 1 : self, at) < 0)
			err_sys(&e, "link %s", at);
		else
			e.code = 0;
		free(at);
		if (e.code)
			goto fail;
	}
	return 0;
fail:
	ui_error(&e);
	return STATUS_FAILURE;
}

static int dump_all(void)
{
	for (size_t i = 0; i < N_APPLETS; i++)
		if (!applets[i].sub && print_dump(applets[i].cmd, &(struct path){ .failure = STATUS_FAILURE }))
			return STATUS_FAILURE;
	return 0;
}

static int complete(const char *shell)
{
	struct buf dump = { 0 }, out = { 0 };
	struct err e;
	int r = -1;

	for (size_t i = 0; i < N_APPLETS; i++)
		if (!applets[i].sub)
			opt_dump(applets[i].cmd, "", &dump);
	if (dump.failed)
		err_set(&e, ENOMEM, "out of memory");
	else
		r = completion_script(shell, dump.data, &out, &e);
	buf_free(&dump);
	if (r == 0 && ui_out(&out, &e) == 0)
		return 0;
	buf_free(&out);
	ui_error(&e);
	return STATUS_FAILURE;
}

static int usage(FILE *to)
{
	fputs("Usage: rktbox APPLET [ARGUMENT...]\n"
	      "   or: rktbox --list            the applets in this binary\n"
	      "   or: rktbox --install DIR     link them into DIR\n"
	      "   or: rktbox --completion bash|zsh|fish\n"
	      "   or: rktbox --dump            commands and options, tab-separated\n"
	      "   or: rktbox --version\n"
	      "\nPacks, validates, stores and runs App Container Images; a link that is named\n"
	      "after an applet runs it.\n", to);
	return to == stdout ? 0 : STATUS_FAILURE;
}

static int rktbox(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const struct applet *a = find_applet(what);

	if (a)
		return run_applet(a, argc - 2, argv + 2);
	if (!strcmp(what, "--list") && argc == 2)
		return list_applets();
	if (!strcmp(what, "--install") && argc == 3)
		return install_links(argv[2]);
	if (!strcmp(what, "--completion") && argc == 3)
		return complete(argv[2]);
	if (!strcmp(what, "--dump") && argc == 2)
		return dump_all();
	if (!strcmp(what, "--version") && argc == 2) {
		puts("rktbox " RKTBOX_VERSION);
		return fflush(stdout) ? STATUS_FAILURE : 0;
	}
	if (!strcmp(what, "--help") || !strcmp(what, "-h") || !strcmp(what, "help"))
		return usage(stdout);
	if (*what && *what != '-')
		fprintf(stderr, "rktbox: no applet \"%s\" in this binary (rktbox --list)\n", what);
	return usage(stderr);
}

/* A descriptor below 3 that is closed would become the next file we open, and get our messages. */
static void fill_std_fds(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) < 0)
			exit(STATUS_FAILURE);
}

int main(int argc, char **argv)
{
	const char *name = argc ? argv[0] : "rktbox";
	const char *slash = strrchr(name, '/');
	const struct applet *a = find_applet(slash ? slash + 1 : name);

	fill_std_fds();
	setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive writes names as they are then */
	umask(022);
	return a ? run_applet(a, argc - 1, argv + 1) : rktbox(argc, argv);
}
