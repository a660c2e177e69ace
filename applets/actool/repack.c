/* SPDX-License-Identifier: Apache-2.0
 * repack - see repack.h
 */
#include "applets/actool/repack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/base/fd.h"

#define OUT_BLOCK (64u << 10)

struct repack {
	int      fd;
	bool     gzip;
	z_stream z;
	uint8_t  out[OUT_BLOCK];
};

enum inflate_format repack_format(enum inflate_format f)
{
	return f == INFLATE_NONE ? INFLATE_NONE : INFLATE_GZIP;
}

int repack_format_from(const char *name, enum inflate_format *f, struct err *e)
{
	for (*f = INFLATE_NONE; *f <= INFLATE_ZSTD; ++*f)
		if (!strcmp(name, inflate_name(*f)) && repack_format(*f) == *f)
			return 0;
	return err_set(e, EINVAL, "--compression: \"%s\" cannot be written; known: gzip, none", name);
}

struct repack *repack_open(int fd, enum inflate_format f, struct err *e)
{
	struct repack *r = calloc(1, sizeof(*r));

	if (r) {
		r->fd = fd;
		r->gzip = f == INFLATE_GZIP;
		/* 16: as a gzip file, whose header has no name and no time */
		if (!r->gzip || deflateInit2(&r->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
					     Z_DEFAULT_STRATEGY) == Z_OK)
			return r;
		free(r);
	}
	err_set(e, ENOMEM, "out of memory");
	return NULL;
}

static int run(struct repack *r, const void *p, size_t len, int flush, struct err *e)
{
	z_stream *z = &r->z;

	z->next_in = (Bytef *)(uintptr_t)p; /* which it only reads */
	z->avail_in = (uInt)len;
	do {
		z->next_out = r->out;
		z->avail_out = OUT_BLOCK;
		deflate(z, flush);
		if (fd_write_all(r->fd, r->out, OUT_BLOCK - z->avail_out) < 0)
			return err_sys(e, "write");
	} while (!z->avail_out);
	return 0;
}

int repack_write(struct repack *r, const void *p, size_t len, struct err *e)
{
	if (r->gzip)
		return run(r, p, len, Z_NO_FLUSH, e);
	return fd_write_all(r->fd, p, len) < 0 ? err_sys(e, "write") : 0;
}

int repack_end(struct repack *r, struct err *e)
{
	return r->gzip ? run(r, NULL, 0, Z_FINISH, e) : 0;
}

void repack_free(struct repack *r)
{
	if (r && r->gzip)
		deflateEnd(&r->z);
	free(r);
}
