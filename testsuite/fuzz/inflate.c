/* SPDX-License-Identifier: Apache-2.0
 * fuzz inflate - the decompressors on any bytes
 */
#include <stdint.h>
#include <string.h>

#include "core/archive/decoder.h"
#include "testsuite/unit/archive_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ENOUGH (8u << 20)

/* what came of it: the last result of next(), and a checksum of all bytes */
struct outcome {
	int      r;
	uint64_t sum;
};

static struct outcome decompress(const uint8_t *data, size_t len, size_t piece, const struct decoder *gzip)
{
	struct outcome o = { -1, 0 };
	const uint8_t *p;
	struct err e;
	size_t n, total = 0;

	auto_source struct source *s = inflate_open_gzip(kit_source(data, len, piece), gzip, &e);
	while (s && total < ENOUGH && (o.r = s->next(s, &p, &n, &e)) > 0) {
		if (!n)
			__builtin_trap();
		total += n;
		for (size_t i = 0; i < n; i++)
			o.sum = (o.sum ^ p[i]) * 0x100000001b3;
	}
	/* at the end everything has been looked at */
	if (s && o.r == 0 && total < ENOUGH && inflate_in_bytes(s) != len)
		__builtin_trap();
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	size_t piece = 1 + data[0] * 7u;
	struct outcome o = decompress(data + 1, len - 1, piece, &decoder_gzip);
	if (!decoder_gzip_fast() || !decoder_gzip_begins(data + 1, len - 1))
		return 0;
	/* what zlib takes, the fast one takes, and gives the same; it may take more, such as codes of no use */
	struct outcome fast = decompress(data + 1, len - 1, piece, decoder_gzip_fast());
	if (o.r >= 0 && (fast.r != o.r || fast.sum != o.sum))
		__builtin_trap();
	return 0;
}
