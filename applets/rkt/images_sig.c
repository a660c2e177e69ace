/* SPDX-License-Identifier: Apache-2.0
 * images_sig - see images_sig.h
 *
 * Source: rkt Documentation/signing-and-verification-guide.md; where a signature is, and that it may come later (status
 * 202), as rkt has it.
 */
#include "applets/rkt/images_sig.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/rkt/globals.h"
#include "applets/rkt/images_trust.h"
#include "applets/rkt/keys.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/fetch/download.h"
#include "core/store/partial.h"
#include "core/trust/trust.h"

#define SIG_MAX (1u << 20)
#define WITHOUT "; --insecure-options=image does without one"

char *images_sig_beside(const char *place)
{
	const char *scheme = strstr(place, "://");
	size_t n = scheme ? strcspn(place, "?#") : strlen(place);
	bool has = n > 4 && !memcmp(place + n - 4, ".aci", 4);

	return xasprintf("%.*s%s%s", (int)n, place, has ? ".asc" : ".aci.asc", place + n);
}

static int read_file(const char *path, struct buf *out, struct err *e)
{
	char block[4096];
	struct stat st;
	ssize_t n = 0;

	auto_close int fd = fd_open_input(path, &st, e);
	while (fd >= 0 && (n = fd_read_full(fd, block, sizeof(block))) > 0 && out->len <= SIG_MAX)
		buf_add(out, block, (size_t)n);
	if (fd < 0 || n < 0 || out->failed || out->len > SIG_MAX) {
		struct err why = *e;
		return err_set(e, fd < 0 ? why.code : EIO, "error opening signature file: %s: %s%s", path,
			       fd < 0 ? why.msg : out->len > SIG_MAX ? "too large for a signature" : "cannot be read",
			       fd < 0 && why.code == ENOENT ? WITHOUT : "");
	}
	return 0;
}

/* 1: it is there; 0: not yet */
static int download(const struct images_sig *s, struct buf *out, struct err *e)
{
	struct download_info info;

	images_say("downloading signature from %s", s->where);
	if (download_small(s->where, s->http, SIG_MAX, out, &info, e) < 0) {
		struct err why = *e;
		return err_set(e, why.code, "error downloading the signature file: %s: %s%s", s->where, why.msg,
			       strstr(why.msg, "status code: 404") ? WITHOUT : "");
	}
	return info.status != 202;
}

static int get(const struct images_sig *s, struct buf *out, struct err *e)
{
	if (!s->http)
		return read_file(s->where, out, e) < 0 ? -1 : 1;
	return download(s, out, e);
}

static int parse(struct images_sig *s, const struct buf *text, struct err *e)
{
	s->check = sigcheck_new(text->data ? text->data : "", text->len, e);
	return s->check ? 0 : err_wrap(e, "%s", s->where);
}

static struct keystore_dirs keystore(const struct images_sig *s)
{
	struct keystore_dirs d = keys_dirs(s->f->g);

	if (s->f->keys && s->f->keys->n)
		d.key_at = s->f->keys->v[0];
	return d;
}

/* Nobody is asked about keys that would make no difference. */
static int check_early(const struct images_sig *s, struct err *e)
{
	const struct keystore_dirs d = keystore(s);
	const struct images_fetch *f = s->f;
	const char *name = f->name ? f->name->name : NULL;

	int r = trust_early(&d, s->check, name, e);
	if (r < 0 && e->code == ENOKEY && f->keys && f->keys->n) {
		keys_offer(f->g, name, f->keys);
		r = trust_early(&d, s->check, name, e);
	}
	return r < 0 ? err_wrap(e, "%s", s->where) : 0;
}

int images_sig_open(struct images_sig *s, struct err *e)
{
	auto_buf struct buf text = { 0 };

	s->check = NULL;
	s->later = false;
	if (s->f->g->insecure & INSECURE_IMAGE || s->f->id)
		return 0;
	int r = get(s, &text, e);
	if (r > 0)
		return parse(s, &text, e) < 0 ? -1 : check_early(s, e);
	s->later = r == 0;
	if (s->later)
		images_say("server requested deferring the signature download");
	return r;
}

/* Which digests it will be over, nobody knows before, so the bytes are read again from where they are kept. */
static int feed(struct images_sig *s, const struct partial *p, uint64_t bytes, struct err *e)
{
	uint8_t block[16384];

	if (!p || partial_size(p) != bytes)
		return err_set(e, EIO, "%s came after the image, whose bytes could not be kept for it: fetch it again", s->where);
	for (uint64_t at = 0; at < bytes;) {
		size_t want = bytes - at < sizeof(block) ? (size_t)(bytes - at) : sizeof(block);
		if (partial_read(p, at, block, want) != want)
			return err_set(e, EIO, "what was downloaded cannot be read again");
		sigcheck_feed(s->check, block, want);
		at += want;
	}
	return 0;
}

int images_sig_late(struct images_sig *s, const struct partial *p, uint64_t bytes, struct err *e)
{
	auto_buf struct buf text = { 0 };

	int r = get(s, &text, e);
	if (r == 0)
		return err_set(e, EAGAIN, "error downloading the signature file: %s: server asked to defer the download again",
			       s->where);
	return r < 0 || parse(s, &text, e) < 0 || check_early(s, e) < 0 ? -1 : feed(s, p, bytes, e);
}

int images_sig_vouch(struct images_sig *s, const char *name, struct import_verdict *out, struct err *e)
{
	const struct keystore_dirs d = keystore(s);

	if (trust_vouch(&d, s->check, name, ui_now_ns() / 1000000000, &out->by, &out->prefix, e) < 0)
		return err_wrap(e, "image %.200s: verification failed", name);
	images_say("signature verified: %s is signed by key %s, which is trusted for %s", name, out->by,
		   *out->prefix ? out->prefix : "all images");
	return 0;
}

void images_sig_close(struct images_sig *s)
{
	sigcheck_free(s->check);
	s->check = NULL;
}
