/* SPDX-License-Identifier: Apache-2.0
 * decoder - fuzzer: each decompressor by itself, on any bytes, whole and in pieces
 *
 * The first byte says which, the next two how large the pieces of input and output are. However a file is cut, the
 * same must come of it: inflate.c hands on what it got, and the pump asks for as much as a slot holds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENOUGH (4u << 20)

enum end { FAILED, CUT_OFF, COMPLETE, TOO_MUCH };
struct outcome {
	enum end end;
	uint64_t bytes, sum;
	size_t   used;
};

static void must(bool good)
{
	if (!good)
		abort();
}

static void add(struct outcome *o, const uint8_t *p, size_t n)
{
	o->bytes += n;
	for (size_t i = 0; i < n; i++)
		o->sum = (o->sum ^ p[i]) * 0x100000001b3;
}

/* one call: true when there is more to do */
static bool step(const struct decoder *d, void *ctx, const uint8_t *data, size_t size, size_t in_piece,
		 size_t out_piece, struct outcome *o)
{
	static uint8_t out[1u << 16];
	size_t left = size - o->used;
	struct decoder_io io = {
		.in = data + o->used, .in_len = left < in_piece ? left : in_piece, .in_end = left <= in_piece,
		.out = out, .out_len = out_piece,
	};
	const size_t in_before = io.in_len;
	struct err e = { 0 };
	enum decoder_state state = d->run(ctx, &io, &e);

	must(io.in_len <= in_before && io.in == data + o->used + (in_before - io.in_len));
	must(io.out_len <= out_piece && io.out == out + (out_piece - io.out_len));
	o->used += in_before - io.in_len;
	add(o, out, out_piece - io.out_len);
	if (state == DECODER_MORE && (io.in_len != in_before || io.out_len != out_piece)) {
		o->end = TOO_MUCH;
		return o->bytes < ENOUGH;
	}
	o->end = state == DECODER_ERROR ? FAILED : state == DECODER_DONE ? COMPLETE : CUT_OFF;
	must(state != DECODER_ERROR || *e.msg);
	must(state != DECODER_MORE || left <= in_piece); /* else it would be asked for ever */
	return false;
}

static struct outcome decode(const struct decoder *d, const uint8_t *data, size_t size, size_t in_piece, size_t out_piece)
{
	struct outcome o = { 0 };
	struct err e;
	void *ctx = d->open(&e);

	must(ctx != NULL);
	while (step(d, ctx, data, size, in_piece, out_piece, &o))
		;
	d->close(ctx);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct decoder *all[] = { &decoder_gzip, decoder_gzip_fast(), &decoder_bzip2, &decoder_xz, &decoder_zstd };

	if (size < 3)
		return 0;
	const struct decoder *d = all[data[0] % 5];
	if (!d)
		return 0;
	size_t in_piece = 1 + data[1], out_piece = 1 + data[2] * 16u;
	struct outcome whole = decode(d, data + 3, size - 3, SIZE_MAX, 1u << 16);
	struct outcome pieces = decode(d, data + 3, size - 3, in_piece, out_piece);
	/* what came before an error may differ, since it is noticed sooner or later */
	must((whole.end == COMPLETE) == (pieces.end == COMPLETE));
	if (whole.end == COMPLETE)
		must(whole.bytes == pieces.bytes && whole.sum == pieces.sum && whole.used == pieces.used);
	return 0;
}
