/* SPDX-License-Identifier: Apache-2.0
 * sparse - maps of files with holes, in the four forms that GNU tar has had
 *
 * What a map says decides which stored bytes a file consists of, so it must leave nothing open: segments in
 * order, none overlapping, all inside the file, and together exactly the bytes that are stored.
 */
#include "core/archive/tar_parts.h"

#include <errno.h>
#include <stdlib.h>

void segments_free(struct segments *s)
{
	free(s->v);
	*s = (struct segments){ 0 };
}

int segments_add(struct segments *s, uint64_t offset, uint64_t len, struct err *e)
{
	if (s->n == TAR_SPARSE_MAX)
		return err_set(e, EFBIG, "sparse file of more than %u segments", TAR_SPARSE_MAX);
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		struct tar_segment *v = realloc(s->v, cap * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (struct tar_segment){ offset, len };
	return 0;
}

static int bad_map(struct err *e)
{
	return err_set(e, EBADMSG, "malformed sparse map");
}

/* a digit more; false: the number does not fit 63 bits */
static bool add_digit(uint64_t *v, char c)
{
	unsigned d = (unsigned)(c - '0');

	if (*v > ((uint64_t)INT64_MAX - d) / 10)
		return false;
	*v = *v * 10 + d;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* digits at *p; false: there are none, or too many */
static bool take_number(const char **p, uint64_t *v)
{
	if (!is_digit(**p))
		return false;
	for (*v = 0; is_digit(**p); (*p)++)
		if (!add_digit(v, **p))
			return false;
	return true;
}

int segments_from_text(struct segments *s, const char *text, struct err *e)
{
	const char *p = text;

	for (;;) {
		uint64_t offset, len;
		if (!take_number(&p, &offset) || *p++ != ',' || !take_number(&p, &len))
			return bad_map(e);
		if (segments_add(s, offset, len, e) < 0)
			return -1;
		if (!*p)
			return 0;
		if (*p++ != ',')
			return bad_map(e);
	}
}

/* a whole number of the map: its count first, then offset and length of each segment */
static int map_number(struct map_reader *m, struct segments *s, struct err *e)
{
	uint64_t v = m->value;

	m->value = 0;
	m->digits = 0;
	if (m->numbers++ == 0) {
		m->count = v;
		return v > TAR_SPARSE_MAX ?
			err_set(e, EFBIG, "sparse file of more than %u segments", TAR_SPARSE_MAX) : 0;
	}
	if (m->numbers % 2 == 0) {
		m->offset = v;
		return 0;
	}
	return segments_add(s, m->offset, v, e);
}

int map_reader_feed(struct map_reader *m, const uint8_t block[TAR_BLOCK_SIZE], struct segments *s,
		    struct err *e)
{
	size_t i = 0;

	do {
		char c = (char)block[i++];
		if (is_digit(c)) {
			if (!add_digit(&m->value, c))
				return bad_map(e);
			m->digits++;
		} else if (c != '\n' || !m->digits) {
			return bad_map(e);
		} else if (map_number(m, s, e) < 0) {
			return -1;
		}
	} while (i < TAR_BLOCK_SIZE && (!m->numbers || m->digits || m->numbers < 1 + 2 * m->count));
	if (!m->numbers || m->digits || m->numbers < 1 + 2 * m->count)
		return 0;
	/* what is neither map nor data could be taken for either */
	for (; i < TAR_BLOCK_SIZE; i++)
		if (block[i])
			return bad_map(e);
	return 1;
}

int segments_finish(struct segments *s, uint64_t file_size, uint64_t data_size, struct err *e)
{
	uint64_t end = 0, at = 0;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct tar_segment seg = s->v[i];
		if (seg.offset < end || seg.offset > file_size || seg.len > file_size - seg.offset)
			return err_set(e, EBADMSG,
				       "sparse map whose segments overlap, go backwards or leave the file");
		if (!seg.len)
			continue;
		/* GNU tar begins each segment on a block, others do not: with whole blocks all read the same */
		if (at % TAR_BLOCK_SIZE)
			return err_set(e, EBADMSG, "sparse segment that does not begin on a block of %u bytes",
				       TAR_BLOCK_SIZE);
		end = seg.offset + seg.len;
		at += seg.len; /* at most file_size, as the segments do not overlap */
		s->v[n++] = seg;
	}
	s->n = n;
	if (at != data_size)
		return err_set(e, EBADMSG, "sparse map of %llu bytes, but %llu are stored",
			       (unsigned long long)at, (unsigned long long)data_size);
	return 0;
}
