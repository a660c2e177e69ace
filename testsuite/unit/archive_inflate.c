/* SPDX-License-Identifier: Apache-2.0
 * archive_inflate - unit tests of core/archive/inflate.h: what the libraries compress, whole and damaged
 */
#include "testsuite/unit/unit.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "core/archive/decoder.h"
#include "core/archive/inflate.h"
#include "testsuite/unit/archive_kit.h"

/* ---- compressing ---- */

/* with the one match finder that every build of liblzma has */
static lzma_options_lzma *xz_options(lzma_options_lzma *o)
{
	lzma_lzma_preset(o, 6);
	o->dict_size = 1 << 20;
	o->mf = LZMA_MF_BT4;
	return o;
}

static void compress_as(enum inflate_format f, const void *p, size_t len, struct buf *out)
{
	size_t room = len + len / 8 + 1024, n = 0;
	char *tmp = malloc(room);

	if (f == INFLATE_NONE) {
		memcpy(tmp, p, len);
		n = len;
	} else if (f == INFLATE_GZIP) {
		z_stream z = { .next_in = (uint8_t *)(uintptr_t)p, .avail_in = (uInt)len, .next_out = (uint8_t *)tmp,
			       .avail_out = (uInt)room };
		CHECK(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK && deflate(&z, Z_FINISH) == Z_STREAM_END);
		n = z.total_out;
		deflateEnd(&z);
	} else if (f == INFLATE_BZIP2) {
		unsigned m = (unsigned)room;
		CHECK(BZ2_bzBuffToBuffCompress(tmp, &m, (char *)(uintptr_t)p, (unsigned)len, 1, 0, 0) == BZ_OK);
		n = m;
	} else if (f == INFLATE_XZ) {
		lzma_options_lzma o;
		const lzma_filter filters[] = { { LZMA_FILTER_LZMA2, xz_options(&o) }, { LZMA_VLI_UNKNOWN, NULL } };
		CHECK(lzma_stream_buffer_encode((lzma_filter *)(uintptr_t)filters, LZMA_CHECK_CRC64, NULL, p, len, (uint8_t *)tmp, &n, room) == LZMA_OK);
	} else {
		ZSTD_CCtx *c = ZSTD_createCCtx();
		ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
		n = ZSTD_compress2(c, tmp, room, p, len);
		CHECK(!ZSTD_isError(n));
		ZSTD_freeCCtx(c);
	}
	buf_add(out, tmp, n);
	free(tmp);
}

/* each case is tried with all decoders that gzip has in this build: this is the one at hand */
static const struct decoder *gzip = &decoder_gzip;

static struct source *open_with(struct source *in, struct err *e)
{
	return inflate_open_gzip(in, gzip, e);
}

/* everything that comes out, until it ends or *e says why not */
static int decompress(const void *p, size_t len, size_t piece, struct buf *out, struct err *e)
{
	auto_source struct source *s = open_with(kit_source(p, len, piece), e);
	const uint8_t *block;
	size_t n;
	int r = -1;

	while (s && (r = s->next(s, &block, &n, e)) > 0) {
		CHECK(n > 0);
		buf_add(out, block, n);
	}
	if (r == 0)
		CHECK_INT(inflate_in_bytes(s), len);
	return r;
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static void make_text(struct buf *b, size_t len)
{
	unsigned x = 1;

	while (b->len < len) {
		x = x * 1103515245 + 12345;
		buf_fmt(b, "line %u of some text\n", x >> 20);
	}
}

/* the formats, gzip once more with the fast decoder; 0: that was all of them */
static enum inflate_format next_way(enum inflate_format f)
{
	if (f == INFLATE_GZIP && gzip == &decoder_gzip && decoder_gzip_fast()) {
		gzip = decoder_gzip_fast();
		return f;
	}
	gzip = &decoder_gzip;
	return f == INFLATE_ZSTD ? INFLATE_NONE : f + 1;
}

#define EACH(f) for (enum inflate_format f = INFLATE_GZIP; f; f = next_way(f))

/* ---- cases ---- */

static void try_round_trip(enum inflate_format f, const struct buf *text)
{
	static const size_t pieces[] = { 1, 5, 4096, 1 << 20 };
	struct buf z = { 0 };
	struct err e;

	compress_as(f, text->data, text->len, &z);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct buf out = { 0 };
		CHECK_INT(decompress(z.data, z.len, pieces[i], &out, &e), 0);
		CHECK(same(&out, text));
		buf_free(&out);
	}
	auto_source struct source *s = open_with(kit_source(z.data, z.len, 3), &e);
	CHECK_INT(inflate_format(s), f);
	buf_free(&z);
}

TEST(round_trip, "inflate: all formats, whatever pieces the source has")
{
	struct buf text = { 0 };

	make_text(&text, 300000);
	try_round_trip(INFLATE_NONE, &text);
	EACH(f)
		try_round_trip(f, &text);
	buf_free(&text);
}

TEST(into_buffer, "inflate: fills buffers of any size, wherever the source's pieces end")
{
	static const size_t rooms[] = { 1, 7, 300, 65536, 300000, 1 << 20 };
	struct buf text = { 0 };
	struct err e;

	make_text(&text, 300000);
	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++)
		for (enum inflate_format f = INFLATE_NONE; f < INFLATE_BZIP2; f++) {
			struct buf z = { 0 };
			uint8_t *out = malloc(rooms[i]);
			size_t at = 0;
			ssize_t n;
			compress_as(f, text.data, text.len, &z);
			gzip = f && decoder_gzip_fast() ? decoder_gzip_fast() : &decoder_gzip;
			auto_source struct source *s = open_with(kit_source(z.data, z.len, 1000), &e);
			while ((n = inflate_read(s, out, rooms[i], &e)) > 0) {
				CHECK((size_t)n == rooms[i] || at + (size_t)n == text.len);
				CHECK(at + (size_t)n <= text.len && !memcmp(out, text.data + at, (size_t)n));
				at += (size_t)n;
			}
			CHECK_INT(n, 0);
			CHECK_INT(at, text.len);
			CHECK_INT(inflate_in_bytes(s), z.len);
			gzip = &decoder_gzip;
			free(out);
			buf_free(&z);
		}
	buf_free(&text);
}

/* ---- gzip, whose two decoders have to agree ---- */

#define EACH_GZIP(d) \
	for (const struct decoder *d = gzip = &decoder_gzip; d; \
	     d = gzip = gzip == &decoder_gzip ? decoder_gzip_fast() : NULL)

static void deflate_as(const struct buf *text, int level, int strategy, gz_header *head, struct buf *out)
{
	size_t room = text->len + text->len / 8 + 1024;
	char *tmp = malloc(room);
	z_stream z = { .next_in = (uint8_t *)text->data, .avail_in = (uInt)text->len, .next_out = (uint8_t *)tmp,
		       .avail_out = (uInt)room };

	CHECK(deflateInit2(&z, level, Z_DEFLATED, 31, 8, strategy) == Z_OK);
	CHECK(!head || deflateSetHeader(&z, head) == Z_OK);
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	buf_add(out, tmp, z.total_out);
	deflateEnd(&z);
	free(tmp);
}

/* text, noise, long runs and repetitions from the far end of the window */
static void make_mixture(struct buf *b)
{
	uint32_t x = 7;

	make_text(b, 100000);
	for (int i = 0; i < 70000; i++)
		buf_add(b, (char[]){ (char)((x = x * 1664525 + 1013904223) >> 24) }, 1);
	for (int i = 0; i < 200000; i++)
		buf_add(b, "", 1);
	for (int i = 0; i < 40000; i++)
		buf_add(b, (char[]){ b->data[b->len - 32768 + (size_t)(i % 100 == 99)] }, 1);
}

TEST(gzip_blocks, "inflate: gzip of stored, fixed and dynamic blocks, in any pieces")
{
	static const int ways[][2] = { { 0, Z_DEFAULT_STRATEGY }, { 1, Z_DEFAULT_STRATEGY }, { 9, Z_DEFAULT_STRATEGY },
		{ 6, Z_FIXED }, { 6, Z_HUFFMAN_ONLY }, { 6, Z_RLE }, { 6, Z_FILTERED } };
	static const size_t pieces[] = { 1, 17, 4096, 131072 };
	struct buf text = { 0 };
	struct err e;

	make_mixture(&text);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct buf z = { 0 };
		deflate_as(&text, ways[i][0], ways[i][1], NULL, &z);
		EACH_GZIP(d)
			for (size_t j = 0; j < sizeof(pieces) / sizeof(*pieces); j++) {
				struct buf out = { 0 };
				CHECK_INT(decompress(z.data, z.len, pieces[j], &out, &e), 0);
				CHECK(same(&out, &text));
				buf_free(&out);
			}
		buf_free(&z);
	}
	gzip = &decoder_gzip;
	buf_free(&text);
}

TEST(gzip_header, "inflate: all parts of a gzip header are read, and wrong ones refused")
{
	struct buf text = { 0 }, z = { 0 };
	gz_header h = { .text = 1, .extra = (Bytef *)"ab\1\0x", .extra_len = 5, .name = (Bytef *)"name",
			.comment = (Bytef *)"what it is", .hcrc = 1 };
	struct err e;

	make_text(&text, 1000);
	deflate_as(&text, 6, Z_DEFAULT_STRATEGY, &h, &z);
	size_t header_len = 10 + 2 + 5 + 5 + 11 + 2;
	EACH_GZIP(d) {
		struct buf out = { 0 };
		for (size_t piece = 1; piece < header_len + 2; piece++) {
			CHECK_INT(decompress(z.data, z.len, piece, &out, &e), 0);
			CHECK(same(&out, &text));
			buf_free(&out);
		}
		/* its checksum covers every byte of it but the magic, which would make it no gzip */
		for (size_t i = 2; i < header_len; i++) {
			z.data[i] ^= 0x40;
			CHECK_INT(decompress(z.data, z.len, 9, &out, &e), -1);
			CHECK_HAS(e.msg, "gzip: at compressed byte");
			z.data[i] ^= 0x40;
			buf_free(&out);
		}
	}
	gzip = &decoder_gzip;
	buf_free(&text);
	buf_free(&z);
}

TEST(gzip_trailer, "inflate: a wrong checksum or length of a gzip member is refused, as are unknown flags")
{
	struct buf text = { 0 }, z = { 0 }, out = { 0 };
	struct err e;

	make_text(&text, 1000);
	deflate_as(&text, 6, Z_DEFAULT_STRATEGY, NULL, &z);
	EACH_GZIP(d) {
		for (size_t i = 1; i <= 8; i++) {
			z.data[z.len - i] ^= 1;
			CHECK_INT(decompress(z.data, z.len, 50, &out, &e), -1);
			CHECK_HAS(e.msg, "check");
			z.data[z.len - i] ^= 1;
			buf_free(&out);
		}
		for (int bit = 5; bit < 8; bit++) {
			z.data[3] = (char)(1 << bit);
			CHECK_INT(decompress(z.data, z.len, 50, &out, &e), -1);
			CHECK_HAS(e.msg, "unknown header flags set");
		}
		z.data[3] = 0;
		z.data[2] = 7;
		CHECK_INT(decompress(z.data, z.len, 50, &out, &e), -1);
		CHECK_HAS(e.msg, "unknown compression method");
		z.data[2] = 8;
	}
	gzip = &decoder_gzip;
	buf_free(&text);
	buf_free(&z);
}

TEST(gzip_fast, "inflate: the fast decoder is the one that is used, where there is one")
{
	if (!decoder_gzip_fast())
		SKIP("not in this build, or not for this processor");
	struct buf z = { 0 };
	struct err e;
	const uint8_t *p;
	size_t n;

	/* told apart by what they say: a block of the kind that does not exist */
	compress_as(INFLATE_GZIP, "", 0, &z);
	z.data[10] = 7;
	auto_source struct source *s = inflate_open(kit_source(z.data, z.len, 100), &e);
	CHECK_INT(s->next(s, &p, &n, &e), -1);
	CHECK_HAS(e.msg, "gzip: at compressed byte");
	CHECK(!strstr(e.msg, "invalid block type"));
	buf_free(&z);
}

TEST(names, "inflate: formats have names")
{
	CHECK_STR(inflate_name(INFLATE_NONE), "none");
	CHECK_STR(inflate_name(INFLATE_ZSTD), "zstd");
}

TEST(short_input, "inflate: files shorter than a magic number are plain")
{
	for (size_t n = 0; n < 7; n++) {
		struct buf out = { 0 };
		struct err e;
		CHECK_INT(decompress("\xfd" "7zXZ", n < 5 ? n : 5, 2, &out, &e), 0);
		CHECK_INT(out.len, n < 5 ? n : 5);
		buf_free(&out);
	}
}

TEST(members, "inflate: members in a row are one stream")
{
	struct err e;

	EACH(f) {
		struct buf z = { 0 }, out = { 0 };
		compress_as(f, "one ", 4, &z);
		compress_as(f, "", 0, &z);
		compress_as(f, "two", 3, &z);
		for (size_t piece = 1; piece < 70; piece += 4) {
			CHECK_INT(decompress(z.data, z.len, piece, &out, &e), 0);
			CHECK(out.len == 7 && !memcmp(out.data, "one two", 7));
			buf_free(&out);
		}
		buf_free(&z);
	}
}

TEST(trailing, "inflate: bytes after the last member are an error that says where")
{
	static const char *const junk[] = { "x", "junk that is longer than any magic", "\x1f\x8b", "BZh", "\x28\xb5\x2f" };
	struct err e;

	EACH(f)
		for (size_t i = 0; i < sizeof(junk) / sizeof(*junk); i++) {
			struct buf z = { 0 }, out = { 0 };
			compress_as(f, "text", 4, &z);
			buf_add(&z, junk[i], strlen(junk[i]));
			CHECK_INT(decompress(z.data, z.len, 7, &out, &e), -1);
			CHECK_HAS(e.msg, inflate_name(f));
			CHECK_HAS(e.msg, "at compressed byte ");
			buf_free(&out);
			/* and a NUL, which gzip -d lets pass */
			z.len -= strlen(junk[i]);
			buf_add(&z, "", 1);
			CHECK_INT(decompress(z.data, z.len, 7, &out, &e), -1);
			buf_free(&z);
			buf_free(&out);
		}
}

TEST(xz_padding, "inflate: xz streams may be padded by multiples of four")
{
	struct err e;

	for (size_t pad = 0; pad < 9; pad++) {
		struct buf z = { 0 }, out = { 0 };
		compress_as(INFLATE_XZ, "text", 4, &z);
		for (size_t i = 0; i < pad; i++)
			buf_add(&z, "", 1);
		CHECK_INT(decompress(z.data, z.len, 10, &out, &e), pad % 4 ? -1 : 0);
		buf_free(&out);
		compress_as(INFLATE_XZ, "more", 4, &z);
		CHECK_INT(decompress(z.data, z.len, 10, &out, &e), pad % 4 ? -1 : 0);
		CHECK(pad % 4 || (out.len == 8 && !memcmp(out.data, "textmore", 8)));
		buf_free(&z);
		buf_free(&out);
	}
}

TEST(cut_off, "inflate: cut off at any byte it is an error")
{
	struct buf text = { 0 };
	struct err e;

	make_text(&text, 3000);
	EACH(f) {
		struct buf z = { 0 };
		compress_as(f, text.data, text.len, &z);
		for (size_t n = 6; n < z.len; n++) { /* with less, it is not known to be compressed */
			struct buf out = { 0 };
			CHECK_INT(decompress(z.data, n, 1000, &out, &e), -1);
			CHECK_HAS(e.msg, "truncated");
			char where[64];
			snprintf(where, sizeof(where), "at compressed byte %zu", n);
			CHECK_HAS(e.msg, where);
			buf_free(&out);
		}
		buf_free(&z);
	}
	buf_free(&text);
}

TEST(corrupt, "inflate: any changed byte is an error, or changes nothing")
{
	static const uint8_t flips[] = { 1, 0x80, 0xff };
	struct buf text = { 0 };
	struct err e;

	make_text(&text, 2000);
	EACH(f) {
		struct buf z = { 0 };
		size_t harmless = 0;
		compress_as(f, text.data, text.len, &z);
		for (size_t i = 0; i < z.len; i++)
			for (size_t j = 0; j < sizeof(flips); j++) {
				struct buf out = { 0 };
				z.data[i] ^= (char)flips[j];
				auto_source struct source *s = open_with(kit_source(z.data, z.len, 1000), &e);
				bool known = s && inflate_format(s) != INFLATE_NONE;
				if (known && decompress(z.data, z.len, 1000, &out, &e) == 0) {
					CHECK(same(&out, &text));
					harmless++;
				}
				z.data[i] ^= (char)flips[j];
				buf_free(&out);
			}
		/* a gzip header's time, and codes in the tables that no byte uses: few, all in all */
		CHECK(harmless < z.len / 10);
		buf_free(&z);
	}
	buf_free(&text);
}

TEST(memory, "inflate: a dictionary beyond the bound is refused")
{
	struct buf z = { 0 }, out = { 0 };
	struct err e;
	lzma_options_lzma o;
	uint8_t buf[4096];
	size_t n = 0;

	xz_options(&o);
	o.dict_size = 512u << 20;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &o }, { LZMA_VLI_UNKNOWN, NULL } };
	/* the encoder would need memory for it as well: change the size in the header that a small one wrote */
	o.dict_size = 4096;
	CHECK_INT(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, (const uint8_t *)"text", 4, buf, &n, sizeof(buf)),
		  LZMA_OK);
	size_t header = (buf[12] + 1u) * 4, at = 12 + 2;
	while (at < 12 + header && (buf[at] != 0x21 || buf[at + 1] != 1)) /* LZMA2, one byte of properties */
		at++;
	REQUIRE(at < 12 + header);
	buf[at + 2] = 34; /* 512 MiB */
	uint32_t crc = lzma_crc32(buf + 12, header - 4, 0);
	for (int i = 0; i < 4; i++)
		buf[12 + header - 4 + (size_t)i] = (uint8_t)(crc >> (8 * i));
	CHECK_INT(decompress(buf, n, 100, &out, &e), -1);
	CHECK_HAS(e.msg, "MiB to decompress, 160 are allowed");
	/* zstd: a frame header that asks for a window of 256 MiB */
	CHECK_INT(decompress("\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00", 9, 100, &out, &e), -1);
	CHECK_HAS(e.msg, "zstd: at compressed byte");
	buf_free(&z);
	buf_free(&out);
}

TEST(zstd_skippable, "inflate: skippable zstd frames, also in front")
{
	struct buf z = { 0 }, out = { 0 };
	struct err e;

	buf_add(&z, "\x50\x2a\x4d\x18\x04\x00\x00\x00" "skip", 12);
	compress_as(INFLATE_ZSTD, "text", 4, &z);
	buf_add(&z, "\x5f\x2a\x4d\x18\x00\x00\x00\x00", 8);
	CHECK_INT(decompress(z.data, z.len, 3, &out, &e), 0);
	CHECK(out.len == 4 && !memcmp(out.data, "text", 4));
	buf_free(&z);
	buf_free(&out);
}

UNIT_MAIN(round_trip, into_buffer, gzip_blocks, gzip_header, gzip_trailer, gzip_fast, names, short_input, members, trailing, xz_padding, cut_off, corrupt, memory,
	  zstd_skippable)
