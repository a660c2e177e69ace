/* SPDX-License-Identifier: Apache-2.0
 * archive_list - a tar as lines of text, for comparison with what other programs say of it
 *
 * One line per entry, tab-separated: type, path, link, mode, uid, gid, size, mtime (ns), major, minor, CRC-32 of
 * the content with its holes, and xattrs as NAME=HEX. Bytes outside 0x21..0x7e are \xXX.
 */
#pragma once

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>

#include "core/archive/inflate.h"
#include "core/archive/tar.h"
#include "core/base/fd.h"

static inline void list_text(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s > 0x20 && (unsigned char)*s < 0x7f && *s != '\\')
			putchar(*s);
		else
			printf("\\x%02x", (unsigned char)*s);
}

static inline unsigned long list_zeros(unsigned long crc, uint64_t n)
{
	static const uint8_t zeros[65536];

	for (; n; n -= n < sizeof(zeros) ? n : sizeof(zeros))
		crc = crc32(crc, zeros, (uInt)(n < sizeof(zeros) ? n : sizeof(zeros)));
	return crc;
}

/* -1: the stream broke */
static inline int list_crc(struct tar *t, const struct tar_entry *en, unsigned long *crc, struct err *e)
{
	uint64_t at = 0, done = 0; /* in the file; of the segment */
	const uint8_t *p;
	size_t len, seg = 0;
	int r;

	*crc = crc32(0, NULL, 0);
	while ((r = tar_data(t, &p, &len, e)) > 0) {
		while (len) {
			size_t n = len;
			if (en->sparse) {
				const struct tar_segment *s = &en->segments[seg];
				if (!done) {
					*crc = list_zeros(*crc, s->offset - at);
					at = s->offset;
				}
				uint64_t left = s->len - done;
				n = left < n ? (size_t)left : n;
				seg += n == left;
				done = n == left ? 0 : done + n;
			}
			*crc = crc32(*crc, p, (uInt)n);
			p += n;
			len -= n;
			at += n;
		}
	}
	*crc = list_zeros(*crc, en->size - at);
	return r;
}

static inline void list_entry(const struct tar_entry *en, unsigned long crc)
{
	static const char *const types[] = { "file", "hardlink", "symlink", "char", "block", "dir", "fifo" };
	/* printed as one number, which nanoseconds since 1970 do not always fit into */
	__int128 ns = (__int128)en->mtime_s * 1000000000 + en->mtime_ns;

	printf("%s\t", types[en->type]);
	list_text(en->path);
	putchar('\t');
	list_text(en->link ? en->link : "");
	printf("\t%04o\t%u\t%u\t%" PRIu64 "\t", en->mode, en->uid, en->gid, en->size);
	if (ns < 0)
		putchar('-');
	printf("%" PRIu64 "%09" PRIu64, (uint64_t)((ns < 0 ? -ns : ns) / 1000000000),
	       (uint64_t)((ns < 0 ? -ns : ns) % 1000000000));
	printf("\t%u\t%u\t%08lx", en->rdev_major, en->rdev_minor, crc);
	for (size_t i = 0; i < en->n_xattrs; i++) {
		putchar('\t');
		list_text(en->xattrs[i].name);
		putchar('=');
		for (size_t j = 0; j < en->xattrs[i].len; j++)
			printf("%02x", en->xattrs[i].value[j]);
	}
	putchar('\n');
}

/* 0: all of it was printed; 1: "error: ..." was the last line */
static inline int list_file(const char *file)
{
	struct err e;
	auto_close int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct source *raw = fd < 0 ? NULL : source_fd(fd, &e);
	auto_source struct source *plain = raw ? inflate_open(raw, &e) : NULL;
	struct tar *t = plain ? tar_open(plain, &e) : NULL;
	const struct tar_entry *en;
	unsigned long crc;
	int r = -1;

	if (fd < 0)
		err_sys(&e, "open %s", file);
	while (t && (r = tar_next(t, &en, &e)) > 0) {
		if ((r = list_crc(t, en, &crc, &e)) < 0)
			break;
		list_entry(en, crc);
	}
	tar_free(t);
	if (r < 0)
		printf("error: %s\n", e.msg);
	return r < 0;
}
