/* SPDX-License-Identifier: Apache-2.0
 * ui_text - tables, times and sizes; see ui.h
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/utf8.h"

#define TAB 8

void ui_table_start(struct ui_table *t, size_t columns)
{
	*t = (struct ui_table){ .columns = columns };
}

void ui_table_add_cut(struct ui_table *t, const char *cell, size_t max)
{
	buf_clean(&t->cells, cell, strnlen(cell, max));
	buf_add(&t->cells, "", 1);
	t->n++;
}

void ui_table_add(struct ui_table *t, const char *cell)
{
	ui_table_add_cut(t, cell ? cell : "", SIZE_MAX);
}

static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

int ui_table_print(struct ui_table *t, struct err *e)
{
	struct buf out = { 0 };
	size_t *wide = xmalloc(t->columns * sizeof(*wide));
	const char *cell = t->cells.data;

	if (t->cells.failed) {
		out.failed = true;
		t->n = 0;
	}
	for (size_t i = 0; i < t->n; i++, cell += strlen(cell) + 1) {
		size_t w = (width(cell) + 1 + TAB - 1) / TAB * TAB;
		if (w > wide[i % t->columns])
			wide[i % t->columns] = w;
	}
	cell = t->cells.data;
	for (size_t i = 0; i < t->n; i++, cell += strlen(cell) + 1) {
		size_t col = i % t->columns, w = width(cell);
		buf_str(&out, cell);
		if (col + 1 == t->columns) {
			buf_str(&out, "\n");
			continue;
		}
		for (; w < wide[col]; w = w / TAB * TAB + TAB)
			buf_str(&out, "\t");
	}
	buf_free(&t->cells);
	free(wide);
	*t = (struct ui_table){ 0 };
	return ui_out(&out, e);
}

int64_t ui_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

void ui_time_full(int64_t ns, char *out, size_t size)
{
	time_t s = (time_t)(ns / 1000000000);
	int ms = (int)(ns / 1000000 % 1000);
	char date[64], zone[64], fraction[8] = "";
	struct tm tm;

	localtime_r(&s, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z %Z", &tm);
	if (ms) {
		int n = snprintf(fraction, sizeof(fraction), ".%03d", ms);
		while (fraction[n - 1] == '0')
			fraction[--n] = 0;
	}
	snprintf(out, size, "%s%s %s", date, fraction, zone);
}

void ui_time_ago(int64_t ns, char *out, size_t size)
{
	enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY, MONTH = 30 * DAY, YEAR = 12 * MONTH };
	static const struct step {
		int64_t     below, unit;
		const char *name; /* "s" is added for more than one */
	} steps[] = {
		{ MINUTE, 1, "second" }, { HOUR, MINUTE, "minute" }, { DAY, HOUR, "hour" }, { WEEK, DAY, "day" },
		{ MONTH, WEEK, "week" }, { YEAR, MONTH, "month" }, { INT64_MAX, YEAR, "year" },
	};
	int64_t past = (ui_now_ns() - ns) / 1000000000;
	const char *when = past < 0 ? "from now" : "ago";
	const struct step *st = steps;

	past = past < 0 ? -past : past;
	if (past < 1) {
		snprintf(out, size, "now");
		return;
	}
	while (past >= st->below)
		st++;
	int64_t n = past / st->unit;
	snprintf(out, size, "%lld %s%s %s", (long long)n, st->name, n == 1 ? "" : "s", when);
}

void ui_size(uint64_t bytes, char *out, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	size_t u = 0;

	for (; v >= 1024 && u + 1 < sizeof(units) / sizeof(*units); u++)
		v /= 1024;
	/* one decimal below ten, as in "3.6MiB" and "36MiB" */
	snprintf(out, size, u && v < 9.95 ? "%.1f%s" : "%.0f%s", v, units[u]);
}
