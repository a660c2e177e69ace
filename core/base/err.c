/* SPDX-License-Identifier: Apache-2.0
 * err - see err.h
 *
 * Bytes below 0x20 and DEL are replaced on the way in: an image's names must not be able to talk to the
 * terminal of whoever reads the message.
 */
#include "core/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

void err_set_text(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	clean(e->msg);
	e->code = code;
}

/* Where a system call is missing the remedy is always the same, and its name alone helps nobody. */
static const char *reason(int code)
{
	return code == ENOSYS ? "Function not implemented (rktbox needs Linux 5.12 or later)" : strerror(code);
}

void err_sys_text(struct err *e, const char *fmt, ...)
{
	int code = errno;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->msg))
		snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", reason(code));
	clean(e->msg);
	e->code = code;
}

void err_wrap_text(struct err *e, const char *fmt, ...)
{
	struct err inner = *e;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	clean(e->msg);
	if (n >= 0 && (size_t)n < sizeof(e->msg) - 3)
		snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %.*s",
			 (int)(sizeof(e->msg) - (size_t)n) - 3, inner.msg);
}
