/* SPDX-License-Identifier: Apache-2.0
 * erofs_footer - what stands behind the file system in an index, and whether both are whole
 *
 *   sources: struct footer_source for each | struct footer_end, the last bytes of the file
 * The whole length is a multiple of a block, as a loop device needs it; zeros before the sources make it so.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/store/erofs_parts.h"

#define MAGIC "rktbox EROFS idx"

struct footer_source {
	char     id[136]; /* with its NUL */
	uint64_t bytes;
};
_Static_assert(sizeof(struct image_id) <= 136, "an ID fits");

struct footer_end {
	uint64_t ends[N_PARTS], sums[N_PARTS]; /* of the parts: byte, XXH64 */
	uint64_t sum;                          /* of all of the footer, this being 0 */
	uint32_t n_sources, version;
	char     magic[16];                    /* these two lie where they are in every version */
};
_Static_assert(sizeof(MAGIC) - 1 == 16, "fills its place");

/* ---- writing ---- */

static uint64_t sum_of(const void *p, size_t len)
{
	struct xxh64 x;

	xxh64_init(&x);
	xxh64_add(&x, p, len);
	return xxh64_get(&x);
}

/* zeros, sources and the end */
static size_t footer_len(uint64_t erofs_bytes, size_t n_sources)
{
	uint64_t len = n_sources * sizeof(struct footer_source) + sizeof(struct footer_end);

	return (size_t)(round_to(erofs_bytes + len, BLOCK) - erofs_bytes);
}

static void fill(uint8_t *p, size_t len, const struct erofs_opts *o, const struct erofs_parts *parts,
		 const uint64_t sums[N_PARTS])
{
	struct footer_end end = { .n_sources = htole32((uint32_t)o->n_sources), .version = htole32(EROFS_WRITER) };
	uint8_t *at = p + len - sizeof(end);

	memcpy(end.magic, MAGIC, sizeof(end.magic));
	for (unsigned i = 0; i < N_PARTS; i++) {
		end.ends[i] = htole64(parts->end[i]);
		end.sums[i] = htole64(sums[i]);
	}
	memcpy(at, &end, sizeof(end));
	for (size_t i = o->n_sources; i--;) {
		struct footer_source s = { .bytes = htole64(o->sources[i].bytes) };
		memcpy(s.id, o->sources[i].id.s, sizeof(o->sources[i].id.s));
		at -= sizeof(s);
		memcpy(at, &s, sizeof(s));
	}
	end.sum = htole64(sum_of(p, len));
	memcpy(p + len - sizeof(end), &end, sizeof(end));
}

int erofs_write_footer(int fd, const struct erofs_opts *o, const struct erofs_parts *parts,
		       const uint64_t sums[N_PARTS], uint64_t *bytes, struct err *e)
{
	uint64_t begin = parts->end[PART_DATA];
	size_t len = footer_len(begin, o->n_sources);
	auto_free uint8_t *p = calloc(1, len);

	if (!p)
		return err_set(e, ENOMEM, "write the index: out of memory");
	fill(p, len, o, parts, sums);
	if (lseek(fd, (off_t)begin, SEEK_SET) < 0 || fd_write_all(fd, p, len) < 0)
		return err_sys(e, "write the index");
	*bytes = begin + len;
	return 0;
}

/* ---- reading ---- */

static int damaged(const char *why, struct err *e)
{
	return err_set(e, EBADMSG, "index: %s", why);
}

static int read_at(int fd, void *p, size_t len, uint64_t at, struct err *e)
{
	for (uint8_t *to = p; len;) {
		ssize_t n = pread(fd, to, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? err_sys(e, "read the index") : damaged("cut off", e);
		to += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_end(int fd, uint64_t size, struct footer_end *end, struct err *e)
{
	if (size < BLOCK || size % BLOCK)
		return damaged("its length is none of an index", e);
	if (read_at(fd, end, sizeof(*end), size - sizeof(*end), e) < 0)
		return -1;
	if (memcmp(end->magic, MAGIC, sizeof(end->magic)) != 0)
		return damaged("its end is none of an index", e);
	if (le32toh(end->version) != EROFS_WRITER)
		return err_set(e, ESTALE, "index: made by version %u, this one makes %u", le32toh(end->version),
			       EROFS_WRITER);
	if (le32toh(end->n_sources) > EROFS_SOURCES_MAX)
		return damaged("too many sources", e);
	return 0;
}

static int check_ends(const struct footer_end *end, uint64_t size, struct err *e)
{
	for (unsigned i = 0; i < N_PARTS; i++)
		if (le64toh(end->ends[i]) < (i ? le64toh(end->ends[i - 1]) : 0) || le64toh(end->ends[i]) > size)
			return damaged("its parts are not in order", e);
	uint64_t erofs_bytes = le64toh(end->ends[PART_DATA]);
	if (erofs_bytes + footer_len(erofs_bytes, le32toh(end->n_sources)) != size)
		return damaged("its length is not what it says", e);
	return 0;
}

/* the footer as it is in the file; the caller's to free */
static int read_footer(int fd, const struct footer_end *end, uint8_t **out, size_t *len, struct err *e)
{
	uint64_t begin = le64toh(end->ends[PART_DATA]);
	struct footer_end blank = *end;

	*len = footer_len(begin, le32toh(end->n_sources));
	auto_free uint8_t *p = malloc(*len);
	if (!p)
		return err_set(e, ENOMEM, "index: out of memory");
	if (read_at(fd, p, *len, begin, e) < 0)
		return -1;
	blank.sum = 0;
	memcpy(p + *len - sizeof(blank), &blank, sizeof(blank));
	if (sum_of(p, *len) != le64toh(end->sum))
		return damaged("its end is damaged", e);
	*out = take_ptr(p);
	return 0;
}

static int take_sources(const uint8_t *footer, size_t len, struct erofs_info *out, struct err *e)
{
	const uint8_t *at = footer + len - sizeof(struct footer_end) - out->n_sources * sizeof(struct footer_source);

	out->sources = calloc(out->n_sources + 1, sizeof(*out->sources));
	if (!out->sources)
		return err_set(e, ENOMEM, "index: out of memory");
	for (size_t i = 0; i < out->n_sources; i++, at += sizeof(struct footer_source)) {
		struct footer_source s;
		memcpy(&s, at, sizeof(s));
		memcpy(out->sources[i].id.s, s.id, sizeof(out->sources[i].id.s));
		out->sources[i].id.s[sizeof(out->sources[i].id.s) - 1] = 0;
		out->sources[i].bytes = le64toh(s.bytes);
	}
	return 0;
}

void erofs_info_free(struct erofs_info *i)
{
	free(i->sources);
	*i = (struct erofs_info){ 0 };
}

static int open_index(int fd, struct erofs_info *out, struct footer_end *end, struct err *e)
{
	auto_free uint8_t *footer = NULL;
	struct stat st;
	size_t len;

	*out = (struct erofs_info){ 0 };
	if (fstat(fd, &st) < 0)
		return err_sys(e, "read the index");
	if (read_end(fd, (uint64_t)st.st_size, end, e) < 0 || check_ends(end, (uint64_t)st.st_size, e) < 0 ||
	    read_footer(fd, end, &footer, &len, e) < 0)
		return -1;
	out->bytes = (uint64_t)st.st_size;
	out->erofs_bytes = le64toh(end->ends[PART_DATA]);
	out->version = le32toh(end->version);
	out->n_sources = le32toh(end->n_sources);
	return take_sources(footer, len, out, e);
}

int erofs_open(int fd, struct erofs_info *out, struct err *e)
{
	struct footer_end end;

	return open_index(fd, out, &end, e);
}

static int check_part(int fd, uint64_t begin, uint64_t end, uint64_t sum, struct err *e)
{
	uint8_t buf[16384];
	struct xxh64 x;

	xxh64_init(&x);
	while (begin < end) {
		size_t n = end - begin < sizeof(buf) ? (size_t)(end - begin) : sizeof(buf);
		if (read_at(fd, buf, n, begin, e) < 0)
			return -1;
		xxh64_add(&x, buf, n);
		begin += n;
	}
	return xxh64_get(&x) == sum ? 0 : damaged("its content is damaged", e);
}

int erofs_check(int fd, struct err *e)
{
	struct erofs_info info;
	struct footer_end end;

	int r = open_index(fd, &info, &end, e);
	erofs_info_free(&info);
	for (unsigned i = 0; r == 0 && i < N_PARTS; i++)
		r = check_part(fd, i ? le64toh(end.ends[i - 1]) : 0, le64toh(end.ends[i]), le64toh(end.sums[i]), e);
	return r;
}
