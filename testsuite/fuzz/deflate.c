/* SPDX-License-Identifier: Apache-2.0
 * deflate - fuzzer: what gzip's encoder makes of any bytes, zlib makes the same bytes of
 *
 * The first byte says the level, the next how often the rest is there, and the third with how many zeros between: so
 * that little data goes over several blocks.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/archive/encoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENOUGH (1u << 19)

static void must(bool good)
{
	if (!good)
		abort();
}

/* into memory of just that size */
static uint8_t *repeat(const uint8_t *data, size_t size, size_t times, size_t gap, size_t *len)
{
	times = times * (size + gap) > ENOUGH ? 1 : times;
	*len = times * (size + gap);
	uint8_t *all = calloc(1, *len + !*len);

	must(all != NULL);
	for (size_t i = 0; i < times && size; i++)
		memcpy(all + i * (size + gap), data, size);
	return all;
}

static size_t encode(int level, const uint8_t *in, size_t len, uint8_t *out)
{
	const size_t block = encoder_gzip.block(level), history = encoder_gzip.history, room = encoder_gzip.bound(block);
	struct err e;
	size_t n = 0, at = 0;
	void *ctx = encoder_gzip.open(level, &e);

	must(ctx != NULL);
	do {
		struct encoder_block b = { .history_len = at < history ? at : history, .in = in + at,
			.in_len = len - at < block ? len - at : block, .out = malloc(room), .out_room = room };
		b.history = b.in - b.history_len;
		b.last = b.in_len == len - at;
		must(b.out && encoder_gzip.run(ctx, &b, &e) == 0 && b.out_len <= room);
		must(b.check == crc32(0, b.in, (uInt)b.in_len));
		memcpy(out + n, b.out, b.out_len);
		free(b.out);
		at += b.in_len;
		n += b.out_len;
	} while (at < len);
	encoder_gzip.close(ctx);
	return n;
}

static void must_read_back(const uint8_t *in, size_t len, const uint8_t *p, size_t n)
{
	uint8_t *back = malloc(len + 1);
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)p, .avail_in = (uInt)n, .next_out = back, .avail_out = (uInt)len + 1 };

	must(back && inflateInit2(&z, -MAX_WBITS) == Z_OK);
	must(inflate(&z, Z_FINISH) == Z_STREAM_END && !z.avail_in);
	must(z.total_out == len && !memcmp(back, in, len));
	inflateEnd(&z);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	/* level 1, which is not zlib's, more often than the others */
	int level = data[0] % 4 ? 1 : 1 + data[0] / 4 % 9;
	size_t len;
	uint8_t *in = repeat(data + 3, size - 3, 1u + data[1] * 4, data[2] * 8u, &len);
	uint8_t *out = malloc(2 * (len + ENOUGH));

	must(out != NULL);
	must_read_back(in, len, out, encode(level, in, len, out));
	free(out);
	free(in);
	return 0;
}
