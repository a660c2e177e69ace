/* SPDX-License-Identifier: Apache-2.0
 * decrypt_armor - an armored message, decoded as it streams by
 *
 * The checksum is not looked at (RFC 9580, 6.1): what is inside proves its integrity by itself.
 */
#include <errno.h>
#include <string.h>

#include "core/trust/decrypt_parts.h"

#define BEGIN "-----BEGIN PGP MESSAGE-----"
#define END   "-----ENDPGPMESSAGE-----" /* without white space */

enum { FIRST_LINE, HEADER, BODY, TAIL };

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool dearmor_wanted(const uint8_t *p, size_t len)
{
	for (; len && is_white((char)*p); p++)
		len--;
	return len >= strlen(BEGIN) && !memcmp(p, BEGIN, strlen(BEGIN));
}

static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* "Version: ..." and the like, up to a line with nothing in it */
static int header(struct dearmor *a, char c, struct err *e)
{
	if (c != '\n') {
		a->colon |= c == ':';
		a->text |= !is_white(c);
		return 0;
	}
	if (a->state == FIRST_LINE ? !a->text : a->text && !a->colon)
		return a->state == FIRST_LINE ? 0 : err_set(e, EBADMSG, "armor: no blank line after the header");
	a->state = a->text ? HEADER : BODY;
	a->colon = a->text = false;
	return 0;
}

/* base64; 1: c was taken */
static int body(struct dearmor *a, uint8_t c, size_t *n)
{
	int d = digit(c);

	if (d < 0)
		return is_white((char)c);
	a->bits = a->bits << 6 | (uint32_t)d;
	if (++a->n_bits == 4) {
		a->out[(*n)++] = (uint8_t)(a->bits >> 16);
		a->out[(*n)++] = (uint8_t)(a->bits >> 8);
		a->out[(*n)++] = (uint8_t)a->bits;
		a->n_bits = 0;
	}
	return 1;
}

/* what is behind the data is kept, as far as there may be something, and judged at the end of the file */
static int tail(struct dearmor *a, char c, struct err *e)
{
	if (is_white(c))
		return 0;
	if (a->n_tail == sizeof(a->tail) - 1)
		return err_set(e, EBADMSG, "armor: something stands behind its end, or is no base64");
	a->tail[a->n_tail++] = c;
	return 0;
}

static int take(struct dearmor *a, uint8_t c, size_t *n, struct err *e)
{
	if (a->state < BODY)
		return header(a, (char)c, e);
	if (a->state == BODY && body(a, c, n))
		return 0;
	a->state = TAIL;
	return tail(a, (char)c, e);
}

/* padding, the checksum and the last line; the bytes of the last group */
static int finish(struct dearmor *a, size_t *n, struct err *e)
{
	static const char *const padding[] = { "", NULL, "==", "=" };
	const char *p = a->tail, *pad = padding[a->n_bits];

	if (!pad || strncmp(p, pad, strlen(pad)) != 0)
		return err_set(e, EBADMSG, "armor: cut off, or no base64");
	p += strlen(pad);
	if (*p == '=' && strlen(p) > 5)
		p += 5;
	if (strcmp(p, END) != 0)
		return err_set(e, EBADMSG, "armor: cut off, or something stands where its end has to");
	if (a->n_bits > 1)
		a->out[(*n)++] = (uint8_t)(a->bits >> (a->n_bits == 2 ? 4 : 10));
	if (a->n_bits > 2)
		a->out[(*n)++] = (uint8_t)(a->bits >> 2);
	a->n_bits = 0;
	return 0;
}

static int dearmor_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct dearmor *a = (struct dearmor *)s;
	size_t n = 0;
	int r = 1;

	if (a->in.ended)
		return 0;
	while (n + 3 <= DEARMOR_BLOCK && (r = flow_fill(&a->in, e)) > 0)
		for (; a->in.len && n + 3 <= DEARMOR_BLOCK; a->in.len--)
			if (take(a, *a->in.p++, &n, e) < 0)
				return -1;
	if (r < 0 || (r == 0 && finish(a, &n, e) < 0))
		return -1;
	*p = a->out;
	*len = n;
	return n > 0;
}

static void not_ours(struct source *s)
{
	(void)s;
}

void dearmor_init(struct dearmor *a, const struct flow *in)
{
	a->base = (struct source){ .next = dearmor_next, .close = not_ours };
	a->in = *in;
}
