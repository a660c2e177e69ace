/* SPDX-License-Identifier: Apache-2.0
 * ui - messages, memory, questions; see ui.h
 */
#include "applets/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/json.h"

static const char *command = "rktbox";
static bool debugging, holding;
static struct buf held;

void ui_start(const char *name, bool debug)
{
	command = name;
	debugging = debug;
}

static void say(struct buf *line)
{
	buf_add(line, "\n", 1);
	if (holding)
		buf_add(&held, line->data, line->len);
	/* one write per message, so that lines of processes that share a terminal do not mix */
	else if (!line->failed && fd_write_all(2, line->data, line->len) < 0)
		debugging = false; /* nobody listens; nothing better to do */
	buf_free(line);
}

__attribute__((format(printf, 2, 0))) static void say_text(const char *kind, const char *fmt, va_list ap)
{
	struct buf line = { 0 };
	char text[4096];

	vsnprintf(text, sizeof(text), fmt, ap);
	buf_fmt(&line, "%s: %s", command, kind);
	buf_clean(&line, text, strlen(text));
	say(&line);
}

void ui_hold(void)
{
	holding = true;
}

void ui_release(void)
{
	holding = false;
	if (held.len && fd_write_all(2, held.data, held.len) < 0)
		debugging = false;
	buf_free(&held);
}

void ui_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_text("", fmt, ap);
	va_end(ap);
}

void ui_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_text("warning: ", fmt, ap);
	va_end(ap);
}

void ui_debug(const char *fmt, ...)
{
	va_list ap;

	if (!debugging)
		return;
	va_start(ap, fmt);
	say_text("", fmt, ap);
	va_end(ap);
}

bool ui_debugging(void)
{
	return debugging;
}

void ui_error(const struct err *e)
{
	struct buf line = { 0 };
	const char *p = e->msg;

	buf_fmt(&line, "%s: ", command);
	for (int depth = 0; debugging; depth++) {
		const char *colon = strstr(p, ": ");
		buf_clean(&line, p, colon ? (size_t)(colon - p) : strlen(p));
		p = colon ? colon + 2 : "";
		if (!*p)
			break;
		buf_fmt(&line, "\n%*s└─", 2 + 2 * depth, "");
	}
	if (!debugging)
		buf_clean(&line, p, strlen(p));
	say(&line);
}

void ui_error_bare(const struct err *e)
{
	struct buf line = { 0 };

	buf_clean(&line, e->msg, strlen(e->msg));
	say(&line);
}

int ui_out(struct buf *b, struct err *e)
{
	int r = 0;

	if (b->failed)
		r = err_set(e, ENOMEM, "out of memory");
	else if (b->len && fd_write_all(1, b->data, b->len) < 0)
		r = err_sys(e, "write to standard output");
	buf_free(b);
	return r;
}

static void *checked(void *p)
{
	if (!p) {
		static const char text[] = "out of memory\n";
		if (write(2, text, sizeof(text) - 1) < 0)
			abort();
		exit(254);
	}
	return p;
}

void *xmalloc(size_t n)
{
	return checked(calloc(1, n ? n : 1));
}

void *xrealloc(void *p, size_t n)
{
	return checked(realloc(p, n ? n : 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return checked(n < 0 ? NULL : s);
}

int ui_format(const char *arg, enum ui_format *f, struct err *e)
{
	if (!arg || !*arg || !strcmp(arg, "text"))
		*f = UI_TEXT;
	else if (!strcmp(arg, "json"))
		*f = UI_JSON;
	else if (!strcmp(arg, "json-pretty"))
		*f = UI_JSON_PRETTY;
	else
		return err_set(e, EINVAL, "--format: unknown format \"%s\"; known: text, json, json-pretty", arg);
	return 0;
}

int ui_json(cJSON *j, enum ui_format f, struct err *e)
{
	struct buf b = { 0 };

	json_print(j, f == UI_JSON_PRETTY, &b);
	if (f != UI_JSON_PRETTY)
		buf_add(&b, "\n", 1);
	cJSON_Delete(j);
	return ui_out(&b, e);
}

int ui_ask(const char *question)
{
	char answer[16] = "";
	auto_close int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int in = tty >= 0 ? tty : 0, out = tty >= 0 ? tty : 2;
	size_t n = 0;

	if (fd_write_all(out, question, strlen(question)) < 0 || fd_write_all(out, " ", 1) < 0)
		return -1;
	while (n < sizeof(answer) - 1 && read(in, answer + n, 1) == 1 && answer[n] != '\n')
		n++;
	if (!n && answer[0] != '\n')
		return -1;
	answer[n] = 0;
	return !strcmp(answer, "y") || !strcmp(answer, "yes");
}
