/* SPDX-License-Identifier: Apache-2.0
 * digest - see digest.h
 */
#include "core/trust/digest.h"

#include <string.h>

const struct digest_kind *digest_kind(uint8_t id)
{
	static const struct digest_kind kinds[] = {
		{ 2, true, SHA_1, 0, 0 },      { 8, false, SHA_256, 16, 1 },   { 9, false, SHA_384, 24, 2 },
		{ 10, false, SHA_512, 32, 3 }, { 11, false, SHA_224, 16, 4 },  { 12, false, SHA3_256, 16, 8 },
		{ 14, false, SHA3_512, 32, 10 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].id == id)
			return &kinds[i];
	return NULL;
}

const char *digest_name(uint8_t id)
{
	static const char names[][12] = { "",	    "MD5",    "SHA1",	"RIPEMD160", "",	 "MD2",	   "TIGER192", "HAVAL",
					  "SHA256", "SHA384", "SHA512", "SHA224",    "SHA3-256", "", "SHA3-512" };

	return names[id < sizeof(names) / sizeof(*names) ? id : 0];
}

size_t digest_info(const struct digest_kind *d, uint8_t *out)
{
	static const uint8_t sha1[] = { 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14 };
	static const uint8_t nist[] = { 0x30, 0x11, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
					0x65, 0x03, 0x04, 0x02, 0x00, 0x05, 0x00, 0x04, 0x00 };
	size_t len = sha_len(d->sha);

	if (d->sha == SHA_1) {
		memcpy(out, sha1, sizeof(sha1));
		return sizeof(sha1);
	}
	memcpy(out, nist, sizeof(nist));
	out[1] = (uint8_t)(out[1] + len);
	out[14] = d->oid;
	out[18] = (uint8_t)len;
	return sizeof(nist);
}
