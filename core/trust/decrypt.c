/* SPDX-License-Identifier: Apache-2.0
 * decrypt - see decrypt.h
 *
 * A chain: the caller's source, the armor's, packets up to the encrypted data, what is in that; and of the packets there
 * the literal data, or that of the packets in a compressed one. At the end the same way is gone back: each has to end
 * where it says, and only packets that mean nothing may follow.
 */
#include "core/trust/decrypt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/platform_util.h>

#include "core/archive/decoder.h"
#include "core/trust/decrypt_parts.h"

#define BLOCK  (64u << 10)
#define LEVELS 2u /* what is encrypted, and what is compressed in that */

/* a compressed packet's content */
struct unzip {
	struct source         base;
	struct packet        *body;
	const struct decoder *d;
	void                 *ctx;
	const uint8_t        *p;
	size_t                len;
	bool                  in_end, done;
	uint8_t               out[BLOCK / 2];
};

struct decrypt {
	struct source  base;
	struct source *in;
	struct dearmor armor;
	struct flow    outer;
	struct packet  data; /* the encrypted one */
	struct keys    keys;
	struct unseal  unseal;
	struct unzip   unzip;
	struct level {
		struct flow   f;
		struct packet k;
	} level[LEVELS];
	struct level  *at; /* the one with the literal data */
	bool           ended, failed;
	uint8_t        out[BLOCK];
};

bool decrypt_wanted(const uint8_t *first, size_t len)
{
	if (!len || !(*first & 0x80))
		return dearmor_wanted(first, len);
	unsigned tag = *first & 0x40 ? *first & 63 : *first >> 2 & 15;
	return tag == TAG_PKESK || tag == TAG_SKESK || tag == TAG_UNPROTECTED || tag == TAG_MARKER || tag == TAG_SEIPD ||
	       tag == TAG_AEAD;
}

/* ---- compressed data ---- */

static int unzip_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct unzip *z = (struct unzip *)s;
	struct decoder_io io = { .out = z->out, .out_len = sizeof(z->out) };

	while (!z->done && io.out_len) {
		int r = z->len || z->in_end ? 1 : packet_lend(z->body, &z->p, &z->len, e);
		if (r < 0)
			return -1;
		z->in_end |= r == 0;
		io.in = z->p;
		io.in_len = z->len;
		io.in_end = z->in_end;
		size_t before = io.out_len;
		enum decoder_state state = z->d->run(z->ctx, &io, e);
		if (state == DECODER_ERROR)
			return err_wrap(e, "compressed data");
		if (state != DECODER_DONE && z->in_end && io.out_len == before)
			return err_set(e, EBADMSG, "the compressed data is cut off");
		z->p = io.in;
		z->len = io.in_len;
		z->done = state == DECODER_DONE;
	}
	*p = z->out;
	*len = sizeof(z->out) - io.out_len;
	/* behind it there may be anything: sq hides how long the data is by that */
	return *len ? 1 : packet_skip(z->body, e);
}

static void not_ours(struct source *s)
{
	(void)s;
}

static int unzip_open(struct unzip *z, struct packet *body, struct err *e)
{
	static const struct decoder *const known[] = { &decoder_deflate, &decoder_zlib, &decoder_bzip2 };
	uint8_t algorithm;

	if (packet_bytes(body, &algorithm, 1, e) < 0)
		return -1;
	if (!algorithm || algorithm > 3)
		return err_set(e, ENOTSUP, "is compressed with algorithm %u; ZIP, ZLIB and BZip2 are read", algorithm);
	z->base = (struct source){ .next = unzip_next, .close = not_ours };
	z->body = body;
	z->d = known[algorithm - 1];
	z->ctx = z->d->open(e);
	return z->ctx ? 0 : -1;
}

/* ---- packets ---- */

/* those that mean nothing here: padding, and what signs only what is inside */
static bool is_idle(unsigned tag)
{
	return tag == TAG_MARKER || tag == TAG_PADDING;
}

static int unexpected(const struct packet *k, struct err *e)
{
	return err_set(e, EBADMSG, "malformed: packet %u has no business there", k->tag);
}

static int literal(struct packet *k, struct err *e)
{
	uint8_t head[2], rest[255 + 4]; /* format, length of a name; the name, a time */

	if (packet_bytes(k, head, 2, e) < 0 || packet_bytes(k, rest, head[1] + 4u, e) < 0)
		return -1;
	return head[0] == 'b' ? 0 : err_set(e, ENOTSUP, "was encrypted as text, which changes line ends (gpg: --no-textmode)");
}

/* goes on to the literal data */
static int open_content(struct decrypt *d, struct err *e)
{
	struct level *l = d->level;
	int r;

	l->f.from = &d->unseal.base;
	while ((r = message_packet(&l->k, &l->f, e)) > 0) {
		unsigned tag = l->k.tag;
		if (tag == TAG_LITERAL) {
			d->at = l;
			return literal(&l->k, e);
		}
		if (tag == TAG_COMPRESSED && l == d->level) {
			if (unzip_open(&d->unzip, &l->k, e) < 0)
				return -1;
			(++l)->f.from = &d->unzip.base;
		} else if (!is_idle(tag) && tag != TAG_ONE_PASS && tag != TAG_SIGNATURE) {
			return unexpected(&l->k, e);
		} else if (packet_skip(&l->k, e) < 0) {
			return -1;
		}
	}
	return r < 0 ? -1 : err_set(e, EBADMSG, "malformed: there is no data in it");
}

static int only_idle(struct packet *k, struct flow *f, bool signatures, struct err *e)
{
	int r;

	while ((r = message_packet(k, f, e)) > 0) {
		if (!is_idle(k->tag) && !(signatures && k->tag == TAG_SIGNATURE))
			return unexpected(k, e);
		if (packet_skip(k, e) < 0)
			return -1;
	}
	return r;
}

/* all ends well */
static int close_content(struct decrypt *d, struct err *e)
{
	const uint8_t *p;
	size_t len;

	for (struct level *l = d->at; l >= d->level; l--)
		if (only_idle(&l->k, &l->f, true, e) < 0)
			return -1;
	int r = packet_lend(&d->data, &p, &len, e);
	if (r)
		return r < 0 ? -1 : unexpected(&d->data, e);
	return only_idle(&d->data, &d->outer, false, e);
}

/* goes on to the encrypted data */
static int open_data(struct decrypt *d, struct err *e)
{
	int r;

	while ((r = message_packet(&d->data, &d->outer, e)) > 0) {
		switch (d->data.tag) {
		case TAG_PKESK:
		case TAG_SKESK:
			r = keys_add(&d->keys, &d->data, e);
			break;
		case TAG_SEIPD:
		case TAG_AEAD:
			return d->keys.n ? unseal_init(&d->unseal, &d->data, &d->keys, e) : keys_none(&d->keys, e);
		case TAG_UNPROTECTED:
			return err_set(e, ENOTSUP, "has no integrity protection, so anybody could have changed it; encrypt it "
				       "again (gpg since 2.2.8 always protects)");
		default:
			r = is_idle(d->data.tag) ? packet_skip(&d->data, e) : unexpected(&d->data, e);
		}
		if (r < 0)
			return -1;
	}
	return r < 0 ? -1 : err_set(e, EBADMSG, "malformed: there is no encrypted data in it");
}

/* ---- the source ---- */

static int decrypt_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct decrypt *d = (struct decrypt *)s;

	if (d->ended)
		return 0;
	ssize_t n = d->failed ? err_set(e, EBADMSG, "read on after an error") : packet_some(&d->at->k, d->out, BLOCK, e);
	if (n == 0) {
		n = close_content(d, e);
		d->ended = n == 0;
	}
	d->failed = n < 0;
	if (n < 0)
		return err_wrap(e, "decrypt");
	*p = d->out;
	*len = (size_t)n;
	return n > 0;
}

bool decrypt_is(const struct source *s)
{
	return s->next == decrypt_next;
}

static void decrypt_close(struct source *s)
{
	struct decrypt *d = (struct decrypt *)s;

	if (d->unseal.body)
		unseal_free(&d->unseal);
	if (d->unzip.ctx)
		d->unzip.d->close(d->unzip.ctx);
	d->in->close(d->in);
	mbedtls_platform_zeroize(&d->keys, sizeof(d->keys));
	mbedtls_platform_zeroize(&d->unseal, sizeof(d->unseal));
	free(d);
}

static int start(struct decrypt *d, struct err *e)
{
	struct flow head = { .from = d->in };

	if (flow_fill(&head, e) < 0)
		return -1;
	d->outer = head;
	if (dearmor_wanted(head.p, head.len)) {
		dearmor_init(&d->armor, &head);
		d->outer = (struct flow){ .from = &d->armor.base };
	}
	if (open_data(d, e) < 0)
		return -1;
	mbedtls_platform_zeroize(&d->keys, sizeof(d->keys));
	return open_content(d, e);
}

struct source *decrypt_open_within(struct source *in, const char *passphrase, size_t len, uint64_t s2k_max, struct err *e)
{
	struct decrypt *d = calloc(1, sizeof(*d));

	if (!d) {
		in->close(in);
		err_set(e, ENOMEM, "decrypt: out of memory");
		return NULL;
	}
	d->base = (struct source){ .next = decrypt_next, .close = decrypt_close };
	d->in = in;
	d->keys = (struct keys){ .passphrase = (const uint8_t *)passphrase, .len = len, .s2k_left = s2k_max };
	int r = len > DECRYPT_PASSPHRASE_MAX ? err_set(e, EINVAL, "the passphrase is longer than %u bytes",
						       DECRYPT_PASSPHRASE_MAX) : start(d, e);
	if (r < 0) {
		err_wrap(e, "decrypt");
		decrypt_close(&d->base);
		return NULL;
	}
	return &d->base;
}

struct source *decrypt_open(struct source *in, const char *passphrase, size_t len, struct err *e)
{
	return decrypt_open_within(in, passphrase, len, S2K_MAX, e);
}
