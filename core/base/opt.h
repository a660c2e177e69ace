/* SPDX-License-Identifier: Apache-2.0
 * opt - a command declares itself: one table names its options, and the parser, --help, the dump that
 * completion and the check of the man pages read, all come from it
 *
 * Spellings, as rkt and actool had them: --name=value, --name value, -name (long names with one dash),
 * -n for letters, -nm for letters together, --flag=false for booleans. Long names never match when shortened.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

enum opt_kind { OPT_NONE, OPT_KIND_BOOL, OPT_KIND_TEXT, OPT_KIND_TIME, OPT_KIND_NUM, OPT_KIND_LIST, OPT_KIND_CALL,
	OPT_KIND_PART };

/* values of an option that may be given several times, in order; free v with free() */
struct opt_list {
	const char **v;
	size_t       n;
};

struct opt {
	enum opt_kind     kind;
	char              letter;           /* 0: none */
	bool              hidden;           /* parsed, in the dump, but not in --help: an old spelling */
	bool              optional;         /* may stand without a value; then call() gets NULL */
	const char       *name, *arg, *help; /* arg NULL: a flag */
	size_t            at;               /* of the field in the options struct */
	const struct opt *part;
	int             (*call)(void *part, const char *arg, struct err *e);
};

/* the offset of a field, refused by the compiler when the field has another type */
#define OPT_AT(T, f, type) _Generic(((T *)0)->f, type: offsetof(T, f))

#define OPT_BOOL(l, n, T, f, h) \
	{ .kind = OPT_KIND_BOOL, .letter = l, .name = n, .help = h, .at = OPT_AT(T, f, bool) }
#define OPT_TEXT(l, n, a, T, f, h) \
	{ .kind = OPT_KIND_TEXT, .letter = l, .name = n, .arg = a, .help = h, .at = OPT_AT(T, f, const char *) }
/* a duration, into nanoseconds */
#define OPT_TIME(l, n, a, T, f, h) \
	{ .kind = OPT_KIND_TIME, .letter = l, .name = n, .arg = a, .help = h, .at = OPT_AT(T, f, int64_t) }
#define OPT_NUM(l, n, a, T, f, h) \
	{ .kind = OPT_KIND_NUM, .letter = l, .name = n, .arg = a, .help = h, .at = OPT_AT(T, f, uint64_t) }
/* may be repeated */
#define OPT_LIST(l, n, a, T, f, h) \
	{ .kind = OPT_KIND_LIST, .letter = l, .name = n, .arg = a, .help = h, .at = OPT_AT(T, f, struct opt_list) }
/* fn gets the struct that the table describes, in the order of the command line; a = NULL: a flag */
#define OPT_CALL(l, n, a, fn, h) { .kind = OPT_KIND_CALL, .letter = l, .name = n, .arg = a, .help = h, .call = fn }
/* --wait and --wait=5s: a value only ever after "=", call() gets NULL without one */
#define OPT_CALL_OPTIONAL(l, n, a, fn, h) \
	{ .kind = OPT_KIND_CALL, .letter = l, .name = n, .arg = a, .help = h, .call = fn, .optional = true }
/* a table that several commands share, with a heading in the help */
#define OPT_PART(title, table, T, f) { .kind = OPT_KIND_PART, .help = title, .part = table, .at = offsetof(T, f) }
#define OPT_END { .kind = OPT_NONE }

/* What cmd.run may return besides an exit status: -1 means failed, *e says why; CMD_USAGE: called wrongly, likewise. */
#define CMD_USAGE (-2)
struct cmd {
	const char             *name, *args, *summary;
	const char             *more;      /* for --help, after the options: paragraphs, "\n\n" between; or NULL */
	const struct opt       *opts;
	size_t                  opts_size;
	const struct cmd *const *sub;      /* a group: NULL-terminated; then run may be NULL */
	bool                    hidden;    /* not in the group's help */
	bool                    leading;   /* options end at the first operand: what follows is another program's */
	bool                    inherits;  /* opts begin with the group's options struct, which is copied in */
	void                  (*init)(void *opts); /* defaults that are not zero */
	int                   (*run)(void *opts, int argc, char **argv, struct err *e);
	/* with these, options and operands may alternate, and "--" hands over up to "---" or the end */
	int                   (*operand)(void *opts, const char *arg, struct err *e);
	int                   (*rest)(void *opts, int argc, char **argv, struct err *e);
	int                     failure;   /* exit status of a failure; of the outermost command that sets it */
	int                     usage;     /* exit status of wrong usage; likewise */
};

enum opt_result { OPT_ERROR = -1, OPT_OK = 0, OPT_HELP = 1 };

/**
 * opt_parse() - reads options into @opts and moves *argc, *argv to the first operand
 *
 * A group stops at its first operand (the subcommand); other commands take options after operands too,
 * until "--" (or, with .leading, until the first operand). Operands are kept in order.
 * OPT_HELP: --help or -h was there. Errors: EINVAL, with the remedy.
 */
enum opt_result opt_parse(const struct cmd *c, void *opts, int *argc, char ***argv, struct err *e);

/** opt_help() - the text of --help, at most 80 columns; @path is what stands before the name ("rkt image") */
void opt_help(const struct cmd *c, const char *path, struct buf *out);

/** opt_dump() - tab-separated: "path, name, letter, ARG or [ARG], help" per option and "path, , , ARGS, summary" per command */
void opt_dump(const struct cmd *c, const char *path, struct buf *out);

/** opt_sub() - the subcommand of that name, or NULL */
const struct cmd *opt_sub(const struct cmd *c, const char *name);

/** opt_flag() - the value of the flag of that name; false when the command has none */
bool opt_flag(const struct cmd *c, void *opts, const char *name);

/** opt_free() - releases the lists that opt_parse() made */
void opt_free(const struct cmd *c, void *opts);
