/* SPDX-License-Identifier: Apache-2.0
 * opt - see opt.h
 */
#include "core/base/opt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/num.h"

struct hit {
	const struct opt *o;
	char             *base; /* the struct that o's table describes */
};

static bool name_is(const struct opt *o, const char *name, size_t len)
{
	return strlen(o->name) == len && !memcmp(o->name, name, len);
}

static bool find(const struct opt *t, char *base, char letter, const char *name, size_t len, struct hit *h)
{
	for (; t && t->kind; t++) {
		if (t->kind == OPT_KIND_PART) {
			if (find(t->part, base + t->at, letter, name, len, h))
				return true;
		} else if (name ? name_is(t, name, len) : t->letter && t->letter == letter) {
			*h = (struct hit){ t, base };
			return true;
		}
	}
	return false;
}

static int store_list(struct opt_list *l, const char *arg, struct err *e)
{
	/* grow at powers of two; the count alone says when */
	if (!(l->n & (l->n - 1))) {
		const char **v = realloc(l->v, (l->n ? l->n * 2 : 1) * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		l->v = v;
	}
	l->v[l->n++] = arg;
	return 0;
}

static int store(const struct hit *h, const char *arg, struct err *e)
{
	void *field = h->base + h->o->at;
	int r = 0;

	switch (h->o->kind) {
	case OPT_KIND_BOOL:
		r = num_bool(arg ? arg : "true", field, e);
		break;
	case OPT_KIND_TEXT:
		*(const char **)field = arg;
		return 0;
	case OPT_KIND_TIME:
		r = num_duration(arg, field, e);
		break;
	case OPT_KIND_NUM:
		r = num_u64(arg, UINT64_MAX, field, e);
		break;
	case OPT_KIND_LIST:
		return store_list(field, arg, e);
	case OPT_KIND_CALL:
		r = h->o->call(h->base, arg, e);
		break;
	case OPT_KIND_PART:
	case OPT_NONE:
		abort();
	}
	return r < 0 ? err_wrap(e, "--%s", h->o->name) : 0;
}

/* A flag that is called, not stored: the one kind without argument that "=value" does not suit. */
static int parse_long(const struct cmd *c, char *opts, const char *name, char **argv, struct err *e)
{
	const char *eq = strchr(name, '=');
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	struct hit h;

	if (!find(c->opts, opts, 0, name, len, &h))
		return err_set(e, EINVAL, "unknown option --%.*s (see --help)", (int)len, name);
	if (!h.o->arg && eq && h.o->kind != OPT_KIND_BOOL)
		return err_set(e, EINVAL, "--%s takes no value", h.o->name);
	bool takes_next = h.o->arg && !eq && !h.o->optional;
	if (takes_next && !argv[1])
		return err_set(e, EINVAL, "--%s needs a value: %s", h.o->name, h.o->arg);
	if (store(&h, eq ? eq + 1 : takes_next ? argv[1] : NULL, e) < 0)
		return -1;
	return takes_next ? 2 : 1;
}

static int parse_letters(const struct cmd *c, char *opts, char **argv, struct err *e)
{
	struct hit h;

	for (const char *p = argv[0] + 1; *p; p++) {
		if (!find(c->opts, opts, *p, NULL, 0, &h))
			return err_set(e, EINVAL, "unknown option %s (see --help)", argv[0]);
		if (!h.o->arg || h.o->optional) {
			if (store(&h, NULL, e) < 0)
				return -1;
			continue;
		}
		const char *arg = p[1] ? p + 1 : argv[1];
		if (!arg)
			return err_set(e, EINVAL, "-%c needs a value: %s", *p, h.o->arg);
		if (store(&h, arg, e) < 0)
			return -1;
		return p[1] ? 1 : 2;
	}
	return 1;
}

/* one argument that begins with a dash; returns how many it took, or -1 */
static int parse_one(const struct cmd *c, void *opts, char **argv, struct err *e)
{
	const char *name = argv[0] + 1;
	struct hit h;

	if (*name == '-')
		return parse_long(c, opts, name + 1, argv, e);
	if (name[1] && find(c->opts, opts, 0, name, strcspn(name, "="), &h))
		return parse_long(c, opts, name, argv, e);
	return parse_letters(c, opts, argv, e);
}

static bool is_help(const char *a)
{
	return !strcmp(a, "--help") || !strcmp(a, "-help") || !strcmp(a, "-h");
}

/* "--": everything up to "---" (when the command takes several images) or the end */
static int take_rest(const struct cmd *c, void *opts, char **argv, struct err *e)
{
	int n = 0;

	while (argv[n] && !(c->operand && !strcmp(argv[n], "---")))
		n++;
	return c->rest(opts, n, argv, e) < 0 ? -1 : n;
}

enum opt_result opt_parse(const struct cmd *c, void *opts, int *argc, char ***argv, struct err *e)
{
	char **in = *argv, **out = *argv;
	bool only_operands = false;

	while (*in) {
		int n = 1;
		bool dashed = in[0][0] == '-' && in[0][1] && !only_operands;
		if (dashed && is_help(*in))
			return OPT_HELP;
		if (dashed && !strcmp(*in, "--")) {
			if (c->rest) {
				if ((n = take_rest(c, opts, in + 1, e)) < 0)
					return OPT_ERROR;
				n++;
			} else {
				only_operands = true;
			}
		} else if (dashed && !(c->operand && !strcmp(*in, "---"))) {
			if ((n = parse_one(c, opts, in, e)) < 0)
				return OPT_ERROR;
		} else if (c->operand) {
			if (c->operand(opts, *in, e) < 0)
				return OPT_ERROR;
		} else if (c->sub || c->leading) {
			break;
		} else {
			*out++ = *in;
		}
		in += n;
	}
	if (!(c->sub || c->leading) || out != *argv) {
		*out = NULL;
		*argc = (int)(out - *argv);
		return OPT_OK;
	}
	*argc -= (int)(in - *argv);
	*argv = in;
	return OPT_OK;
}

bool opt_flag(const struct cmd *c, void *opts, const char *name)
{
	struct hit h;

	return find(c->opts, opts, 0, name, strlen(name), &h) && h.o->kind == OPT_KIND_BOOL &&
	       *(bool *)(void *)(h.base + h.o->at);
}

static void free_lists(const struct opt *t, char *base)
{
	for (; t && t->kind; t++) {
		if (t->kind == OPT_KIND_PART)
			free_lists(t->part, base + t->at);
		if (t->kind == OPT_KIND_LIST) {
			struct opt_list *l = (void *)(base + t->at);
			free(l->v);
			*l = (struct opt_list){ 0 };
		}
	}
}

void opt_free(const struct cmd *c, void *opts)
{
	free_lists(c->opts, opts);
}

/* ---- help ---- */

#define HELP_WIDTH 80
#define HELP_LEFT  30

/* words of @text from column @at on, continued at column @left, never beyond HELP_WIDTH */
static void wrap(struct buf *out, size_t at, size_t left, const char *text)
{
	for (bool first = true; *text; first = false) {
		size_t n = strcspn(text, " ");
		if (!first && at + 1 + n > HELP_WIDTH) {
			buf_fmt(out, "\n%*s", (int)left, "");
			at = left;
		} else if (!first) {
			buf_add(out, " ", 1);
			at++;
		}
		buf_add(out, text, n);
		at += n;
		text += n + (text[n] == ' ');
	}
	buf_add(out, "\n", 1);
}

static size_t longest_word(const char *text)
{
	size_t most = 0;

	while (*text) {
		size_t n = strcspn(text, " ");
		most = n > most ? n : most;
		text += n + (text[n] == ' ');
	}
	return most;
}

static void help_row(struct buf *out, const char *left, const char *text)
{
	size_t n = strlen(left), word = longest_word(text);
	/* a word that does not fit beside the names (the syntax of a volume) moves the text to the left */
	size_t at = HELP_LEFT + word <= HELP_WIDTH ? HELP_LEFT : word < HELP_WIDTH - 8 ? HELP_WIDTH - word : 8;

	if (n + 2 > at)
		buf_fmt(out, "%s\n%*s", left, (int)at, "");
	else
		buf_fmt(out, "%-*s", (int)at, left);
	wrap(out, at, at, text);
}

/* paragraphs end at an empty line; where their lines end in the source does not matter */
static void help_more(struct buf *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		struct buf line = { 0 };
		buf_add(&line, text, end ? (size_t)(end - text) : strlen(text));
		for (size_t i = 0; i < line.len; i++)
			if (line.data[i] == '\n')
				line.data[i] = ' ';
		while (line.len && line.data[line.len - 1] == ' ')
			line.data[--line.len] = 0;
		buf_add(out, "\n", 1);
		if (!line.failed)
			wrap(out, 0, 0, line.data);
		buf_free(&line);
		text = end ? end + 2 : "";
	}
}

static void help_opts(const struct opt *t, struct buf *out)
{
	for (; t && t->kind; t++) {
		struct buf left = { 0 };
		if (t->kind == OPT_KIND_PART) {
			buf_fmt(out, "\n%s:\n", t->help);
			help_opts(t->part, out);
			continue;
		}
		if (t->hidden)
			continue;
		buf_fmt(&left, "  %c%c%c --%s%s%s%s%s", t->letter ? '-' : ' ', t->letter ? t->letter : ' ',
			t->letter ? ',' : ' ', t->name, t->optional ? "[" : "", t->arg ? "=" : "",
			t->arg ? t->arg : "", t->optional ? "]" : "");
		if (!left.failed)
			help_row(out, left.data, t->help);
		buf_free(&left);
	}
}

static void help_subs(const struct cmd *c, struct buf *out)
{
	buf_str(out, "\nCommands:\n");
	for (const struct cmd *const *s = c->sub; *s; s++) {
		struct buf left = { 0 };
		if ((*s)->hidden)
			continue;
		buf_fmt(&left, "  %s", (*s)->name);
		if (!left.failed)
			help_row(out, left.data, (*s)->summary);
		buf_free(&left);
	}
}

void opt_help(const struct cmd *c, const char *path, struct buf *out)
{
	struct buf usage = { 0 };

	buf_fmt(&usage, "Usage: %s%s%s%s%s%s", path, *path ? " " : "", c->name, c->opts ? " [OPTION...]" : "",
		c->args ? " " : "", c->args ? c->args : "");
	if (!usage.failed)
		wrap(out, 0, 7, usage.data);
	buf_free(&usage);
	buf_add(out, "\n", 1);
	wrap(out, 0, 0, c->summary);
	if (c->sub)
		help_subs(c, out);
	if (c->opts) {
		if (c->opts->kind != OPT_KIND_PART)
			buf_str(out, "\nOptions:\n");
		help_opts(c->opts, out);
	}
	if (c->more)
		help_more(out, c->more);
}

/* ---- dump ---- */

static void dump_opts(const struct opt *t, const char *path, struct buf *out)
{
	for (; t && t->kind; t++) {
		if (t->kind == OPT_KIND_PART)
			dump_opts(t->part, path, out);
		else
			buf_fmt(out, "%s\t%s\t%c\t%s%s%s\t%s%s\n", path, t->name, t->letter ? t->letter : '-',
				t->optional ? "[" : "", t->arg ? t->arg : "-", t->optional ? "]" : "",
				t->hidden ? "(old spelling) " : "", t->help);
	}
}

void opt_dump(const struct cmd *c, const char *path, struct buf *out)
{
	struct buf p = { 0 };

	buf_fmt(&p, "%s%s%s", path, *path ? " " : "", c->name);
	if (!p.failed) {
		buf_fmt(out, "%s\t\t\t%s\t%s\n", p.data, c->args ? c->args : "-", c->summary);
		dump_opts(c->opts, p.data, out);
		for (const struct cmd *const *s = c->sub; s && *s; s++)
			opt_dump(*s, p.data, out);
	}
	buf_free(&p);
}

const struct cmd *opt_sub(const struct cmd *c, const char *name)
{
	for (const struct cmd *const *s = c->sub; s && *s; s++)
		if (!strcmp((*s)->name, name))
			return *s;
	return NULL;
}
