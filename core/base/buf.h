/* SPDX-License-Identifier: Apache-2.0
 * buf - bytes that grow; keeps its first error, so writers write on and check once at the end
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char  *data; /* NUL-terminated once anything was added; free with buf_free() */
	size_t len, cap;
	bool   failed; /* out of memory, or longer than SSIZE_MAX: contents are incomplete */
};

#define auto_buf __attribute__((cleanup(buf_free)))

void buf_free(struct buf *b);
/** buf_swap() - each gets the other's memory and contents */
void buf_swap(struct buf *a, struct buf *b);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
__attribute__((format(printf, 2, 3))) void buf_fmt(struct buf *b, const char *fmt, ...);

/** buf_clean() - adds untrusted text: control characters become '?', bytes that are not UTF-8 too */
void buf_clean(struct buf *b, const char *s, size_t len);
