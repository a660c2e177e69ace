/* SPDX-License-Identifier: Apache-2.0
 * armor - OpenPGP's ASCII armor: base64 between BEGIN and END lines
 *
 * Source: RFC 9580, 6 (and RFC 4880, 6 for the checksum, which is checked when it is there).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/**
 * armor_decode() - the next block of that @kind in @text ("PUBLIC KEY BLOCK", "SIGNATURE")
 * @text, @len: what is left of the file; both move behind the block
 * @out:  the bytes are added to it; buf_free() it
 *
 * 1: found; 0: there is no more; -1: malformed. Text between blocks is ignored; text inside is not.
 */
int armor_decode(const char **text, size_t *len, const char *kind, struct buf *out, struct err *e);

/** armor_encode() - appends a block with checksum, lines of 64 characters */
int armor_encode(const uint8_t *data, size_t len, const char *kind, struct buf *out, struct err *e);
