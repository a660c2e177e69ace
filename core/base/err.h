/* SPDX-License-Identifier: Apache-2.0
 * err - one error, filled where it is known, wrapped where the name is known, printed once
 *
 * The struct belongs to the caller; there is nothing to free. A function that takes one returns -1 or
 * NULL exactly when it has filled it, and leaves it alone otherwise.
 */
#pragma once

#include <limits.h>

struct err {
	int  code;     /* an errno value; the message says the rest */
	char msg[508]; /* "what: why", no newline, no control characters from untrusted input */
};

/* An error crosses the pipe between stage 1's processes in one atomic write. */
_Static_assert(sizeof(struct err) <= PIPE_BUF, "struct err must fit one pipe write");

/*
 * The functions are wrapped in macros so that the compiler sees the constant -1 and knows what callers leave
 * uninitialised on that way.
 */
static inline int err_failed(void)
{
	return -1;
}

/** err_set() - "text" with an errno value of the caller's choice; returns -1 */
#define err_set(...) (err_set_text(__VA_ARGS__), err_failed())
__attribute__((format(printf, 3, 4))) void err_set_text(struct err *e, int code, const char *fmt, ...);

/** err_sys() - "text: strerror(errno)", for ENOSYS also what kernel has the call; code = errno; returns -1 */
#define err_sys(...) (err_sys_text(__VA_ARGS__), err_failed())
__attribute__((format(printf, 2, 3))) void err_sys_text(struct err *e, const char *fmt, ...);

/**
 * err_needs() - err_sys() for a step that only works where kernel and host have what @checks name: it points to
 * "rkt doctor @checks", which says what is lacking, unless errno speaks of something else (no memory, a bad disk)
 * err_point() - the same for an error that is there already; keeps the code, returns -1
 */
#define err_needs(...) (err_needs_text(__VA_ARGS__), err_failed())
#define err_point(e, ...) (err_point_text(e, __VA_ARGS__), err_failed())
__attribute__((format(printf, 3, 4))) void err_needs_text(struct err *e, const char *checks, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void err_point_text(struct err *e, const char *checks, ...);

/** err_wrap() - puts "text: " before what is there already, keeps the code; returns -1 */
#define err_wrap(...) (err_wrap_text(__VA_ARGS__), err_failed())
__attribute__((format(printf, 2, 3))) void err_wrap_text(struct err *e, const char *fmt, ...);
