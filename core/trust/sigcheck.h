/* SPDX-License-Identifier: Apache-2.0
 * sigcheck - detached OpenPGP signatures of a file that streams by: all of an .asc or .sig file, judged key by key
 *
 *	c = sigcheck_new(asc, len, e);
 *	sigcheck_feed(c, block, n);          every byte of the file, in any pieces
 *	sigcheck_verify(c, i, cert, now, e); for each signature and each key that may have made it
 *	sigcheck_free(c);
 *
 * What a signature must be: version 4 or 6, over the bytes of the file (not over text), with SHA-2 or SHA-3, by a key
 * that cert_may_sign(). No call keeps anything outside of *c, so one thread may feed while others do other things.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/trust/cert.h"

struct sigcheck;

/**
 * sigcheck_new() - armored, in any number of blocks with text around them, or binary
 *
 * NULL and EINVAL: malformed, no signature in it, or too many. Those that we do not go by (version 3, weak digests,
 * critical subpackets) are kept, and sigcheck_verify() says why they do not count.
 */
struct sigcheck *sigcheck_new(const char *text, size_t len, struct err *e);
void sigcheck_free(struct sigcheck *c); /* NULL is fine */

/** sigcheck_feed() - the next bytes of the file; signatures over the same digest cost it once */
void sigcheck_feed(struct sigcheck *c, const void *p, size_t len);

size_t sigcheck_count(const struct sigcheck *c);

/** sigcheck_issuer() - lower-case hex fingerprint, or key id, of who says that he made it; "": nobody does */
const char *sigcheck_issuer(const struct sigcheck *c, size_t i);

/**
 * sigcheck_verify() - whether a key of @cert made the @i-th signature over what was fed; any number of times
 *
 * 0: good. -1: ENOKEY not made by @cert; ENOTSUP version or algorithm; EKEYREJECTED weak, from the future, critical
 * subpackets, the key may not sign; EBADMSG does not match; EKEYEXPIRED the signature or the key; EKEYREVOKED.
 */
int sigcheck_verify(struct sigcheck *c, size_t i, const struct cert *cert, int64_t now_s, struct err *e);
