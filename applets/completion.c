/* SPDX-License-Identifier: Apache-2.0
 * completion - see completion.h
 *
 * One shell function per shell, and the words of each command as data. Values complete as file names.
 */
#include "applets/completion.h"

#include <errno.h>
#include <string.h>

struct row {
	const char *field[5]; /* path, option, letter, ARG or ARGS, help */
	size_t      len[5];
};

static const char *next_row(const char *p, struct row *r)
{
	for (int i = 0; i < 5; i++) {
		r->field[i] = p;
		r->len[i] = strcspn(p, i < 4 ? "\t\n" : "\n");
		p += r->len[i] + (p[r->len[i]] != 0);
	}
	return p;
}

static bool in_path(const struct row *r, const struct row *group)
{
	return r->len[0] > group->len[0] && !memcmp(r->field[0], group->field[0], group->len[0]) &&
	       r->field[0][group->len[0]] == ' ' && !memchr(r->field[0] + group->len[0] + 1, ' ',
							   r->len[0] - group->len[0] - 1);
}

/* the words that may follow the command of row @c: its options, its subcommands */
static void words(const char *dump, const struct row *c, struct buf *out)
{
	struct row r;

	for (const char *p = dump; *p;) {
		p = next_row(p, &r);
		if (r.len[1] && r.len[0] == c->len[0] && !memcmp(r.field[0], c->field[0], c->len[0]))
			buf_fmt(out, " --%.*s%s", (int)r.len[1], r.field[1], *r.field[3] == '-' ? "" : "=");
		else if (!r.len[1] && in_path(&r, c))
			buf_fmt(out, " %.*s", (int)(r.len[0] - c->len[0] - 1), r.field[0] + c->len[0] + 1);
	}
}

static void bash_cases(const char *dump, struct buf *out)
{
	struct row r;

	for (const char *p = dump; *p;) {
		p = next_row(p, &r);
		if (r.len[1])
			continue;
		buf_fmt(out, "\t\"%.*s\") words=\"", (int)r.len[0], r.field[0]);
		words(dump, &r, out);
		buf_str(out, " --help\" ;;\n");
	}
}

/* the longest run of words so far that is a command decides; options in between do not count */
static const char bash_head[] =
	"# completion for rktbox's applets; made by rktbox --completion\n"
	"_rktbox_words() {\n"
	"\tlocal words=\n"
	"\tcase $1 in\n";
static const char bash_tail[] =
	"\t*) return 1 ;;\n"
	"\tesac\n"
	"\tprintf '%s' \"$words\"\n"
	"}\n"
	"_rktbox() {\n"
	"\tlocal path=${COMP_WORDS[0]##*/} cur=${COMP_WORDS[COMP_CWORD]} i w\n"
	"\tcase $path in rkt-gc) path='rkt gc' ;; rkt-trust) path='rkt trust' ;; esac\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tw=${COMP_WORDS[i]}\n"
	"\t\tif [[ $w != -* ]] && _rktbox_words \"$path $w\" >/dev/null; then path=\"$path $w\"; fi\n"
	"\tdone\n"
	"\tCOMPREPLY=($(compgen -W \"$(_rktbox_words \"$path\")\" -- \"$cur\"))\n"
	"\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
	"\t[[ $cur == -* ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
	"}\n"
	"complete -o filenames -F _rktbox rkt actool rkt-gc rkt-trust stage1-init\n";

static void fish_lines(const char *dump, struct buf *out)
{
	struct row r;

	buf_str(out, "# completion for rktbox's applets; made by rktbox --completion\n");
	for (const char *p = dump; *p;) {
		p = next_row(p, &r);
		size_t applet = 0, last = 0;
		for (size_t i = 0; i <= r.len[0]; i++)
			if (i == r.len[0] || r.field[0][i] == ' ') {
				applet = applet ? applet : i;
				last = i < r.len[0] ? i + 1 : last;
			}
		buf_fmt(out, "complete -c %.*s", (int)applet, r.field[0]);
		if (r.len[1]) {
			if (last)
				buf_fmt(out, " -n '__fish_seen_subcommand_from %.*s'", (int)(r.len[0] - last),
					r.field[0] + last);
			buf_fmt(out, " -l %.*s%s", (int)r.len[1], r.field[1], *r.field[3] == '-' ? "" : " -r");
		} else if (last) {
			bool nested = last > applet + 1;
			if (nested)
				buf_fmt(out, " -n '__fish_seen_subcommand_from %.*s'", (int)(last - 1 - applet - 1),
					r.field[0] + applet + 1);
			else
				buf_str(out, " -n __fish_use_subcommand");
			buf_fmt(out, " -a %.*s", (int)(r.len[0] - last), r.field[0] + last);
		}
		buf_str(out, " -d '");
		for (size_t i = 0; i < r.len[4]; i++)
			buf_add(out, r.field[4][i] == '\'' ? "\\'" : &r.field[4][i], r.field[4][i] == '\'' ? 2 : 1);
		buf_str(out, "'\n");
	}
}

int completion_script(const char *shell, const char *dump, struct buf *out, struct err *e)
{
	if (!strcmp(shell, "fish")) {
		fish_lines(dump, out);
		return 0;
	}
	if (!strcmp(shell, "zsh"))
		buf_str(out, "#compdef rkt actool rkt-gc rkt-trust stage1-init\n"
			     "autoload -U +X bashcompinit && bashcompinit\n");
	else if (strcmp(shell, "bash"))
		return err_set(e, EINVAL, "no completion for \"%s\"; there is: bash, zsh, fish", shell);
	buf_str(out, bash_head);
	bash_cases(dump, out);
	buf_str(out, bash_tail);
	return 0;
}
