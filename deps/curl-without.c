/* SPDX-License-Identifier: Apache-2.0
 * curl-without - in place of what libcurl has for options that are never set here, and has no switch to leave out
 *
 * That is telling what stands in the server's certificate (CURLOPT_CERTINFO, x509asn1.c) and names of ciphers
 * (CURLOPT_SSL_CIPHER_LIST, cipher_suite.c): 12 KB. Where such an option is set all the same, it is an error.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

CURLcode Curl_extract_certinfo(void *easy, int n, const char *begin, const char *end);
uint16_t Curl_cipher_suite_walk_str(const char **name, const char **end);
int Curl_cipher_suite_get_str(uint16_t id, char *name, size_t size, bool of_rfc);

CURLcode Curl_extract_certinfo(void *easy, int n, const char *begin, const char *end)
{
	return CURLE_NOT_BUILT_IN;
}

/* no name is known */
uint16_t Curl_cipher_suite_walk_str(const char **name, const char **end)
{
	*end = *name + strlen(*name);
	return 0;
}

int Curl_cipher_suite_get_str(uint16_t id, char *name, size_t size, bool of_rfc)
{
	return -1;
}
