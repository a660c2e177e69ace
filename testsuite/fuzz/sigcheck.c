/* SPDX-License-Identifier: Apache-2.0
 * fuzz sigcheck - any bytes as a signature file, and as the key that it is judged with
 *
 * The first two bytes say how long the signature file is, the rest is the key; what is signed is always the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/trust/sigcheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW  1800000000
#define LINE "what is signed\n"

static void must(bool good)
{
	if (!good)
		abort();
}

static bool is_expected(int code)
{
	return code == ENOKEY || code == ENOTSUP || code == EKEYREJECTED || code == EBADMSG || code == EKEYEXPIRED ||
	       code == EKEYREVOKED || code == EINVAL;
}

static void check_text(const struct err *e)
{
	must(*e->msg);
	for (const char *p = e->msg; *p; p++)
		must((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void judge(struct sigcheck *c, const struct cert *cert)
{
	for (size_t i = 0; i < sigcheck_count(c); i++) {
		struct err first = { 0 }, again = { 0 };
		size_t n = strlen(sigcheck_issuer(c, i));
		must(n == 0 || n == 16 || n == 40 || n == 64);
		int r = sigcheck_verify(c, i, cert, NOW, &first);
		must(sigcheck_verify(c, i, cert, NOW, &again) == r && first.code == again.code);
		if (r < 0) {
			must(is_expected(first.code));
			check_text(&first);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };

	if (size < 2)
		return 0;
	size_t n = (size_t)data[0] << 8 | data[1];
	n = n < size - 2 ? n : size - 2;
	struct sigcheck *c = sigcheck_new((const char *)data + 2, n, &e);
	if (!c)
		check_text(&e);
	struct cert *cert = c ? cert_parse(data + 2 + n, size - 2 - n, &e) : NULL;
	for (int i = 0; c && i < 20; i++)
		sigcheck_feed(c, LINE, strlen(LINE));
	if (cert)
		judge(c, cert);
	cert_free(cert);
	sigcheck_free(c);
	return 0;
}
