/* SPDX-License-Identifier: Apache-2.0
 * repack - bytes of a tar into a file, compressed as another file was
 */
#pragma once

#include <stddef.h>

#include "core/archive/inflate.h"
#include "core/base/err.h"

struct repack;

/** repack_format() - what a file of format @f can be written as: itself, or gzip where we cannot write it */
enum inflate_format repack_format(enum inflate_format f);

/** repack_format_from() - "gzip", "none" ... as --compression has it; EINVAL when that cannot be written */
int repack_format_from(const char *name, enum inflate_format *f, struct err *e);

/** repack_open() - @fd: borrowed, written from its current position; @f: one that repack_format() gave */
struct repack *repack_open(int fd, enum inflate_format f, struct err *e);
int repack_write(struct repack *r, const void *p, size_t len, struct err *e);
int repack_end(struct repack *r, struct err *e); /* nothing may be written after it */
void repack_free(struct repack *r); /* NULL is fine */
