/* SPDX-License-Identifier: Apache-2.0
 * ui_progress - how far something is, for people and for programs; see ui.h
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/json.h"

#define SECOND       INT64_C(1000000000)
#define RATE_EVERY   (SECOND / 2)
#define BAR_FIRST    SECOND
#define BAR_EVERY    (SECOND / 10)
#define PLAIN_FIRST  (3 * SECOND)
#define PLAIN_EVERY  (10 * SECOND)
#define COLUMNS_MAX  200
#define BAR_MIN      10

enum how { AUTO, BAR, PLAIN, JSON, NONE };

static const char *const names[] = { "auto", "bar", "plain", "json", "none" };
static enum how wanted = AUTO;

int ui_progress_how(const char *how, struct err *e)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(how, names[i])) {
			wanted = (enum how)i;
			return 0;
		}
	return err_set(e, EINVAL, "unknown way \"%.50s\"; known: auto, bar, plain, json, none", how);
}

void ui_progress_beside(void)
{
	if (wanted == BAR || (wanted == AUTO && isatty(2)))
		wanted = PLAIN;
}

void ui_progress_start(struct ui_progress *p, const char *label, uint64_t total)
{
	int64_t now = ui_now_ns();

	*p = (struct ui_progress){ .label = label, .total = total, .start_ns = now, .rate_ns = now, .how = (int)wanted };
	if (wanted == AUTO)
		p->how = isatty(2) ? BAR : ui_debugging() ? PLAIN : NONE;
}

/* of the last seconds, each sample counting less than the one after it; the first comes with what was there already */
static void measure(struct ui_progress *p, int64_t now)
{
	if (now - p->rate_ns < RATE_EVERY)
		return;
	double rate = p->done < p->rate_done ? 0 : (double)(p->done - p->rate_done) * 1e9 / (double)(now - p->rate_ns);
	p->rate = p->rate > 0 ? p->rate * 0.8 + rate * 0.2 : rate;
	p->rate_ns = now;
	p->rate_done = p->done;
}

/* -1: nobody knows */
static int64_t left_s(const struct ui_progress *p)
{
	return p->total <= p->done || p->rate < 1 ? -1 : (int64_t)((double)(p->total - p->done) / p->rate) + 1;
}

static unsigned percent(const struct ui_progress *p)
{
	return p->done >= p->total ? 100 : (unsigned)((double)p->done * 100 / (double)p->total);
}

static void add_time(struct buf *b, int64_t s)
{
	if (s >= 3600)
		buf_fmt(b, "%lld:%02d:%02d", (long long)s / 3600, (int)(s / 60 % 60), (int)(s % 60));
	else
		buf_fmt(b, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

/* "12MiB of 30MiB, 3.1MiB/s, 0:06 left" */
static void add_figures(const struct ui_progress *p, double rate, struct buf *b)
{
	char have[32], all[32], speed[32];

	ui_size(p->done, have, sizeof(have));
	ui_size(p->total, all, sizeof(all));
	ui_size((uint64_t)rate, speed, sizeof(speed));
	buf_str(b, have);
	if (p->total)
		buf_fmt(b, " of %s", all);
	buf_fmt(b, ", %s/s", speed);
	if (left_s(p) >= 0) {
		buf_str(b, ", ");
		add_time(b, left_s(p));
		buf_str(b, " left");
	}
}

static void put(struct buf *b)
{
	if (!b->failed && fd_write_all(2, b->data, b->len) < 0)
		wanted = NONE; /* nobody looks */
	buf_free(b);
}

static size_t columns(void)
{
	struct winsize w = { .ws_col = 0 };
	size_t n = ioctl(2, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;

	return n > COLUMNS_MAX ? COLUMNS_MAX : n;
}

static void add_bar(const struct ui_progress *p, size_t room, struct buf *b)
{
	size_t inner = room - 8, full = inner * percent(p) / 100;

	buf_str(b, " [");
	for (size_t i = 0; i < inner; i++)
		buf_str(b, i < full ? "=" : i == full ? ">" : " ");
	buf_fmt(b, "] %3u%%", percent(p));
}

/* What there is no room for is left out: first the bar, then the end. The last column stays free: some terminals would go on. */
static void draw(const struct ui_progress *p)
{
	auto_buf struct buf text = { 0 };
	struct buf line = { 0 };
	size_t room = columns() - 1;

	buf_clean(&text, p->label, strlen(p->label));
	buf_str(&text, ": ");
	add_figures(p, p->rate, &text);
	buf_str(&line, "\r");
	buf_add(&line, text.data, text.len < room ? text.len : room);
	if (p->total && text.len + BAR_MIN + 8 <= room)
		add_bar(p, room - text.len > 50 ? 50 : room - text.len, &line);
	buf_str(&line, "\033[K");
	put(&line);
}

static void print_line(const struct ui_progress *p, double rate, const char *more)
{
	struct buf line = { 0 };

	buf_clean(&line, p->label, strlen(p->label));
	buf_str(&line, ": ");
	add_figures(p, rate, &line);
	buf_fmt(&line, "%s\n", more);
	put(&line);
}

static void print_json(const struct ui_progress *p, bool ended)
{
	struct buf line = { 0 };
	auto_json cJSON *j = cJSON_CreateObject();

	cJSON_AddStringToObject(j, "progress", p->label);
	cJSON_AddNumberToObject(j, "bytes", (double)p->done);
	if (p->total)
		cJSON_AddNumberToObject(j, "total", (double)p->total);
	cJSON_AddNumberToObject(j, "rate", (double)(uint64_t)p->rate);
	if (left_s(p) >= 0)
		cJSON_AddNumberToObject(j, "left", (double)left_s(p));
	cJSON_AddBoolToObject(j, "ended", ended);
	json_print(j, false, &line);
	buf_str(&line, "\n");
	put(&line);
}

void ui_progress_at(void *ctx, uint64_t done)
{
	static const struct { int64_t first, every; } pace[] = {
		[BAR] = { BAR_FIRST, BAR_EVERY }, [PLAIN] = { PLAIN_FIRST, PLAIN_EVERY }, [JSON] = { 0, SECOND },
	};
	struct ui_progress *p = ctx;

	p->done = done;
	if (p->how == NONE)
		return;
	int64_t now = ui_now_ns();
	measure(p, now);
	if (now - p->start_ns < pace[p->how].first || now - p->last_ns < pace[p->how].every)
		return;
	p->last_ns = now;
	p->shown = true;
	if (p->how == BAR)
		draw(p);
	else if (p->how == PLAIN)
		print_line(p, p->rate, "");
	else
		print_json(p, false);
}

void ui_progress_end(struct ui_progress *p)
{
	double s = (double)(ui_now_ns() - p->start_ns) / 1e9;

	if (p->shown && p->how == BAR)
		fd_write_all(2, "\r\033[K", 4);
	if (p->shown && p->how == PLAIN)
		print_line(p, s > 0 ? (double)p->done / s : 0, ", ended");
	if (p->how == JSON)
		print_json(p, true);
	p->shown = false;
	p->how = NONE;
}
