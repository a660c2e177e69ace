/* SPDX-License-Identifier: Apache-2.0
 * decoder - what inflate.c asks of a decompression library; one file per library implements it,
 * two for gzip
 *
 * A decoder knows one member (gzip, bzip2), frame (zstd) or whole file (xz) at a time; where members follow each
 * other, where the input ends and what may come after is inflate.c's business, the same for all of them.
 */
#pragma once

#include <stdbool.h>

#include "core/archive/inflate.h"

struct decoder_io {
	const uint8_t *in;
	size_t         in_len;
	bool           in_end; /* nothing will follow what is in `in` */
	uint8_t       *out;
	size_t         out_len;
};

enum decoder_state { DECODER_ERROR = -1, DECODER_MORE = 0, DECODER_DONE = 1 };

struct decoder {
	enum inflate_format format;
	/* do these first bytes (always INFLATE_MAGIC, unless the file is shorter) begin a member? */
	bool (*begins)(const uint8_t *p, size_t len);
	void *(*open)(struct err *e);
	/*
	 * Takes from io->in and adds to io->out, moving both. DONE: this member is complete and its checksum right.
	 * A call that can do neither, with io->in_end set, is the sign of a cut-off file.
	 */
	enum decoder_state (*run)(void *ctx, struct decoder_io *io, struct err *e);
	int (*restart)(void *ctx, struct err *e); /* the next member begins */
	void (*close)(void *ctx);
};

#define INFLATE_MAGIC 6u /* bytes that tell all formats apart */

extern const struct decoder decoder_gzip, decoder_bzip2, decoder_xz, decoder_zstd;
extern const struct decoder decoder_zlib, decoder_deflate; /* RFC 1950, 1951: not found by any magic, .begins is NULL */

bool decoder_gzip_begins(const uint8_t *p, size_t len);
/** decoder_gzip_fast() - instead of decoder_gzip; NULL: this build or this processor has none */
const struct decoder *decoder_gzip_fast(void);

/** gzip_crc_fast() - a quicker crc32() than zlib's (RFC 1952, 8); NULL: none. Ask once, not for every block */
typedef uint32_t gzip_crc(uint32_t crc, const unsigned char *p, uint64_t len);
gzip_crc *gzip_crc_fast(void);

/** inflate_open_gzip() - inflate_open() with this decoder for gzip (for tests, which try each) */
struct source *inflate_open_gzip(struct source *in, const struct decoder *gzip, struct err *e);
