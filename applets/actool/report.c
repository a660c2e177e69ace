/* SPDX-License-Identifier: Apache-2.0
 * report - see report.h
 */
#include "applets/actool/report.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/fd.h"

static void end_line(struct buf *line)
{
	buf_str(line, "\n");
	if (!line->failed && fd_write_all(2, line->data, line->len) < 0)
		line->failed = true; /* nobody listens; the exit status says it too */
	buf_free(line);
}

void actool_say(const char *file, const char *text)
{
	struct buf line = { 0 };

	buf_clean(&line, file, strlen(file));
	buf_fmt(&line, ": %s", text);
	end_line(&line);
}

static void report_one(const char *file, const struct finding *v)
{
	struct buf line = { 0 };

	buf_clean(&line, file, strlen(file));
	buf_fmt(&line, ": %s: %s%s%s [%s]", v->level == FINDING_ERROR ? "error" : "warning", v->where,
		*v->where ? ": " : "", v->text, v->rule);
	end_line(&line);
}

void actool_report(const char *file, const struct findings *f)
{
	struct buf rest = { 0 };

	for (size_t i = 0; i < f->n; i++)
		report_one(file, &f->v[i]);
	if (f->errors + f->warnings <= f->n)
		return;
	buf_fmt(&rest, "%zu more findings", f->errors + f->warnings - f->n);
	if (!rest.failed)
		actool_say(file, rest.data);
	buf_free(&rest);
}
