/* SPDX-License-Identifier: Apache-2.0
 * encoder_gzip - what encoder_gzip.c asks of a library that makes deflate's data; zlib is one, ISA-L another
 */
#pragma once

#include "core/archive/encoder.h"

struct deflater {
	uint64_t memory;
	void  *(*open)(int level, struct err *e);
	/* as encoder.run(), but without .check; ends on a byte */
	int    (*run)(void *ctx, struct encoder_block *b, struct err *e);
	void   (*close)(void *ctx);
};

/** deflater_fast() - for level 1; NULL: this build has none, and zlib does it */
const struct deflater *deflater_fast(void);
