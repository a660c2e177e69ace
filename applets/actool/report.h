/* SPDX-License-Identifier: Apache-2.0
 * report - findings as actool prints them: for people on stderr, for programs on stdout
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "applets/actool/subject.h"
#include "core/base/buf.h"
#include "core/base/err.h"

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_JSON_PRETTY, REPORT_SARIF };

struct report {
	enum report_format format;
	bool               debug;  /* say what was valid as well */
	bool               strict; /* warnings count */
	/* its own */
	size_t             n;
	struct buf         out;
};

/** report_format() - "text", "json", "json-pretty", "sarif"; EINVAL otherwise */
int report_format(const char *arg, enum report_format *f, struct err *e);

/**
 * report_begin(), report_subject(), report_end() - in this order; what goes to stdout is one document, of which nothing
 * is kept longer than it takes to write it. -1: that failed
 * @status: the exit status of all
 */
int report_begin(struct report *r, struct err *e);
int report_subject(struct report *r, const struct subject *s, struct err *e);
int report_end(struct report *r, int status, struct err *e);

/**
 * actool_report() - for each two lines on stderr, "FILE: error: WHERE: text [rule]" and what the rule says
 */
void actool_report(const char *file, const struct findings *f);

/** actool_say() - "FILE: text" on stderr, without the name of the command, as actool has it */
void actool_say(const char *file, const char *text);

/* ---- report_sarif.c ---- */
void sarif_begin(struct buf *out);
void sarif_finding(struct buf *out, size_t n, const struct subject *s, const struct finding *v); /* @n: of all, from 0 */
void sarif_end(struct buf *out, size_t n, int status);
