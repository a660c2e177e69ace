/* SPDX-License-Identifier: Apache-2.0
 * inflate - see inflate.h
 *
 * The input is the sniffed head (when the first block was shorter than a magic number), then block after
 * block. A decoder says when a member is complete; whether another one begins is decided here, by its magic.
 */
#include "core/archive/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/decoder.h"

#define OUT_BLOCK (128u << 10)

static const struct decoder *const decoders[] = { &decoder_gzip, &decoder_bzip2, &decoder_xz, &decoder_zstd };

struct inflate {
	struct source         base;
	struct source        *in;
	const struct decoder *d; /* NULL: not compressed */
	void                 *ctx;
	const uint8_t        *p; /* input at hand */
	size_t                len;
	const uint8_t        *rest; /* what comes after it, when it is `head` */
	size_t                rest_len;
	uint64_t              in_bytes; /* everything before p */
	bool                  in_end;   /* the source below has ended */
	bool                  member;   /* inside a member */
	uint8_t               head[INFLATE_MAGIC];
	uint8_t              *out; /* what next() lends; NULL: never called */
};

const char *inflate_name(enum inflate_format f)
{
	static const char *const names[] = { "none", "gzip", "bzip2", "xz", "zstd" };

	return names[f];
}

bool inflate_is_small(enum inflate_format f)
{
	return f == INFLATE_NONE || f == INFLATE_GZIP;
}

enum inflate_format inflate_format(const struct source *s)
{
	const struct inflate *z = (const struct inflate *)s;

	return z->d ? z->d->format : INFLATE_NONE;
}

uint64_t inflate_in_bytes(const struct source *s)
{
	return ((const struct inflate *)s)->in_bytes;
}

/* makes input available: 1, 0 at the end of it, -1 */
static int refill(struct inflate *z, struct err *e)
{
	if (z->len)
		return 1;
	if (z->rest_len) {
		z->p = z->rest;
		z->len = z->rest_len;
		z->rest_len = 0;
		return 1;
	}
	if (z->in_end)
		return 0;
	int r = z->in->next(z->in, &z->p, &z->len, e);
	z->in_end = r == 0;
	return r;
}

/*
 * The bytes that a magic number is looked for in. They lie in one block unless a block ends within them; then
 * they are gathered in head, and the rest of the last block waits in rest.
 */
static int gather_magic(struct inflate *z, struct err *e)
{
	uint8_t head[INFLATE_MAGIC];
	size_t n = 0;
	int r;

	r = refill(z, e);
	if (r <= 0 || z->len >= INFLATE_MAGIC)
		return r < 0 ? -1 : 0;
	do {
		size_t take = z->len < INFLATE_MAGIC - n ? z->len : INFLATE_MAGIC - n;
		memcpy(head + n, z->p, take);
		n += take;
		z->p += take;
		z->len -= take;
	} while (n < INFLATE_MAGIC && (r = refill(z, e)) > 0);
	if (r < 0)
		return -1;
	z->rest = z->p;
	z->rest_len = z->len;
	memcpy(z->head, head, n);
	z->p = z->head;
	z->len = n;
	return 0;
}

static int at_byte(const struct inflate *z, struct err *e)
{
	return err_wrap(e, "%s: at compressed byte %llu", inflate_name(z->d->format),
			(unsigned long long)z->in_bytes);
}

/* between members: 1 another one begins, 0 the file ends here, -1 */
static int next_member(struct inflate *z, struct err *e)
{
	if (gather_magic(z, e) < 0)
		return -1;
	if (!z->len)
		return 0;
	if (!z->d->begins(z->p, z->len)) {
		err_set(e, EBADMSG, "bytes after the end of the compressed data");
		return at_byte(z, e);
	}
	if (z->d->restart(z->ctx, e) < 0)
		return at_byte(z, e);
	z->member = true;
	return 1;
}

/* one call of the decoder: 1 go on, 0 the member is complete, -1 */
static int run(struct inflate *z, struct decoder_io *io, struct err *e)
{
	if (refill(z, e) < 0)
		return -1;
	io->in = z->p;
	io->in_len = z->len;
	io->in_end = z->in_end;
	size_t out_before = io->out_len;
	enum decoder_state state = z->d->run(z->ctx, io, e);
	size_t used = z->len - io->in_len;
	z->p = io->in;
	z->len = io->in_len;
	z->in_bytes += used;
	if (state == DECODER_ERROR)
		return at_byte(z, e);
	if (state == DECODER_DONE) {
		z->member = false;
		return 0;
	}
	if (!used && io->out_len == out_before && z->in_end) {
		err_set(e, EBADMSG, "truncated");
		return at_byte(z, e);
	}
	return 1;
}

/* megabytes, which whoever works on with the result can use */
static void drop_decoder(struct inflate *z)
{
	if (z->ctx)
		z->d->close(z->ctx);
	z->ctx = NULL;
}

static ssize_t read_decoded(struct inflate *z, uint8_t *out, size_t room, struct err *e)
{
	struct decoder_io io = { .out = out, .out_len = room };
	int r = 1;

	while (io.out_len && r > 0) {
		if (!z->member && (r = next_member(z, e)) <= 0)
			break;
		r = run(z, &io, e) < 0 ? -1 : 1;
	}
	if (r == 0)
		drop_decoder(z);
	return r < 0 ? -1 : (ssize_t)(room - io.out_len);
}

static int next_decoded(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct inflate *z = (struct inflate *)s;

	if (!z->out && !(z->out = malloc(OUT_BLOCK)))
		return err_set(e, ENOMEM, "%s: out of memory", inflate_name(z->d->format));
	ssize_t n = read_decoded(z, z->out, OUT_BLOCK, e);
	if (n <= 0)
		return (int)n;
	*p = z->out;
	*len = (size_t)n;
	return 1;
}

static int next_plain(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct inflate *z = (struct inflate *)s;
	int r = refill(z, e);

	*p = z->p;
	*len = z->len;
	z->in_bytes += z->len;
	z->len = 0;
	return r;
}

static uint64_t skip_plain(struct source *s, uint64_t n)
{
	struct inflate *z = (struct inflate *)s;

	n = z->len || z->rest_len ? 0 : source_skip(z->in, n);
	z->in_bytes += n;
	return n;
}

static ssize_t read_plain(struct inflate *z, uint8_t *out, size_t room, struct err *e)
{
	size_t n = 0;
	int r = 1;

	while (n < room && (r = refill(z, e)) > 0) {
		size_t take = z->len < room - n ? z->len : room - n;
		memcpy(out + n, z->p, take);
		n += take;
		z->p += take;
		z->len -= take;
		z->in_bytes += take;
	}
	return r < 0 ? -1 : (ssize_t)n;
}

ssize_t inflate_read(struct source *s, uint8_t *out, size_t room, struct err *e)
{
	struct inflate *z = (struct inflate *)s;

	return z->d ? read_decoded(z, out, room, e) : read_plain(z, out, room, e);
}

static void inflate_close(struct source *s)
{
	struct inflate *z = (struct inflate *)s;

	drop_decoder(z);
	z->in->close(z->in);
	free(z->out);
	free(z);
}

static int choose(struct inflate *z, const struct decoder *gzip, struct err *e)
{
	if (gather_magic(z, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(decoders) / sizeof(*decoders) && !z->d; i++)
		if (z->len && decoders[i]->begins(z->p, z->len))
			z->d = decoders[i];
	if (!z->d)
		return 0;
	if (z->d == &decoder_gzip)
		z->d = gzip;
	z->base.next = next_decoded;
	z->base.skip = NULL;
	z->member = true;
	z->ctx = z->d->open(e);
	return z->ctx ? 0 : err_wrap(e, "%s", inflate_name(z->d->format));
}

struct source *inflate_open_gzip(struct source *in, const struct decoder *gzip, struct err *e)
{
	struct inflate *z = calloc(1, sizeof(*z));

	if (!z) {
		in->close(in);
		err_set(e, ENOMEM, "decompress: out of memory");
		return NULL;
	}
	z->base = (struct source){ .next = next_plain, .skip = skip_plain, .close = inflate_close };
	z->in = in;
	if (choose(z, gzip, e) < 0) {
		inflate_close(&z->base);
		return NULL;
	}
	return &z->base;
}

struct source *inflate_open(struct source *in, struct err *e)
{
	const struct decoder *fast = decoder_gzip_fast();

	return inflate_open_gzip(in, fast ? fast : &decoder_gzip, e);
}
