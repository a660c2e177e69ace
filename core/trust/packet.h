/* SPDX-License-Identifier: Apache-2.0
 * packet - OpenPGP packets, old and new format, and the numbers in them
 *
 * Source: RFC 9580, 3 (numbers) and 4 (packets).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum packet_tag {
	PACKET_SIGNATURE = 2, PACKET_SECRET_KEY = 5, PACKET_PUBLIC_KEY = 6, PACKET_SECRET_SUBKEY = 7,
	PACKET_COMPRESSED = 8, PACKET_ENCRYPTED = 9, PACKET_MARKER = 10, PACKET_LITERAL = 11, PACKET_TRUST = 12,
	PACKET_USER_ID = 13, PACKET_PUBLIC_SUBKEY = 14, PACKET_ATTRIBUTE = 17, PACKET_PROTECTED = 18, PACKET_AEAD = 20,
	PACKET_PADDING = 21, PACKET_OPTIONAL = 40 /* this and all above: who does not know them passes over them */
};

struct packet {
	unsigned       tag;
	const uint8_t *body; /* points into the caller's bytes; NULL for data in partial lengths */
	size_t         len;
};

/**
 * packet_next() - the packet at *p, which moves behind it; 1, 0 at the end, -1 EINVAL malformed
 *
 * Packets that carry data may be in partial lengths (RFC 9580, 4.2.1.4), or, in the old format, last to the end of the
 * file; in all others, signatures and keys among them, both are errors.
 */
int packet_next(const uint8_t **p, size_t *len, struct packet *out, struct err *e);

/* ---- what stands in a packet: a reader that notices once, at the end, that something was cut off ---- */

struct reader {
	const uint8_t *p;
	size_t         left;
	bool           failed;
};

const uint8_t *read_bytes(struct reader *r, size_t n); /* NULL: not there */
uint32_t       read_number(struct reader *r, size_t n); /* 1 to 4 bytes, big-endian; 0 if not there */

struct mpi { const uint8_t *p; size_t len; unsigned bits; };

/** read_mpi() - RFC 9580, 3.2; a count of bits that does not fit the bytes fails: there is one way to write a number */
struct mpi read_mpi(struct reader *r);
