/* SPDX-License-Identifier: Apache-2.0
 * ui - how the applets talk to people and to scripts; nothing below applets/ prints
 *
 * Everything that could come from an image, a file or the network is stripped of control characters here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "core/appc/finding.h"
#include "core/base/buf.h"
#include "core/base/err.h"

/** ui_start() - the command's name, put before every message ("run: "); @debug: ui_debug() speaks, causes get lines */
void ui_start(const char *name, bool debug);

__attribute__((format(printf, 1, 2))) void ui_info(const char *fmt, ...);  /* "run: text" on stderr */
__attribute__((format(printf, 1, 2))) void ui_warn(const char *fmt, ...);  /* "run: warning: text" */
__attribute__((format(printf, 1, 2))) void ui_debug(const char *fmt, ...); /* only with --debug */
bool ui_debugging(void);
void ui_error(const struct err *e);
void ui_error_bare(const struct err *e); /* without the command's name: what scripts look for at a line's begin */

/**
 * ui_hold() - messages are kept until ui_release()
 * For whatever is done under a lock that others wait for, until it is closed: a slow terminal, or a pipe that nobody
 * reads, must not make them wait as well.
 */
void ui_hold(void);
void ui_release(void);

/** ui_out() - all of @b to stdout, and empties it; -1 and *e when that fails (full disk, closed pipe) */
int ui_out(struct buf *b, struct err *e);

/* Memory for applets, where giving up is the right answer. */
void *xmalloc(size_t n); /* zeroed */
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
__attribute__((format(printf, 1, 2))) char *xasprintf(const char *fmt, ...);

/* ---- tables: columns aligned with tabs of eight, as rkt's lists ---- */
struct ui_table {
	struct buf cells; /* one after the other, each with a NUL behind it */
	size_t     n, columns;
};
void ui_table_start(struct ui_table *t, size_t columns);
void ui_table_add(struct ui_table *t, const char *cell); /* row after row; NULL: blank; copied and cleaned */
void ui_table_add_cut(struct ui_table *t, const char *cell, size_t max); /* the first @max bytes of it */
int ui_table_print(struct ui_table *t, struct err *e);   /* prints, and frees */

/* ---- --format ---- */
enum ui_format { UI_TEXT, UI_JSON, UI_JSON_PRETTY };
/** ui_format() - "", NULL or "text"; "json"; "json-pretty"; EINVAL otherwise */
int ui_format(const char *arg, enum ui_format *f, struct err *e);
/** ui_json() - prints @j with a newline, and deletes it */
int ui_json(cJSON *j, enum ui_format f, struct err *e);

/* ---- times and sizes ---- */
/** ui_time_full() - "2006-01-02 15:04:05.999 -0700 MST", local time */
void ui_time_full(int64_t ns, char *out, size_t size);
/** ui_time_ago() - "2 minutes ago" */
void ui_time_ago(int64_t ns, char *out, size_t size);
/** ui_size() - "3.6MiB" */
void ui_size(uint64_t bytes, char *out, size_t size);
int64_t ui_now_ns(void);

/* ---- progress: of anything that takes over a second a line on a terminal; nothing elsewhere, unless it is asked for ---- */
struct ui_progress {
	const char *label;
	uint64_t    total; /* 0: not known */
	uint64_t    done, rate_done;
	int64_t     start_ns, last_ns, rate_ns;
	double      rate;  /* bytes/s of late; 0: not known yet */
	int         how;
	bool        shown;
};
/** ui_progress_how() - from now on: "auto", "bar", "plain" (lines), "json" (one object a line) or "none" */
int ui_progress_how(const char *how, struct err *e);
/** ui_progress_beside() - from now on this process is one of several at work: lines, and no bar */
void ui_progress_beside(void);
void ui_progress_start(struct ui_progress *p, const char *label, uint64_t total);
void ui_progress_at(void *p, uint64_t done); /* a struct ui_progress; fits the progress callbacks of core/ */
void ui_progress_end(struct ui_progress *p);

/** ui_ask() - asks on the terminal (or stdin): 1 for "y" or "yes", 0 otherwise, -1 when there is nobody to answer */
int ui_ask(const char *question);
