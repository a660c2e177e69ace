/* SPDX-License-Identifier: Apache-2.0
 * decrypt - OpenPGP messages that are encrypted with a passphrase and AES, as a source
 *
 * Read are: binary and armored messages; session keys of version 4, 5 (LibrePGP) and 6; data with an MDC, and data with
 * AEAD (OCB, EAX, GCM) as RFC 9580 and LibrePGP have it; inside them literal data, compressed or not. Data without
 * integrity protection, other ciphers than AES, and passphrases that are hashed without salt are refused.
 * Signatures inside are passed over: what vouches for an image is made over the encrypted file.
 * Source: appc spec, spec/aci.md "Image Archives"; RFC 9580, 3.7, 5.3, 5.13, 10.3; draft-koch-librepgp, 5.3, 5.16.
 */
#pragma once

#include <stdbool.h>

#include "core/archive/source.h"

#define DECRYPT_PASSPHRASE_MAX 4095u /* with an end of line, what every pipe holds */

/** decrypt_wanted() - a file that begins so is an encrypted OpenPGP message, binary or armored */
bool decrypt_wanted(const uint8_t *first, size_t len);

/**
 * decrypt_open() - what was encrypted
 * @in: taken over, also on failure; begins with what decrypt_wanted() takes
 * @passphrase: @len bytes, at most DECRYPT_PASSPHRASE_MAX; not needed any more when this returns
 *
 * What next() lends was not yet verified, whatever is made of it: nothing may be published before it has said that this is
 * the end, which it only says of a message that is whole, and when it has read @in to its end.
 * Memory: some 200 KiB (bzip2 inside: 4 MiB more).
 * Errors, here and of next(): EACCES the passphrase does not fit; ENOTSUP a kind of message that is not read, with the
 * reason; EBADMSG damaged, or nothing that OpenPGP allows; those of @in.
 */
struct source *decrypt_open(struct source *in, const char *passphrase, size_t len, struct err *e);

/** decrypt_is() - @s is what decrypt_open() made */
bool decrypt_is(const struct source *s);
