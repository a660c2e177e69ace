/* SPDX-License-Identifier: Apache-2.0
 * decrypt_packet - packets whose length may not be known when they begin, and which are never whole in memory
 *
 * Source: RFC 9580, 4.2.
 */
#include <errno.h>
#include <string.h>

#include "core/trust/decrypt_parts.h"

int flow_fill(struct flow *f, struct err *e)
{
	if (f->len)
		return 1;
	if (f->ended)
		return 0;
	int r = f->from->next(f->from, &f->p, &f->len, e);
	if (r <= 0) {
		f->len = 0;
		f->ended = r == 0;
	}
	return r;
}

static int cut_off(struct err *e)
{
	return err_set(e, EBADMSG, "the message is cut off");
}

static int number(struct flow *f, unsigned bytes, uint64_t *n, struct err *e)
{
	for (*n = 0; bytes; bytes--) {
		int r = flow_fill(f, e);
		if (r <= 0)
			return r < 0 ? -1 : cut_off(e);
		*n = *n << 8 | *f->p++;
		f->len--;
	}
	return 0;
}

/* a length of the new format */
static int part(struct packet *k, struct err *e)
{
	uint64_t a, b;

	if (number(k->f, 1, &a, e) < 0)
		return -1;
	k->partial = a >= 224 && a < 255;
	if (a < 192)
		k->left = a;
	else if (k->partial)
		k->left = 1ULL << (a & 31);
	else if (a == 255)
		return number(k->f, 4, &k->left, e);
	else if (number(k->f, 1, &b, e) < 0)
		return -1;
	else
		k->left = ((a - 192) << 8) + b + 192;
	return 0;
}

static bool may_stream(unsigned tag)
{
	return tag == TAG_COMPRESSED || tag == TAG_UNPROTECTED || tag == TAG_LITERAL || tag == TAG_SEIPD || tag == TAG_AEAD;
}

int message_packet(struct packet *k, struct flow *f, struct err *e)
{
	uint64_t head;
	int r = flow_fill(f, e);

	*k = (struct packet){ .f = f };
	if (r <= 0)
		return r;
	if (number(f, 1, &head, e) < 0)
		return -1;
	k->tag = head & 0x40 ? head & 63 : head >> 2 & 15;
	k->to_end = (head & 0x43) == 3;
	if (head & 0x80 && !k->to_end)
		r = head & 0x40 ? part(k, e) : number(f, 1u << (head & 3), &k->left, e);
	if (r < 0)
		return -1;
	if (!(head & 0x80) || ((k->partial || k->to_end) && !may_stream(k->tag)))
		return err_set(e, EBADMSG, "malformed: no OpenPGP packet where one has to begin");
	return 1;
}

int packet_lend(struct packet *k, const uint8_t **p, size_t *len, struct err *e)
{
	while (!k->left && k->partial)
		if (part(k, e) < 0)
			return -1;
	if (!k->left && !k->to_end)
		return 0;
	int r = flow_fill(k->f, e);
	if (r <= 0)
		return r < 0 || k->to_end ? r : cut_off(e);
	*p = k->f->p;
	*len = k->to_end || k->f->len < k->left ? k->f->len : (size_t)k->left;
	k->f->p += *len;
	k->f->len -= *len;
	k->left -= k->to_end ? 0 : *len;
	return 1;
}

/* what was lent but not used goes back */
static void give_back(struct packet *k, size_t n)
{
	k->f->p -= n;
	k->f->len += n;
	k->left += k->to_end ? 0 : n;
}

ssize_t packet_some(struct packet *k, uint8_t *out, size_t room, struct err *e)
{
	const uint8_t *p;
	size_t n = 0, len;
	int r = 1;

	while (n < room && (r = packet_lend(k, &p, &len, e)) > 0) {
		if (len > room - n) {
			give_back(k, len - (room - n));
			len = room - n;
		}
		memcpy(out + n, p, len);
		n += len;
	}
	return r < 0 ? -1 : (ssize_t)n;
}

int packet_bytes(struct packet *k, uint8_t *out, size_t n, struct err *e)
{
	ssize_t got = packet_some(k, out, n, e);

	return got < 0 ? -1 : (size_t)got == n ? 0 : err_set(e, EBADMSG, "malformed: packet %u is too short", k->tag);
}

int packet_skip(struct packet *k, struct err *e)
{
	const uint8_t *p;
	size_t len;
	int r;

	do
		r = packet_lend(k, &p, &len, e);
	while (r > 0);
	return r;
}
