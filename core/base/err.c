/* SPDX-License-Identifier: Apache-2.0
 * err - see err.h
 *
 * Bytes below 0x20 and DEL are replaced on the way in: an image's names must not be able to talk to the
 * terminal of whoever reads the message.
 */
#include "core/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/defence.h"

static void clean(char *s)
{
	for (; DEFENCE("control-characters") && *s; s++)
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
	return code == ENOSYS ? "Function not implemented (rktbox needs Linux 5.12 or later, see rkt doctor)" : strerror(code);
}

__attribute__((format(printf, 3, 0))) static void set_sys(struct err *e, int code, const char *fmt, va_list ap)
{
	int n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);

	if (n >= 0 && (size_t)n < sizeof(e->msg))
		snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", reason(code));
	clean(e->msg);
	e->code = code;
}

void err_sys_text(struct err *e, const char *fmt, ...)
{
	int code = errno;
	va_list ap;

	va_start(ap, fmt);
	set_sys(e, code, fmt, ap);
	va_end(ap);
}

/* what no other kernel and no other host would change */
static bool is_other_trouble(int code)
{
	switch (code) {
	case ENOMEM: case EMFILE: case ENFILE: case EAGAIN: case EBUSY: case EINTR: case EIO: case EPIPE:
		return true;
	default:
		return false;
	}
}

void err_point_text(struct err *e, const char *checks, ...)
{
	static const char there[] = "see rkt doctor)"; /* already, for ENOSYS */
	size_t n = strlen(e->msg), len = sizeof(there) - 1;
	bool more = n > len && !strcmp(e->msg + n - len, there);
	char ids[120];
	va_list ap;

	va_start(ap, checks);
	vsnprintf(ids, sizeof(ids), checks, ap);
	va_end(ap);
	/* a part of it would be a wrong command */
	if (!is_other_trouble(e->code) && n + strlen(ids) + sizeof(" (see rkt doctor )") <= sizeof(e->msg))
		snprintf(e->msg + n - more, sizeof(e->msg) - n, more ? " %s)" : " (see rkt doctor %s)", ids);
}

void err_needs_text(struct err *e, const char *checks, const char *fmt, ...)
{
	int code = errno;
	va_list ap;

	va_start(ap, fmt);
	set_sys(e, code, fmt, ap);
	va_end(ap);
	err_point_text(e, "%s", checks);
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
