/* SPDX-License-Identifier: Apache-2.0
 * images_fetch - see images_fetch.h
 *
 * Whatever the image comes from, it ends as a struct source that store_import() reads once.
 */
#include "applets/rkt/images_fetch.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/archive/source.h"
#include "core/base/fd.h"
#include "core/fetch/http.h"
#include "core/store/render.h"

void images_say(const char *fmt, ...)
{
	char text[PATH_MAX + 256];
	struct buf line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_str(&line, "image: ");
	buf_clean(&line, text, strlen(text));
	buf_str(&line, "\n");
	if (!line.failed && fd_write_all(2, line.data, line.len) < 0)
		ui_debug("nobody reads standard error");
	buf_free(&line);
}

/* The image is good, only not yet to be run; what is wrong with its dependencies otherwise, running it tells. */
static void warn_missing(void *ctx, const char *text)
{
	(void)ctx;
	ui_warn("%s", text);
}

static void warn_of_dependencies(struct store *st, const struct image_id *id)
{
	struct err why;

	if (render_missing(st, id, warn_missing, NULL, &why) < 0)
		ui_warn("%s", why.msg);
}

static int import(const struct images_fetch *f, struct source *src, const char *origin, const char *label,
		  uint64_t total, struct image_id *out, struct err *e)
{
	struct ui_progress p;
	bool existed;
	const struct import_opts o = {
		.devices = f->g->insecure & INSECURE_DEVICES, .origin = origin, .ctx = &p, .progress = ui_progress_at,
	};

	ui_progress_start(&p, label, total);
	int r = store_import(f->st, src, &o, out, &existed, e);
	ui_progress_end(&p);
	if (r == 0 && existed)
		ui_debug("the store has image %s already", out->s);
	if (r < 0 && e->code == ENODEV) {
		struct err why = *e;
		return err_set(e, EACCES, "%.400s; --insecure-options=devices lets it in", why.msg);
	}
	if (r == 0)
		warn_of_dependencies(f->st, out);
	return r;
}

/* asked before a single byte is read */
static int may_fetch(const struct rkt_globals *g, struct err *e)
{
	if (g->insecure & INSECURE_IMAGE)
		return 0;
	return err_set(e, EACCES, "verifying signatures is not part of this version yet; "
		       "--insecure-options=image fetches images without it");
}

int images_fetch_path(const struct images_fetch *f, const char *path, struct image_id *out, struct err *e)
{
	struct stat sb;

	if (may_fetch(f->g, e) < 0)
		return err_wrap(e, "%s", path);
	auto_close int fd = fd_open_input(path, &sb, e);
	if (fd < 0)
		return err_wrap(e, "%s", path);
	if (S_ISDIR(sb.st_mode))
		return err_set(e, EISDIR, "%s: is a directory, not an image (actool build makes images of directories)", path);
	images_say("using image from file %s", path);
	auto_source struct source *src = source_fd(fd, e);
	auto_free char *origin = realpath(path, NULL);
	const char *base = strrchr(path, '/');
	if (!src || import(f, src, origin ? origin : path, base ? base + 1 : path,
			   S_ISREG(sb.st_mode) ? (uint64_t)sb.st_size : 0, out, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

/* ---- URLs ---- */

bool images_is_file_url(const char *url)
{
	return !strncmp(url, "file://", 7);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* file:///a%20b -> "/a b" (RFC 8089); a host would be another machine */
static int fetch_file_url(const struct images_fetch *f, const char *url, struct image_id *out, struct err *e)
{
	const char *p = url + strlen("file://");
	char path[PATH_MAX];
	size_t n = 0;

	if (!strncmp(p, "localhost/", 10))
		p += 9;
	if (*p != '/')
		return err_set(e, EINVAL, "%s: want file:///PATH", url);
	for (; *p; p++) {
		int hi = *p == '%' && p[1] ? hex_digit(p[1]) : -1, lo = hi >= 0 ? hex_digit(p[2]) : -1;
		bool coded = lo >= 0 && (hi || lo);
		if (*p == '%' && !coded)
			return err_set(e, EINVAL, "%s: bad %% code", url);
		if (n == sizeof(path) - 1)
			return err_set(e, ENAMETOOLONG, "%s: path too long", url);
		path[n++] = coded ? (char)(hi << 4 | lo) : *p;
		p += coded ? 2 : 0;
	}
	path[n] = 0;
	return images_fetch_path(f, path, out, e);
}

static int fetch_http(const struct images_fetch *f, const char *url, struct image_id *out, struct err *e)
{
	const struct http_opts o = {
		.insecure_tls = f->g->insecure & INSECURE_TLS, .allow_http = f->g->insecure & INSECURE_HTTP,
	};

	if (may_fetch(f->g, e) < 0)
		return err_wrap(e, "%s", url);
	images_say("remote fetching from URL \"%s\"", url);
	struct err why;
	/* a server may take as long as it likes to say its first word */
	store_pause(f->st);
	auto_source struct source *src = http_open(url, &o, e);
	if (store_resume(f->st, &why) < 0)
		return err_set(e, why.code, "%s", why.msg);
	if (!src || import(f, src, url, "Downloading ACI", http_length(src), out, e) < 0)
		return err_wrap(e, "%s", url);
	return store_set_url(f->st, url, out, NULL, 0, e);
}

int images_fetch_url(const struct images_fetch *f, const char *url, struct image_id *out, struct err *e)
{
	if (images_is_file_url(url))
		return fetch_file_url(f, url, out, e);
	if (http_is_url(url))
		return fetch_http(f, url, out, e);
	if (!strncmp(url, "docker://", 9))
		return err_set(e, ENOTSUP, "%s: this version cannot convert Docker images; fetch an ACI", url);
	return err_set(e, ENOTSUP, "%s: cannot fetch from this kind of URL (file, http, https)", url);
}
