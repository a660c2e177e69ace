/* SPDX-License-Identifier: Apache-2.0
 * images - see images.h
 */
#include "applets/rkt/images.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/rkt/globals.h"
#include "applets/rkt/images_fetch.h"
#include "applets/rkt/images_trust.h"
#include "applets/ui.h"
#include "core/appc/image_name.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/fetch/download.h"
#include "core/fetch/http.h"
#include "core/pod/pod.h"
#include "core/store/partial.h"
#include "core/store/render.h"
#include "core/store/verify.h"

/* Scripts look for these lines, and they begin with "image: " whichever command says them. */
__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
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

/* ---- what an argument is ---- */

static bool has_scheme(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return n && !strncmp(s + n, "://", 3);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

enum images_kind images_kind_of(const char *arg)
{
	if (!strncmp(arg, IMAGE_ID_PREFIX, strlen(IMAGE_ID_PREFIX)))
		return IMAGES_ID;
	if (has_scheme(arg))
		return IMAGES_URL;
	if (*arg == '/' || is_file(arg))
		return IMAGES_PATH;
	/* a colon is before a version; the rest is for files that are missing, so that the message names the file */
	if (!strchr(arg, ':') && (strstr(arg, "./") || ends_with(arg, ".aci")))
		return IMAGES_PATH;
	return IMAGES_NAME;
}

int images_pull_parse(const char *policy, bool store_only, bool no_store, enum images_pull *out, struct err *e)
{
	if (store_only && no_store)
		return err_set(e, EINVAL, "both --store-only and --no-store specified");
	if (policy && !strcmp(policy, "new"))
		*out = IMAGES_PULL_NEW;
	else if (policy && !strcmp(policy, "never"))
		*out = IMAGES_PULL_NEVER;
	else if (policy && !strcmp(policy, "update"))
		*out = IMAGES_PULL_UPDATE;
	else if (policy)
		return err_set(e, EINVAL, "--pull-policy: unknown policy \"%s\" (new, never, update)", policy);
	if (store_only)
		*out = IMAGES_PULL_NEVER;
	if (no_store)
		*out = IMAGES_PULL_UPDATE;
	return 0;
}

/* ---- importing ---- */

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	ui_warn("%s", text);
}

/* The image is good, only not yet to be run; what is wrong with its dependencies otherwise, running it tells. */
static void warn_of_dependencies(struct store *st, const struct image_id *id)
{
	struct err why;

	if (render_missing(st, id, warn, NULL, &why) < 0)
		ui_warn("%s", why.msg);
}

static int import(struct store *st, const struct rkt_globals *g, struct source *src, const char *origin,
		  const char *label, uint64_t total, struct image_id *out, struct err *e)
{
	struct ui_progress p;
	bool existed;
	const struct import_opts o = {
		.verified_by = "insecure", .devices = g->insecure & INSECURE_DEVICES, .origin = origin, .ctx = &p, .progress = ui_progress_at,
	};

	ui_progress_start(&p, label, total);
	int r = store_import(st, src, &o, out, &existed, e);
	ui_progress_end(&p);
	if (r == 0 && existed)
		ui_debug("the store has image %s already", out->s);
	if (r < 0 && e->code == ENODEV) {
		struct err why = *e;
		return err_set(e, EACCES, "%.400s; --insecure-options=devices lets it in", why.msg);
	}
	if (r == 0)
		warn_of_dependencies(st, out);
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

static int fetch_path(struct store *st, const struct rkt_globals *g, const char *path, struct image_id *out,
		      struct err *e)
{
	struct stat sb;

	if (may_fetch(g, e) < 0)
		return err_wrap(e, "%s", path);
	auto_close int fd = fd_open_input(path, &sb, e);
	if (fd < 0)
		return err_wrap(e, "%s", path);
	if (S_ISDIR(sb.st_mode))
		return err_set(e, EISDIR, "%s: is a directory, not an image (actool build makes images of directories)", path);
	say("using image from file %s", path);
	auto_source struct source *src = source_fd(fd, e);
	auto_free char *origin = realpath(path, NULL);
	const char *base = strrchr(path, '/');
	if (!src || import(st, g, src, origin ? origin : path, base ? base + 1 : path,
			   S_ISREG(sb.st_mode) ? (uint64_t)sb.st_size : 0, out, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

/* ---- URLs ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* file:///a%20b -> "/a b" (RFC 8089); a host would be another machine */
static int fetch_file_url(struct store *st, const struct rkt_globals *g, const char *url, struct image_id *out,
			  struct err *e)
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
	return fetch_path(st, g, path, out, e);
}

static void waiting(void *url)
{
	say("somebody else is downloading %s, waiting for that", (const char *)url);
}

static int download(struct store *st, const struct rkt_globals *g, const struct http_opts *o, const char *url,
		    struct partial *p, struct image_id *out, struct err *e)
{
	struct download_info info;
	struct err why;

	/* a server may take as long as it likes to say its first word */
	store_pause(st);
	auto_source struct source *src = download_open(url, o, NULL, p, &info, e);
	if (store_resume(st, &why) < 0)
		return err_set(e, why.code, "%s", why.msg);
	if (!src)
		return -1;
	if (info.resumed)
		ui_debug("%llu bytes were downloaded earlier", (unsigned long long)info.resumed);
	if (import(st, g, src, url, "Downloading ACI", info.length, out, e) < 0)
		return -1;
	return store_set_url(st, url, out, NULL, e);
}

static int fetch_http(struct store *st, const struct rkt_globals *g, const char *url, struct image_id *out,
		      struct err *e)
{
	struct http_opts o;
	struct auth a;
	struct err why;

	if (may_fetch(g, e) < 0)
		return err_wrap(e, "%s", url);
	say("remote fetching from URL \"%s\"", url);
	if (netopts_http(g, &a, &o, e) < 0)
		return -1;
	store_pause(st);
	struct partial *p = partial_take(st, url, waiting, (void *)(uintptr_t)url, e);
	int r = p ? 0 : -1;
	if (store_resume(st, &why) < 0)
		r = err_set(e, why.code, "%s", why.msg);
	if (r == 0)
		r = download(st, g, &o, url, p, out, e);
	if (r == 0 || !download_may_resume(e))
		partial_drop(p);
	else
		partial_close(p);
	auth_free(&a);
	return r < 0 ? err_wrap(e, "%s", url) : 0;
}

static int fetch_url(struct store *st, const struct rkt_globals *g, const char *url, struct image_id *out,
		     struct err *e)
{
	if (http_is_url(url))
		return fetch_http(st, g, url, out, e);
	if (!strncmp(url, "docker://", 9))
		return err_set(e, ENOTSUP, "%s: this version cannot convert Docker images; fetch an ACI", url);
	return err_set(e, ENOTSUP, "%s: cannot fetch from this kind of URL (file, http, https)", url);
}

/* whether the store itself knows of nothing that is wrong with an image */
static bool is_whole(struct store *st, const struct image_id *id)
{
	struct image_info i;
	struct err ignored;

	if (store_info(st, id, &i, &ignored) < 0)
		return false;
	bool whole = !i.damaged;
	image_info_free(&i);
	return whole;
}

static int resolve_url(const struct images_fetch *f, const char *url, enum images_pull pull, struct image_id *out,
		       struct err *e)
{
	if (pull != IMAGES_PULL_UPDATE && !images_is_file_url(url)) {
		int r = store_find_url(f->st, url, out, e);
		bool whole = r == 0 && (pull == IMAGES_PULL_NEVER || is_whole(f->st, out));
		if (whole)
			images_say("using image from local store for url %s", url);
		if (whole || (r < 0 && (e->code != ENOENT || pull == IMAGES_PULL_NEVER)))
			return r;
		if (r == 0)
			images_say("image from local store for url %s is damaged", url);
	}
	return images_fetch_url(f, url, NULL, out, e);
}

/* ---- names ---- */

/* of several images the one for this machine, unless the labels say which */
static int find_name(struct store *st, const struct image_name *n, struct image_id *out, struct err *e)
{
	const struct appc_pairs asked = { n->labels.v, n->n_asked };

	if (store_find_name(st, n->name, &n->labels, out, e) == 0)
		return 0;
	return e->code == ENOENT ? store_find_name(st, n->name, &asked, out, e) : -1;
}

static int find_by_name(struct store *st, const char *arg, struct image_id *out, struct err *e)
{
	struct image_name n = { .name = NULL };

	int r = image_name_read(arg, &n, e) < 0 ? -1 : find_name(st, &n, out, e);
	image_name_free(&n);
	return r;
}

static int resolve_name(struct images_fetch f, const char *arg, enum images_pull pull, struct image_id *out, struct err *e)
{
	int r = pull == IMAGES_PULL_UPDATE ? -1 : find_name(f.st, f.name, out, e);

	if (r == 0)
		images_say("using image from local store for image name %s", arg);
	if (r == 0 || pull == IMAGES_PULL_NEVER || (pull == IMAGES_PULL_NEW && e->code != ENOENT))
		return r;
	return images_fetch_name(&f, out, e);
}

static int read_and_resolve_name(const struct images_fetch *f, const char *arg, enum images_pull pull, struct image_id *out,
				 struct err *e)
{
	struct image_name n = { .name = NULL };
	struct images_fetch named = *f;

	named.name = &n;
	int r = image_name_read(arg, &n, e) < 0 ? -1 : resolve_name(named, arg, pull, out, e);
	image_name_free(&n);
	return r;
}

/* ---- all of them ---- */

static int from_origin(const struct images_fetch *f, const char *origin, const struct image_id *id, struct err *e)
{
	struct images_fetch same = { .st = f->st, .g = f->g, .passphrase_file = f->passphrase_file, .id = id };
	struct image_id got;

	images_say("image %.19s from local store is damaged, fetching it again from %s", id->s, origin);
	int r = http_is_url(origin) ? images_fetch_url(&same, origin, NULL, &got, e) : images_fetch_path(&same, origin, &got, e);
	return r < 0 ? err_wrap(e, "image %.19s is damaged", id->s) : 0;
}

/* One that is whole, or that came from nowhere that we know of, is left as it is: verify_image() has the last word. */
static int heal(const struct images_fetch *f, const struct image_id *id, struct err *e)
{
	struct image_info i;

	if (store_info(f->st, id, &i, e) < 0)
		return -1;
	int r = i.damaged && i.origin ? from_origin(f, i.origin, id, e) : 0;
	image_info_free(&i);
	return r;
}

static int resolve(const struct images_fetch *f, const char *arg, const struct images_policy *p, struct image_id *out,
		   struct err *e)
{
	switch (p->kind == IMAGES_GUESS ? images_kind_of(arg) : p->kind) {
	case IMAGES_ID:
		if (f->signature)
			return err_set(e, EINVAL, "--signature: %s is in the store, and not verified again", arg);
		return store_resolve(f->st, arg, out, e);
	case IMAGES_URL:
		return resolve_url(f, arg, p->pull, out, e);
	case IMAGES_PATH:
		return images_fetch_path(f, arg, out, e);
	case IMAGES_NAME:
	case IMAGES_GUESS:
		return read_and_resolve_name(f, arg, p->pull, out, e);
	}
	abort();
}

int images_resolve(struct store *st, const struct rkt_globals *g, const char *arg, const struct images_policy *p,
		   struct image_id *out, struct err *e)
{
	const struct images_fetch f = {
		.st = st, .g = g, .signature = p->signature, .passphrase_file = p->passphrase_file,
	};

	if (!*arg)
		return err_set(e, EINVAL, "the name of an image cannot be empty");
	if (resolve(&f, arg, p, out, e) < 0 || images_trust(st, g, out, e) < 0)
		return -1;
	if (p->heal && p->pull != IMAGES_PULL_NEVER && heal(&f, out, e) < 0)
		return -1;
	store_touch(st, out);
	return 0;
}

int images_find(struct store *st, const char *arg, struct image_id *out, struct err *e)
{
	if (!*arg)
		return err_set(e, EINVAL, "the name of an image cannot be empty");
	if (!strncmp(arg, IMAGE_ID_PREFIX, strlen(IMAGE_ID_PREFIX)))
		return store_resolve(st, arg, out, e);
	return find_by_name(st, arg, out, e);
}
