/* SPDX-License-Identifier: Apache-2.0
 * base_opt - unit tests of core/base/opt.c
 */
#include "core/base/opt.h"

#include <errno.h>

#include "testsuite/unit/unit.h"

struct shared_opts {
	bool        debug;
	const char *dir;
};

struct test_opts {
	struct shared_opts g;
	bool               flag, other;
	const char        *text;
	int64_t            time_ns;
	uint64_t           number;
	struct opt_list    list;
	struct buf         trace; /* what was called, in order */
};

static int call_with(void *opts, const char *arg, struct err *e)
{
	struct test_opts *o = opts;

	if (!strcmp(arg, "bad"))
		return err_set(e, EINVAL, "bad it is");
	buf_fmt(&o->trace, "with=%s;", arg);
	return 0;
}

static int call_flag(void *opts, const char *arg, struct err *e)
{
	struct test_opts *o = opts;

	(void)e;
	buf_fmt(&o->trace, "flag%s;", arg ? arg : "");
	return 0;
}

static int operand(void *opts, const char *arg, struct err *e)
{
	struct test_opts *o = opts;

	(void)e;
	buf_fmt(&o->trace, "[%s];", arg);
	return 0;
}

static int rest(void *opts, int argc, char **argv, struct err *e)
{
	struct test_opts *o = opts;

	(void)e;
	buf_str(&o->trace, "rest(");
	for (int i = 0; i < argc; i++)
		buf_fmt(&o->trace, "%s,", argv[i]);
	buf_str(&o->trace, ");");
	return 0;
}

static const struct opt shared_table[] = {
	OPT_BOOL(0, "debug", struct shared_opts, debug, "say more"),
	OPT_TEXT(0, "dir", "DIR", struct shared_opts, dir, "where all data live"),
	OPT_END
};

static const struct opt table[] = {
	OPT_BOOL('f', "flag", struct test_opts, flag, "a flag"),
	OPT_BOOL('o', "other", struct test_opts, other, "another flag"),
	OPT_TEXT('t', "text", "TEXT", struct test_opts, text, "a text"),
	OPT_TIME(0, "grace-period", "TIME", struct test_opts, time_ns, "a time"),
	OPT_NUM('n', "number", "N", struct test_opts, number, "a number"),
	OPT_LIST('l', "list", "X", struct test_opts, list, "may be repeated"),
	OPT_CALL('c', "call", "X", call_with,
		 "calls, and has a help that is much too long for one line of a terminal, so it must be wrapped"),
	OPT_CALL(0, "call-flag", NULL, call_flag, "calls without an argument"),
	{ .kind = OPT_KIND_TEXT, .name = "old-text", .arg = "TEXT", .help = "a text", .hidden = true,
	  .at = OPT_AT(struct test_opts, text, const char *) },
	OPT_PART("Global options", shared_table, struct test_opts, g),
	OPT_END
};

static const struct cmd plain_cmd = {
	.name = "plain", .args = "[UUID...]", .summary = "Does nothing", .opts = table,
	.opts_size = sizeof(struct test_opts),
};
static const struct cmd run_cmd = {
	.name = "run", .args = "IMAGE [-- ARGS] [--- IMAGE]...", .summary = "Runs", .opts = table,
	.opts_size = sizeof(struct test_opts), .operand = operand, .rest = rest,
};
static const struct cmd hidden_cmd = { .name = "secret", .summary = "Hidden", .hidden = true };
static const struct cmd *const subs[] = { &plain_cmd, &run_cmd, &hidden_cmd, NULL };
static const struct cmd group_cmd = {
	.name = "group", .args = "COMMAND", .summary = "A group", .opts = shared_table,
	.opts_size = sizeof(struct shared_opts), .sub = subs,
};

/* parses words that blanks separate; ~ stands for the empty word */
struct parsed {
	struct test_opts o;
	struct err       e;
	char             words[512];
	char            *argv[32], **left;
	int              argc;
	enum opt_result  r;
};

static void parse(struct parsed *p, const struct cmd *c, const char *line)
{
	*p = (struct parsed){ .left = p->argv };
	snprintf(p->words, sizeof(p->words), "%s", line);
	for (char *w = strtok(p->words, " "); w; w = strtok(NULL, " "))
		p->argv[p->argc++] = strcmp(w, "~") ? w : w + 1;
	p->r = opt_parse(c, &p->o, &p->argc, &p->left, &p->e);
}

static void drop(struct parsed *p)
{
	opt_free(&plain_cmd, &p->o);
	buf_free(&p->o.trace);
}

static void accepts(const char *line)
{
	struct parsed p;

	parse(&p, &plain_cmd, line);
	if (p.r != OPT_OK)
		printf("# %s: %s\n", line, p.e.msg);
	CHECK_INT(p.r, OPT_OK);
	CHECK_STR(p.o.text, "x");
	CHECK(p.o.flag);
	CHECK_INT(p.argc, 0);
	drop(&p);
}

TEST(spellings, "opt: every spelling that rkt and actool had means the same")
{
	accepts("--text=x --flag");
	accepts("--text x --flag");
	accepts("-text=x -flag");
	accepts("-text x -flag");
	accepts("-t x -f");
	accepts("-tx -f");
	accepts("-ftx");
	accepts("-foft x");
	accepts("--flag=true --text=x");
	accepts("-flag=true --text=x");
	accepts("--flag=false --flag --text=y --text=x");
	accepts("--old-text=x -f");
}

TEST(booleans, "opt: --flag=false, and nothing but true and false")
{
	struct parsed p;

	parse(&p, &plain_cmd, "--flag --flag=false --other");
	CHECK_INT(p.r, OPT_OK);
	CHECK(!p.o.flag && p.o.other);
	drop(&p);
	parse(&p, &plain_cmd, "--flag false"); /* the next word is an operand, as in rkt */
	CHECK_INT(p.r, OPT_OK);
	CHECK(p.o.flag);
	CHECK_INT(p.argc, 1);
	CHECK_STR(p.left[0], "false");
	drop(&p);
	parse(&p, &plain_cmd, "--flag=yes");
	CHECK_INT(p.r, OPT_ERROR);
	CHECK_INT(p.e.code, EINVAL);
	CHECK_HAS(p.e.msg, "--flag");
	CHECK_HAS(p.e.msg, "true or false");
	drop(&p);
	parse(&p, &plain_cmd, "--flag=");
	CHECK_INT(p.r, OPT_ERROR);
	drop(&p);
}

TEST(values, "opt: texts, times, numbers and lists")
{
	struct parsed p;

	parse(&p, &plain_cmd, "--text= --grace-period=1h30m -n 18446744073709551615 -l a --list=b -list c --list d=e");
	CHECK_INT(p.r, OPT_OK);
	CHECK_STR(p.o.text, "");
	CHECK_INT(p.o.time_ns, 5400000000000);
	CHECK(p.o.number == UINT64_MAX);
	CHECK_INT(p.o.list.n, 4);
	if (p.o.list.n == 4) {
		CHECK_STR(p.o.list.v[0], "a");
		CHECK_STR(p.o.list.v[3], "d=e");
	}
	drop(&p);
	CHECK(!p.o.list.v);
	parse(&p, &plain_cmd, "--text -f"); /* a value may begin with a dash */
	CHECK_STR(p.o.text, "-f");
	CHECK(!p.o.flag);
	drop(&p);
	parse(&p, &plain_cmd, "--debug --dir=/x");
	CHECK(p.o.g.debug);
	CHECK_STR(p.o.g.dir, "/x");
	drop(&p);
}

static void refuses(const char *line, const char *why)
{
	struct parsed p;

	parse(&p, &plain_cmd, line);
	if (p.r != OPT_ERROR)
		printf("# accepted: %s\n", line);
	CHECK_INT(p.r, OPT_ERROR);
	CHECK_HAS(p.e.msg, why);
	drop(&p);
}

TEST(mistakes, "opt: unknown, shortened and incomplete options are errors that name the option")
{
	refuses("--nope", "unknown option --nope");
	refuses("--nope=1", "unknown option --nope");
	refuses("--fla", "unknown option --fla");
	refuses("--flags", "unknown option --flags");
	refuses("-x", "unknown option -x");
	refuses("-fx", "unknown option -fx");
	refuses("---", "unknown option");
	refuses("--=x", "unknown option");
	refuses("--text", "--text needs a value: TEXT");
	refuses("-t", "-t needs a value: TEXT");
	refuses("-ft", "-t needs a value: TEXT");
	refuses("--call-flag=1", "--call-flag takes no value");
	refuses("--number=-1", "--number");
	refuses("--number=0x10", "--number");
	refuses("--number ~", "--number");
	refuses("--grace-period=1", "--grace-period");
	refuses("--call=bad", "--call: bad it is");
	refuses("a --nope", "unknown option --nope");
}

TEST(operands, "opt: operands keep their order, and options may follow them up to --")
{
	struct parsed p;

	parse(&p, &plain_cmd, "a --flag b - -- -c --text d");
	CHECK_INT(p.r, OPT_OK);
	CHECK_INT(p.argc, 6);
	CHECK_STR(p.left[0], "a");
	CHECK_STR(p.left[1], "b");
	CHECK_STR(p.left[2], "-");
	CHECK_STR(p.left[3], "-c");
	CHECK_STR(p.left[4], "--text");
	CHECK_STR(p.left[5], "d");
	CHECK_STR(p.left[6], NULL);
	CHECK(p.o.flag && !p.o.text);
	drop(&p);
	parse(&p, &plain_cmd, "~ --");
	CHECK_INT(p.argc, 1);
	CHECK_STR(p.left[0], "");
	drop(&p);
	parse(&p, &plain_cmd, "");
	CHECK_INT(p.r, OPT_OK);
	CHECK_INT(p.argc, 0);
	drop(&p);
}

TEST(order, "opt: calls and operands come in the order of the command line, -- and --- delimit")
{
	struct parsed p;

	parse(&p, &run_cmd, "--call=1 img1 --call-flag -c 2 -- -x --call=3 --help --- img2 -c4 --- img3 -- a -- b");
	CHECK_INT(p.r, OPT_OK);
	CHECK_STR(p.o.trace.data, "with=1;[img1];flag;with=2;rest(-x,--call=3,--help,);[---];[img2];with=4;[---];"
				  "[img3];rest(a,--,b,);");
	CHECK_INT(p.argc, 0);
	drop(&p);
	parse(&p, &run_cmd, "img --");
	CHECK_STR(p.o.trace.data, "[img];rest();");
	drop(&p);
	parse(&p, &run_cmd, "img -- --- img2");
	CHECK_STR(p.o.trace.data, "[img];rest();[---];[img2];");
	drop(&p);
}

TEST(groups, "opt: a group stops at its subcommand")
{
	struct parsed p;
	struct shared_opts o = { 0 };
	struct err e = { 0 };
	char *argv[] = { (char[]){ "--debug" }, (char[]){ "run" }, (char[]){ "--nope" }, (char[]){ "x" }, NULL };
	char **left = argv;
	int argc = 4;

	CHECK_INT(opt_parse(&group_cmd, &o, &argc, &left, &e), OPT_OK);
	CHECK(o.debug);
	CHECK_INT(argc, 3);
	CHECK_STR(left[0], "run");
	CHECK_STR(left[1], "--nope");
	CHECK(opt_sub(&group_cmd, "run") == &run_cmd);
	CHECK(opt_sub(&group_cmd, "secret") == &hidden_cmd);
	CHECK(!opt_sub(&group_cmd, "ru"));
	CHECK(!opt_sub(&plain_cmd, "run"));
	parse(&p, &plain_cmd, "-f");
	drop(&p);
}

TEST(help_asked, "opt: --help, -help and -h, but not behind --")
{
	static const char *const lines[] = { "--help", "-help", "-h", "a --help", "--flag -h --nope" };
	struct parsed p;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		parse(&p, &plain_cmd, lines[i]);
		CHECK_INT(p.r, OPT_HELP);
		drop(&p);
	}
	parse(&p, &plain_cmd, "-- --help");
	CHECK_INT(p.r, OPT_OK);
	drop(&p);
	parse(&p, &plain_cmd, "--text --help");
	CHECK_INT(p.r, OPT_OK);
	CHECK_STR(p.o.text, "--help");
	drop(&p);
}

TEST(help_text, "opt: help names every option that is not hidden, within 80 columns")
{
	struct buf b = { 0 };

	opt_help(&plain_cmd, "rkt image", &b);
	CHECK_HAS(b.data, "Usage: rkt image plain [OPTION...] [UUID...]\n");
	CHECK_HAS(b.data, "  -f, --flag ");
	CHECK_HAS(b.data, "      --grace-period=TIME");
	CHECK_HAS(b.data, "\nGlobal options:\n");
	CHECK_HAS(b.data, "--dir=DIR");
	CHECK(!strstr(b.data, "old-text"));
	for (const char *line = b.data; *line;) {
		size_t n = strcspn(line, "\n");
		CHECK(n <= 80);
		CHECK(!n || line[n - 1] != ' ');
		line += n + (line[n] == '\n');
	}
	CHECK_INT(b.data[b.len - 1], '\n');
	buf_free(&b);
	opt_help(&group_cmd, "", &b);
	CHECK_HAS(b.data, "Usage: group [OPTION...] COMMAND\n");
	CHECK_HAS(b.data, "\nCommands:\n");
	CHECK_HAS(b.data, "  run ");
	CHECK(!strstr(b.data, "secret"));
	buf_free(&b);
}

TEST(dump, "opt: the dump has a line for every command and option")
{
	struct buf b = { 0 };

	opt_dump(&group_cmd, "rkt", &b);
	CHECK_HAS(b.data, "rkt group\t\t\tCOMMAND\tA group\n");
	CHECK_HAS(b.data, "rkt group\tdebug\t-\t-\tsay more\n");
	CHECK_HAS(b.data, "rkt group plain\t\t\t[UUID...]\tDoes nothing\n");
	CHECK_HAS(b.data, "rkt group plain\ttext\tt\tTEXT\ta text\n");
	CHECK_HAS(b.data, "rkt group plain\tdir\t-\tDIR\twhere all data live\n");
	CHECK_HAS(b.data, "rkt group plain\told-text\t-\tTEXT\t(old spelling) a text\n");
	buf_free(&b);
}

UNIT_MAIN(spellings, booleans, values, mistakes, operands, order, groups, help_asked, help_text, dump)
