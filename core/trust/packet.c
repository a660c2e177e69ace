/* SPDX-License-Identifier: Apache-2.0
 * packet - see packet.h
 */
#include "core/trust/packet.h"

#include <errno.h>

const uint8_t *read_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->failed || n > r->left) {
		r->failed = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint32_t read_number(struct reader *r, size_t n)
{
	const uint8_t *p = read_bytes(r, n);
	uint32_t v = 0;

	while (p && n--)
		v = v << 8 | *p++;
	return v;
}

struct mpi read_mpi(struct reader *r)
{
	struct mpi m = { .bits = read_number(r, 2) };

	m.len = (m.bits + 7) / 8;
	m.p = read_bytes(r, m.len);
	if (!m.p || (m.len && m.p[0] >> ((m.bits - 1) % 8) != 1))
		r->failed = true;
	return m;
}

static bool carries_data(unsigned tag)
{
	return tag == PACKET_COMPRESSED || tag == PACKET_ENCRYPTED || tag == PACKET_LITERAL || tag == PACKET_PROTECTED ||
	       tag == PACKET_AEAD;
}

/* RFC 9580, 4.2.1: one length; sets *partial when another one follows its bytes */
static size_t new_length(struct reader *r, bool *partial)
{
	uint32_t a = read_number(r, 1);

	*partial = a >= 224 && a < 255;
	if (a < 192)
		return a;
	if (a < 224)
		return (a - 192) * 256 + read_number(r, 1) + 192;
	return *partial ? (size_t)1 << (a & 31) : read_number(r, 4);
}

static int new_body(struct reader *r, struct packet *out, struct err *e)
{
	bool partial;

	out->len = new_length(r, &partial);
	out->body = read_bytes(r, out->len);
	if (partial && !carries_data(out->tag))
		return err_set(e, EINVAL, "OpenPGP packet of type %u in partial lengths, which only data may have", out->tag);
	while (partial) {
		size_t n = new_length(r, &partial);
		if (!read_bytes(r, n))
			break;
		out->body = NULL;
		out->len += n;
	}
	return 0;
}

int packet_next(const uint8_t **p, size_t *len, struct packet *out, struct err *e)
{
	struct reader r = { *p, *len, false };

	if (!*len)
		return 0;
	uint32_t head = read_number(&r, 1);
	if (!(head & 0x80))
		return err_set(e, EINVAL, "not an OpenPGP packet");
	out->tag = head & 0x40 ? head & 0x3f : head >> 2 & 15;
	if (head & 0x40) {
		if (new_body(&r, out, e) < 0)
			return -1;
	} else {
		if ((head & 3) == 3 && !carries_data(out->tag))
			return err_set(e, EINVAL, "OpenPGP packet of type %u and unknown length, which only data may have", out->tag);
		out->len = (head & 3) == 3 ? r.left : read_number(&r, (size_t)1 << (head & 3));
		out->body = read_bytes(&r, out->len);
	}
	if (r.failed)
		return err_set(e, EINVAL, "OpenPGP packet is cut off");
	*p = r.p;
	*len = r.left;
	return 1;
}
