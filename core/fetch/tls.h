/* SPDX-License-Identifier: Apache-2.0
 * tls - whom to believe, and why a server was not believed
 *
 * CA certificates: those of --ca-file; else of SSL_CERT_FILE and SSL_CERT_DIR; else where distributions put theirs. What
 * is named is all that counts.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define TLS_NAMES_MAX  160
#define TLS_SUITES_MAX 100

/* of one connection: the first thing that was wrong, from the root down to the server's own certificate */
struct tls_trouble {
	unsigned flags; /* of mbedTLS; 0: nothing, or nobody said */
	bool     own;   /* it is the server's own certificate */
	bool     self_signed;
	char     subject[TLS_NAMES_MAX], issuer[TLS_NAMES_MAX];
	char     names[TLS_NAMES_MAX]; /* whom it is for */
	char     from[24], until[24];  /* when it is valid */
	int      suites[TLS_SUITES_MAX]; /* of the connection itself: ciphers in the order we want them */
};

/** tls_set() - TLS 1.2 or 1.3, with certificates checked; @t: borrowed until the handle is done with */
int tls_set(CURL *easy, const char *ca_file, const char *crl_file, bool insecure, struct tls_trouble *t, struct err *e);

/** tls_explain() - why the certificate was refused, and what helps, of a transfer that failed with PEER_FAILED_VERIFICATION */
void tls_explain(const struct tls_trouble *t, const char *host, const char *curl_said, struct buf *out);
