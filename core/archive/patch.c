/* SPDX-License-Identifier: Apache-2.0
 * patch - see patch.h
 *
 * The source lends the old tar's own blocks, or a part of one, and once the new entry between two of them.
 */
#include "core/archive/patch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/inflate.h"
#include "core/archive/tar_parts.h"

#define OCTAL_7  07777777u      /* what the fields of a header hold, with a NUL behind the digits */
#define OCTAL_11 077777777777ll

static void octal(uint8_t *field, size_t size, uint64_t v)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%0*llo", (int)size - 1, (unsigned long long)v);
	memcpy(field, digits, size);
}

static void set_checksum(struct header *h)
{
	const uint8_t *p = (const uint8_t *)h;
	unsigned sum = 0;

	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	octal(h->checksum, 7, sum); /* six digits, a NUL, and the blank stays */
}

static struct header make_header(const struct aci_place *at, size_t len)
{
	struct header h = { .type = '0' };
	bool owner = at->uid <= OCTAL_7 && at->gid <= OCTAL_7;
	bool time = at->mtime_s >= 0 && at->mtime_s <= OCTAL_11;

	memcpy(h.name, "manifest", 8);
	memcpy(h.magic, "ustar\0" "00", 8);
	octal(h.mode, sizeof(h.mode), at->mode);
	octal(h.uid, sizeof(h.uid), owner ? at->uid : 0);
	octal(h.gid, sizeof(h.gid), owner ? at->gid : 0);
	octal(h.size, sizeof(h.size), len);
	octal(h.mtime, sizeof(h.mtime), time ? (uint64_t)at->mtime_s : 0);
	octal(h.devmajor, sizeof(h.devmajor), 0);
	octal(h.devminor, sizeof(h.devminor), 0);
	set_checksum(&h);
	return h;
}

int patch_make(struct patch *p, const struct aci_place *at, const char *text, size_t len, struct err *e)
{
	static const uint8_t zeros[TAR_BLOCK_SIZE];
	struct header h = make_header(at, len);

	*p = (struct patch){ .begin = at->begin, .end = at->end };
	buf_add(&p->entry, &h, sizeof(h));
	buf_add(&p->entry, text, len);
	buf_add(&p->entry, zeros, tar_padding(len));
	return p->entry.failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* ---- the new tar ---- */

struct patched {
	struct source       base;
	struct source      *in;
	const struct patch *patch;
	const uint8_t      *p; /* what is left of the old tar's block */
	size_t              len;
	uint64_t            at;   /* of p in the old tar */
	bool                done; /* the new entry was lent */
};

static int next_block(struct patched *s, struct err *e)
{
	int r = s->in->next(s->in, &s->p, &s->len, e);

	if (r <= 0)
		s->len = 0;
	else if (s->at > ACI_RATIO_FROM && s->at / ACI_RATIO_MAX > inflate_in_bytes(s->in))
		return err_set(e, EFBIG, "more than %u times the size of the compressed file", ACI_RATIO_MAX);
	return r;
}

/* leaves out the old entry; 1: bytes of the old tar are at hand, 0: its end, -1 */
static int refill(struct patched *s, struct err *e)
{
	for (;;) {
		if (s->done && s->at < s->patch->end) {
			uint64_t gone = s->patch->end - s->at;
			size_t n = gone < s->len ? (size_t)gone : s->len;
			s->p += n;
			s->len -= n;
			s->at += n;
		}
		if (s->len)
			return 1;
		int r = next_block(s, e);
		if (r <= 0)
			return r;
	}
}

static int patched_next(struct source *base, const uint8_t **p, size_t *len, struct err *e)
{
	struct patched *s = (struct patched *)base;

	if (!s->done && s->at == s->patch->begin) {
		s->done = true;
		*p = (const uint8_t *)s->patch->entry.data;
		*len = s->patch->entry.len;
		return 1;
	}
	int r = refill(s, e);
	if (r <= 0)
		return r;
	uint64_t before = s->done ? UINT64_MAX : s->patch->begin - s->at;
	*p = s->p;
	*len = s->len < before ? s->len : (size_t)before;
	s->p += *len;
	s->len -= *len;
	s->at += *len;
	return 1;
}

static void patched_close(struct source *base)
{
	struct patched *s = (struct patched *)base;

	s->in->close(s->in);
	free(s);
}

struct source *patch_source(const struct patch *p, struct source *in, struct err *e)
{
	struct patched *s = calloc(1, sizeof(*s));

	if (!s) {
		in->close(in);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	s->base = (struct source){ .next = patched_next, .close = patched_close };
	s->in = in;
	s->patch = p;
	return &s->base;
}
