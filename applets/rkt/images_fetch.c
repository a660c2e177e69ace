/* SPDX-License-Identifier: Apache-2.0
 * images_fetch - see images_fetch.h
 *
 * Whatever the image comes from, it ends as a struct source that store_import() reads once:
 * the place's own -> tee, which shows the bytes to the signatures -> decrypt, perhaps -> store_import() -> judge()
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
#include "applets/rkt/images_sig.h"
#include "applets/rkt/images_trust.h"
#include "applets/ui.h"
#include "core/archive/source.h"
#include "core/archive/tee.h"
#include "core/base/fd.h"
#include "core/fetch/download.h"
#include "core/store/deps.h"
#include "core/store/partial.h"

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

/* ---- importing ---- */

struct incoming {
	const struct images_fetch *f;
	struct images_sig          sig;
	const char                *origin, *label;
	uint64_t                   total; /* bytes; 0: not known */
	struct source             *tee;
	struct partial            *partial; /* of a download */
	struct ui_progress         progress;
};

static void progress(void *ctx, uint64_t bytes)
{
	ui_progress_at(&((struct incoming *)ctx)->progress, bytes);
}

static void show(void *check, const uint8_t *p, size_t len)
{
	sigcheck_feed(check, p, len);
}

/* whether it is what was asked for, whoever says so */
static int check_wish(const struct images_fetch *f, const struct import_facts *facts, struct err *e)
{
	if (f->id && strcmp(f->id->s, facts->id->s) != 0)
		return err_set(e, ENOENT, "is another image now, %.19s", facts->id->s);
	if (f->name && image_name_match(f->name, facts->manifest, e) < 0)
		return -1;
	const char *in = f->dependency ? deps_differs(f->dependency, facts) : NULL;
	return in ? err_set(e, EBADMSG, "image %.19s has another %s", facts->id->s, in) : 0;
}

static int judge(void *ctx, const struct import_facts *facts, struct import_verdict *out, struct err *e)
{
	struct incoming *in = ctx;
	const uint64_t bytes = tee_bytes(in->tee);
	const struct import_facts whole = { facts->id, facts->manifest, facts->tar_bytes, bytes };

	out->archive_bytes = bytes;
	if (tee_finish(in->tee, e) < 0 || check_wish(in->f, &whole, e) < 0 ||
	    (in->sig.later && images_sig_late(&in->sig, in->partial, bytes, e) < 0))
		return -1;
	return in->sig.check ? images_sig_vouch(&in->sig, facts->manifest->name, out, e) : 0;
}

static int import(struct incoming *in, struct image_id *out, struct err *e)
{
	const struct images_fetch *f = in->f;
	const struct import_opts o = {
		.devices = f->g->insecure & INSECURE_DEVICES, .origin = in->origin, .ctx = in, .progress = progress, .judge = judge,
		.latest = f->name && !f->dependency && !appc_pair_find(&f->name->labels, "version"),
	};
	struct source *bytes = source_lend(in->tee, e);
	bool existed;

	/* what comes slowly is waited for from here on, since its beginning is looked at */
	ui_progress_start(&in->progress, in->label, in->total);
	auto_source struct source *plain = bytes ? passphrase_source(bytes, &f->passphrase, e) : NULL;
	int r = plain ? store_import(f->st, plain, &o, out, &existed, e) : -1;
	ui_progress_end(&in->progress);
	if (r == 0 && existed)
		ui_debug("the store has image %s already", out->s);
	if (r < 0 && e->code == ENODEV) {
		struct err why = *e;
		return err_set(e, EACCES, "%.400s; --insecure-options=devices lets it in", why.msg);
	}
	return r;
}

/* @raw: borrowed */
static int take(struct incoming *in, struct source *raw, struct image_id *out, struct err *e)
{
	const struct pump_follower signatures = { in->sig.check, show };

	in->tee = tee_open(raw, in->sig.check ? &signatures : NULL, e);
	int r = in->tee ? import(in, out, e) : -1;
	source_cleanup(&in->tee);
	return r;
}

/* ---- files ---- */

static int take_file(struct incoming *in, const char *path, int fd, struct image_id *out, struct err *e)
{
	auto_free char *asc = images_sig_beside(path);
	auto_source struct source *raw = source_fd(fd, e);

	in->sig = (struct images_sig){ .f = in->f, .where = in->f->signature ? in->f->signature : asc };
	int r = !raw || images_sig_open(&in->sig, e) < 0 ? -1 : take(in, raw, out, e);
	images_sig_close(&in->sig);
	return r;
}

int images_fetch_path(const struct images_fetch *f, const char *path, struct image_id *out, struct err *e)
{
	struct stat sb;
	const char *base = strrchr(path, '/');

	auto_close int fd = fd_open_input(path, &sb, e);
	if (fd < 0)
		return err_wrap(e, "%s", path);
	if (S_ISDIR(sb.st_mode))
		return err_set(e, EISDIR, "%s: is a directory, not an image (actool build makes images of directories)", path);
	images_say("using image from file %s", path);
	auto_free char *origin = realpath(path, NULL);
	struct incoming in = {
		.f = f, .origin = origin ? origin : path, .label = base ? base + 1 : path,
		.total = S_ISREG(sb.st_mode) ? (uint64_t)sb.st_size : 0,
	};
	return take_file(&in, path, fd, out, e) < 0 ? err_wrap(e, "%s", path) : 0;
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

/* what was fetched from there earlier, if it would do for this request */
static bool is_known(const struct images_fetch *f, const char *url, struct store_remote *r)
{
	struct image_manifest m = { .name = NULL };
	struct image_info i;
	struct err ignored;

	if (f->id || store_find_remote(f->st, url, r, &ignored) < 0)
		return false;
	bool good = images_trust(f->st, f->g, &r->id, &ignored) == 0 && store_info(f->st, &r->id, &i, &ignored) == 0;
	if (good) {
		good = !i.damaged && store_manifest(f->st, &r->id, &m, &ignored) == 0 &&
		       check_wish(f, &(struct import_facts){ &r->id, &m, i.tar_bytes, i.archive_bytes }, &ignored) == 0;
		image_manifest_free(&m);
		image_info_free(&i);
	}
	if (!good)
		store_remote_free(r);
	return good;
}

static int64_t now_s(void)
{
	return ui_now_ns() / 1000000000;
}

struct get {
	const struct images_fetch *f;
	const char                *url, *asc;
	struct net                 net;
	struct store_remote        known; /* zero: nothing is */
	struct partial            *partial;
	bool                       waited;
};

static struct source *open_download(const struct get *g, struct download_info *info, struct err *e)
{
	struct store *st = g->f->st;
	struct err why;

	/* a server may take as long as it likes to say its first word */
	store_pause(st);
	struct source *src = download_open(g->url, &g->net.http, g->known.etag, g->partial, info, e);
	if (store_resume(st, &why) == 0)
		return src;
	*e = why;
	source_cleanup(&src);
	return NULL;
}

static int unchanged(struct get *g, const struct download_info *info, struct image_id *out, struct err *e)
{
	const char *etag = *info->etag ? info->etag : g->known.etag;
	int64_t fresh_s = info->fresh_s < 0 ? g->known.max_age_s : info->fresh_s;

	ui_debug("%s has not changed", g->url);
	*out = g->known.id;
	return store_set_url(g->f->st, g->url, out, etag, fresh_s, e);
}

static int download(struct get *g, struct incoming *in, struct image_id *out, struct err *e)
{
	struct download_info info;

	auto_source struct source *src = open_download(g, &info, e);
	if (!src)
		return -1;
	if (info.unchanged)
		return unchanged(g, &info, out, e);
	if (info.resumed)
		ui_debug("%llu bytes were downloaded earlier", (unsigned long long)info.resumed);
	in->total = info.length;
	in->partial = g->partial;
	if (take(in, src, out, e) < 0)
		return -1;
	return store_set_url(g->f->st, g->url, out, *info.etag ? info.etag : NULL, info.fresh_s > 0 ? info.fresh_s : 0, e);
}

/* A signature that has to be asked for is before the image, so that nothing is downloaded in vain. */
static int open_signature(struct get *g, struct images_sig *s, struct err *e)
{
	struct err why;

	store_pause(g->f->st);
	int r = images_sig_open(s, e);
	if (store_resume(g->f->st, &why) == 0)
		return r;
	*e = why;
	return -1;
}

static int get_image(struct get *g, struct image_id *out, struct err *e)
{
	const struct images_fetch *f = g->f;
	auto_free char *beside = g->asc ? NULL : images_sig_beside(g->url);
	struct incoming in = {
		.f = f, .origin = g->url, .label = f->dependency ? f->name->name : "Downloading ACI",
	};

	images_say("remote fetching from URL \"%s\"", g->url);
	in.sig = (struct images_sig){ .f = f, .where = f->signature };
	if (!f->signature) {
		in.sig.where = g->asc ? g->asc : beside;
		in.sig.http = &g->net.http;
	}
	int r = open_signature(g, &in.sig, e) < 0 ? -1 : download(g, &in, out, e);
	images_sig_close(&in.sig);
	return r;
}

static void waiting(void *ctx)
{
	struct get *g = ctx;

	g->waited = true;
	images_say("somebody else is downloading %s, waiting for that", g->url);
}

static int take_turn(struct get *g, struct err *e)
{
	struct err why;

	store_pause(g->f->st);
	g->partial = partial_take(g->f->st, g->url, waiting, g, e);
	if (store_resume(g->f->st, &why) < 0)
		*e = why;
	else if (g->partial)
		return 0;
	return -1;
}

/* its server wants it to be asked for again only after some time */
static bool is_fresh(struct get *g, struct image_id *out)
{
	if (!is_known(g->f, g->url, &g->known) || !store_remote_fresh(&g->known, now_s()))
		return false;
	images_say("image for %s isn't expired, not fetching.", g->url);
	*out = g->known.id;
	return true;
}

/* somebody has just fetched what we were about to fetch */
static bool was_fetched(struct get *g, int64_t since_s, struct image_id *out)
{
	int64_t before_s = g->known.fetched_s;

	store_remote_free(&g->known);
	if (!is_known(g->f, g->url, &g->known) || g->known.fetched_s < since_s ||
	    (!g->waited && g->known.fetched_s == before_s))
		return false;
	images_say("using image from local store for url %s", g->url);
	*out = g->known.id;
	return true;
}

static int get_in_turn(struct get *g, struct image_id *out, struct err *e)
{
	int64_t begun_s = now_s();

	if (is_fresh(g, out))
		return 0;
	int r = take_turn(g, e);
	if (r == 0 && !was_fetched(g, begun_s, out))
		r = get_image(g, out, e);
	if (r == 0 || !download_may_resume(e))
		partial_drop(g->partial);
	else
		partial_close(g->partial);
	return r;
}

static int fetch_http(const struct images_fetch *f, const char *url, const char *asc, struct image_id *out, struct err *e)
{
	struct get g = { .f = f, .url = url, .asc = asc };

	int r = net_open(f->g, &g.net, e) < 0 ? -1 : get_in_turn(&g, out, e);
	store_remote_free(&g.known);
	net_close(&g.net);
	return r < 0 ? err_wrap(e, "%s", url) : 0;
}

int images_fetch_url(const struct images_fetch *f, const char *url, const char *asc, struct image_id *out, struct err *e)
{
	if (images_is_file_url(url))
		return fetch_file_url(f, url, out, e);
	if (http_is_url(url))
		return fetch_http(f, url, asc, out, e);
	if (!strncmp(url, "docker://", 9))
		return err_set(e, ENOTSUP, "%s: this version cannot convert Docker images; fetch an ACI", url);
	return err_set(e, ENOTSUP, "%s: cannot fetch from this kind of URL (file, http, https)", url);
}
