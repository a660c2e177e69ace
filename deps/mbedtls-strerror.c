/* SPDX-License-Identifier: Apache-2.0
 * mbedTLS's error texts: those that a client of TLS can meet, in place of all 16 KB
 *
 * libcurl puts the number beside the text. What is wrong with a certificate it says by the flags of its
 * verification, before it gets here.
 */
#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>
#include <string.h>

#define HIGH 0xFF80 /* an error is that of a module, and below it that of a module which the first one called */

static const struct {
	int         error;
	const char *text;
} texts[] = {
	{ MBEDTLS_ERR_SSL_INVALID_RECORD, "what the server sends is not TLS" },
	{ MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, "the server broke off with an alert" },
	{ MBEDTLS_ERR_SSL_CONN_EOF, "the server closed the connection too early" },
	{ MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, "the server ended the connection" },
	{ MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "no version of TLS in common with the server" },
	{ MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, "no ciphers and keys in common with the server" },
	{ MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, "the server chose what was not offered" },
	{ MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION, "the server chose an extension that was not offered" },
	{ MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "a message of the server came at the wrong time" },
	{ MBEDTLS_ERR_SSL_DECODE_ERROR, "a message of the server is malformed" },
	{ MBEDTLS_ERR_SSL_INVALID_MAC, "a record was changed on its way" },
	{ MBEDTLS_ERR_SSL_BAD_CERTIFICATE, "the server's certificate is of no use" },
	{ MBEDTLS_ERR_SSL_TIMEOUT, "the server did not answer in time" },
	{ MBEDTLS_ERR_SSL_ALLOC_FAILED, "out of memory" },
	{ MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, "the server's certificate is not to be trusted" },
	{ MBEDTLS_ERR_X509_FATAL_ERROR, "the server's certificate cannot be checked" },
	{ MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT, "not a certificate" },
	{ MBEDTLS_ERR_X509_INVALID_FORMAT, "a certificate is malformed" },
	{ MBEDTLS_ERR_X509_ALLOC_FAILED, "out of memory" },
	{ MBEDTLS_ERR_X509_FILE_IO_ERROR, "the file cannot be read" },
	{ MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT, "no PEM in it" },
	{ MBEDTLS_ERR_PEM_INVALID_DATA, "its PEM is malformed" },
	{ MBEDTLS_ERR_PK_FILE_IO_ERROR, "the file cannot be read" },
	{ MBEDTLS_ERR_PK_ALLOC_FAILED, "out of memory" },
};

void mbedtls_strerror(int ret, char *buffer, size_t size)
{
	const char *text = "an error of the TLS library";

	if (!size)
		return;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if ((-texts[i].error & HIGH) == (-ret & HIGH))
			text = texts[i].text;
	*buffer = '\0';
	strncat(buffer, text, size - 1);
}
