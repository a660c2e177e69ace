/* SPDX-License-Identifier: Apache-2.0
 * compress - any bytes, compressed by our own writers of deflate and zstd, are the same bytes to the real libraries
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "core/archive/deflate.h"
#include "core/archive/zstd.h"

#define REPEATS 3u /* so that there is something to refer back to, further than a small input is long */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_deflate(const uint8_t *in, size_t len, size_t history)
{
	static struct deflate *d;
	uint8_t *packed = malloc(2 * deflate_bound(len)), *back = malloc(len + 1);
	z_stream z = { .next_in = packed, .avail_out = (uInt)len + 1 };

	if (!d)
		d = deflate_new();
	/* what is history to the second block is the first */
	size_t first = history < DEFLATE_WINDOW ? history : DEFLATE_WINDOW;
	size_t n = deflate_block(d, in, history, 0, false, packed);
	n += deflate_block(d, in + history, len - history, first, true, packed + n);
	z.avail_in = (uInt)n;
	z.next_out = back;
	if (inflateInit2(&z, -15) != Z_OK || inflate(&z, Z_FINISH) != Z_STREAM_END || z.total_out != len ||
	    z.avail_in || memcmp(back, in, len) != 0)
		abort();
	inflateEnd(&z);
	free(packed);
	free(back);
}

static void check_zstd(const uint8_t *in, size_t len)
{
	static struct zstd *w;
	size_t room = zstd_bound(len);
	uint8_t *packed = malloc(room), *back = malloc(len + 1);

	if (!w)
		w = zstd_new();
	size_t n = zstd_frame(w, in, len, packed);
	if (n > room || ZSTD_decompress(back, len + 1, packed, n) != len || memcmp(back, in, len) != 0)
		abort();
	free(packed);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t all = len * REPEATS;
	uint8_t *in = malloc(all + 1);

	for (size_t i = 0; i < all; i++)
		in[i] = (uint8_t)(data[i % len] + i / len / 2);
	check_deflate(in, all, len ? data[0] % (all + 1) : 0);
	check_zstd(in, all);
	free(in);
	return 0;
}
