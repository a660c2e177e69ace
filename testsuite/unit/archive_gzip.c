/* SPDX-License-Identifier: Apache-2.0
 * archive_gzip - unit tests of level 1 of core/archive/encoder_gzip.c: the same bytes on every processor, as zlib reads them
 */
#include "testsuite/unit/unit.h"

#include <stdint.h>
#include <zlib.h>

#include "core/archive/encoder_gzip.h"

/* deps/isal-level1.h; a distribution's libisal has no such thing */
extern int isal_processor __attribute__((weak));
enum { UNKNOWN, OTHER, SSE, AVX2 };

#define SIZE_MAX_IN (700u << 10)
#define ROOM        (1u << 20)

static uint8_t *in, *out[2], *back;

static void open_buffers(void)
{
	if (in)
		return;
	in = malloc(SIZE_MAX_IN);
	back = malloc(SIZE_MAX_IN);
	for (int i = 0; i < 2; i++)
		out[i] = malloc(ROOM);
	if (!in || !back || !out[0] || !out[1])
		abort();
}

/* ---- what is compressed: the same on every machine ---- */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % n);
}

static void noise(uint8_t *p, size_t len, unsigned alphabet)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)('a' + below(alphabet));
}

/* what stands @dist before, with a change now and then */
static void again(uint8_t *p, size_t len, size_t dist, unsigned every)
{
	for (size_t i = 0; i < len; i++)
		p[i] = p[i - dist];
	for (size_t i = below(every); i < len; i += 1 + below(every))
		p[i]++;
}

/* pieces as programs, texts and random data have them, and runs longer than any match */
static void mixture(uint8_t *p, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		static const unsigned lengths[] = { 8, 300, 300, 9000, 60000 };
		size_t dist;
		n = 1 + below(lengths[below(5)]);
		n = n < len - at ? n : len - at;
		switch (at ? below(7) : 1) {
		case 0:
			memset(p + at, (int)below(256), n);
			break;
		case 1:
			noise(p + at, n, 256);
			break;
		case 2:
			noise(p + at, n, 1 + below(60));
			break;
		default:
			dist = 1 + below((uint32_t)(at < 40000 ? at : 40000));
			again(p + at, n, dist, 1 + below(2000));
		}
	}
}

/* ---- as compress.c does it ---- */

static size_t deflate_with(int processor, size_t len, uint8_t *to)
{
	const size_t block = encoder_gzip.block(1), history = encoder_gzip.history;
	struct err e;
	size_t n = 0, at = 0;

	if (&isal_processor)
		isal_processor = processor;
	void *ctx = encoder_gzip.open(1, &e);
	if (!ctx)
		abort();
	do {
		struct encoder_block b = { .history_len = at < history ? at : history, .in = in + at,
			.in_len = len - at < block ? len - at : block, .out = to + n, .out_room = encoder_gzip.bound(block) };
		b.history = b.in - b.history_len;
		b.last = b.in_len == len - at;
		if (encoder_gzip.run(ctx, &b, &e) < 0) {
			CHECK_STR(e.msg, "");
			break;
		}
		at += b.in_len;
		n += b.out_len;
	} while (at < len);
	encoder_gzip.close(ctx);
	return n;
}

static bool reads_back(const uint8_t *p, size_t n, size_t len)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)p, .avail_in = (uInt)n, .next_out = back, .avail_out = SIZE_MAX_IN };

	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		abort();
	bool good = inflate(&z, Z_FINISH) == Z_STREAM_END && !z.avail_in && z.total_out == len && !memcmp(back, in, len);
	inflateEnd(&z);
	return good;
}

/* what the processor at hand can do, and all that lesser ones can; false: it is told where they differ */
static bool same_everywhere(size_t len)
{
	const size_t n = deflate_with(UNKNOWN, len, out[0]);
	const int best = &isal_processor ? isal_processor : UNKNOWN;
	bool good = reads_back(out[0], n, len);

	for (int processor = OTHER; processor < best && good; processor++)
		good = deflate_with(processor, len, out[1]) == n && !memcmp(out[0], out[1], n);
	if (!good)
		printf("# at length %zu\n", len);
	return good;
}

/* ---- */

TEST(reads_back_as_it_was, "gzip -1: zlib reads it back, at every length around the ends of blocks")
{
	const size_t block = encoder_gzip.block(1);

	open_buffers();
	seed = 1;
	mixture(in, 2 * block + 400);
	for (size_t len = 0; len < 400; len++)
		REQUIRE(same_everywhere(len));
	for (size_t len = block - 20; len < block + 300; len++)
		REQUIRE(same_everywhere(len));
	for (size_t len = 2 * block - 3; len < 2 * block + 3; len++)
		REQUIRE(same_everywhere(len));
}

TEST(the_same_on_every_processor, "gzip -1: assembly and C give the same bytes")
{
	if (!&isal_processor)
		SKIP("libisal is not the one of deps/isal.dep");
	open_buffers();
	deflate_with(UNKNOWN, 1, out[0]);
	if (isal_processor < SSE)
		SKIP("there is no assembly for this processor");
	/* short ones for how a block ends, long ones for all else */
	for (unsigned i = 0; i < 8000; i++) {
		seed = i;
		size_t len = below(i % 32 ? 700 : i % 256 ? 20000 : SIZE_MAX_IN);
		mixture(in, len);
		REQUIRE(same_everywhere(len));
	}
}

TEST(long_without_a_match, "gzip -1: what does not compress is passed over the same way, and does not grow")
{
	open_buffers();
	seed = 7;
	noise(in, SIZE_MAX_IN, 256);
	REQUIRE(same_everywhere(SIZE_MAX_IN));
	CHECK(deflate_with(UNKNOWN, SIZE_MAX_IN, out[0]) < SIZE_MAX_IN + SIZE_MAX_IN / 1000);
	/* a text in the middle, where the passing over has become long */
	noise(in + (300u << 10), 30000, 4);
	REQUIRE(same_everywhere(SIZE_MAX_IN));
	/* and what can be found only with luck */
	noise(in, SIZE_MAX_IN, 200);
	memcpy(in + (200u << 10), in + (180u << 10), 300);
	REQUIRE(same_everywhere(SIZE_MAX_IN));
}

TEST(the_same_for_ever, "gzip -1: the bytes are those of every other machine")
{
	if (!&isal_processor)
		SKIP("libisal is not the one of deps/isal.dep");
	open_buffers();
	seed = 2026;
	mixture(in, SIZE_MAX_IN);
	size_t n = deflate_with(UNKNOWN, SIZE_MAX_IN, out[0]);
	CHECK_INT(crc32(0, in, SIZE_MAX_IN), 3182916540); /* what is compressed is the same, to begin with */
	CHECK_INT(n, 208021);
	CHECK_INT(crc32(0, out[0], (uInt)n), 2721155035);
}

UNIT_MAIN(reads_back_as_it_was, the_same_on_every_processor, long_without_a_match, the_same_for_ever)
