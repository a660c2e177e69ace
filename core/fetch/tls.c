/* SPDX-License-Identifier: Apache-2.0
 * tls - see tls.h
 *
 * libcurl built with the very mbedTLS that we are lets us look at the certificates ourselves. With any other library of
 * a distribution, what it says is all there is to tell.
 */
#include "core/fetch/tls.h"

#include <errno.h>
#include <mbedtls/oid.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

/* ---- whom to believe ---- */

static const char *in_env(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

static const char *first_of(const char *const *places, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

static const char *find_bundle(void)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine, Arch, Buildroot */
		"/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* newer of these */
		"/etc/ssl/ca-bundle.pem",                            /* SUSE */
		"/var/lib/ca-certificates/ca-bundle.pem",            /* newer ones of SUSE */
		"/etc/ca-certificates/extracted/tls-ca-bundle.pem",  /* Arch */
		"/etc/ssl/cert.pem",                                 /* Alpine, BSDs */
	};

	return first_of(places, sizeof(places) / sizeof(*places));
}

static const char *find_dir(void)
{
	static const char *const places[] = { "/etc/ssl/certs", "/etc/pki/tls/certs" };

	return first_of(places, sizeof(places) / sizeof(*places));
}

static int set_cas(CURL *easy, const char *ca_file, struct err *e)
{
	const char *file = ca_file, *dir = NULL;

	if (!file) {
		file = in_env("SSL_CERT_FILE");
		dir = in_env("SSL_CERT_DIR");
	}
	if (!file && !dir)
		file = find_bundle();
	if (!file && !dir)
		dir = find_dir();
	if (!file && !dir)
		return err_set(e, ENOENT, "no CA certificates found; install ca-certificates, or name a file of them (--ca-file=FILE, "
			       "or SSL_CERT_FILE or SSL_CERT_DIR in the environment)");
	if ((file && access(file, R_OK) < 0) || (dir && access(dir, R_OK | X_OK) < 0))
		return err_sys(e, "CA certificates: %s", file && access(file, R_OK) < 0 ? file : dir);
	/* a distribution's libcurl has places of its own, which do not count */
	curl_easy_setopt(easy, CURLOPT_CAINFO, file);
	curl_easy_setopt(easy, CURLOPT_CAPATH, dir);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, file);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, dir);
	return 0;
}

/* ---- looking at certificates ---- */

static void date(const mbedtls_x509_time *t, char *out, size_t size)
{
	snprintf(out, size, "%04d-%02d-%02d %02d:%02d UTC", t->year, t->mon, t->day, t->hour, t->min);
}

/* the common name, or what there is of the organisation */
static void name_of(const mbedtls_x509_name *n, char *out, size_t size)
{
	for (; n; n = n->next) {
		bool cn = MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0;
		if (cn || (!*out && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORGANIZATION, &n->oid) == 0))
			snprintf(out, size, "%.*s", (int)n->val.len, (const char *)n->val.p);
	}
}

/* The tag of the general name says which kind; only DNS names matter here. */
static void names_of(const mbedtls_x509_crt *crt, char *out, size_t size)
{
	size_t at = 0;

	for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s; s = s->next) {
		if ((s->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) != MBEDTLS_X509_SAN_DNS_NAME || !s->buf.len)
			continue;
		int n = snprintf(out + at, size - at, "%s%.*s", at ? ", " : "", (int)s->buf.len, (const char *)s->buf.p);
		if (n < 0 || (size_t)n >= size - at)
			break;
		at += (size_t)n;
	}
}

static int look(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct tls_trouble *t = ctx;

	if (!*flags || t->flags)
		return 0;
	t->flags = *flags;
	t->own = depth == 0;
	name_of(&crt->subject, t->subject, sizeof(t->subject));
	name_of(&crt->issuer, t->issuer, sizeof(t->issuer));
	names_of(crt, t->names, sizeof(t->names));
	date(&crt->valid_from, t->from, sizeof(t->from));
	date(&crt->valid_to, t->until, sizeof(t->until));
	t->self_signed = crt->issuer_raw.len == crt->subject_raw.len &&
		!memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->issuer_raw.len);
	return 0;
}

/*
 * mbedTLS would rather have ChaCha20, which is several times slower than AES where the processor has that. CPUs without
 * are left with its order.
 */
static bool has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes");
#elif defined(__aarch64__)
	return getauxval(AT_HWCAP) & HWCAP_AES;
#else
	return false;
#endif
}

static const int *order_suites(int out[TLS_SUITES_MAX])
{
	const int *all = mbedtls_ssl_list_ciphersuites();
	size_t n = 0;

	for (int gcm = 1; gcm >= 0; gcm--)
		for (const int *s = all; *s && n < TLS_SUITES_MAX - 1; s++)
			if ((strstr(mbedtls_ssl_get_ciphersuite_name(*s), "AES-128-GCM") != NULL) == gcm)
				out[n++] = *s;
	out[n] = 0;
	return out;
}

static CURLcode on_config(CURL *easy, void *config, void *trouble)
{
	struct tls_trouble *t = trouble;

	(void)easy;
	mbedtls_ssl_conf_verify(config, look, t);
	if (has_aes())
		mbedtls_ssl_conf_ciphersuites(config, order_suites(t->suites));
	return CURLE_OK;
}

static bool is_our_library(void)
{
	const char *version = curl_version_info(CURLVERSION_NOW)->ssl_version;

	return version && !strcmp(version, "mbedTLS/" MBEDTLS_VERSION_STRING);
}

int tls_set(CURL *easy, const char *ca_file, const char *crl_file, bool insecure, struct tls_trouble *t, struct err *e)
{
	*t = (struct tls_trouble){ .flags = 0 };
	if (crl_file && access(crl_file, R_OK) < 0)
		return err_sys(e, "revoked certificates: %s", crl_file);
	if (!insecure && set_cas(easy, ca_file, e) < 0)
		return -1;
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_CRLFILE, crl_file);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, insecure ? 0L : 2L);
	if (!insecure && is_our_library()) {
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_config);
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, (void *)t);
	}
	return 0;
}

/* ---- telling ---- */

/* what a library's words, or our own flags, come to */
enum why { WHY_NAME, WHY_EXPIRED, WHY_FUTURE, WHY_REVOKED, WHY_CRL_OLD, WHY_SELF_SIGNED, WHY_ISSUER, WHY_CRL_NONE, WHY_WEAK, WHY_OTHER };

static enum why why_flags(const struct tls_trouble *t)
{
	static const struct { unsigned flag; enum why why; } flags[] = {
		{ MBEDTLS_X509_BADCERT_REVOKED, WHY_REVOKED },
		{ MBEDTLS_X509_BADCERT_EXPIRED, WHY_EXPIRED },
		{ MBEDTLS_X509_BADCERT_FUTURE, WHY_FUTURE },
		{ MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_NOT_TRUSTED | MBEDTLS_X509_BADCRL_FUTURE, WHY_CRL_OLD },
		{ MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY, WHY_WEAK },
		{ MBEDTLS_X509_BADCERT_NOT_TRUSTED, WHY_ISSUER },
		{ MBEDTLS_X509_BADCERT_CN_MISMATCH, WHY_NAME },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (t->flags & flags[i].flag)
			return flags[i].why == WHY_ISSUER && t->self_signed ? WHY_SELF_SIGNED : flags[i].why;
	return WHY_OTHER;
}

/* of OpenSSL and GnuTLS, as libcurl passes them on */
static enum why why_words(const char *said)
{
	static const struct { const char *words; enum why why; } words[] = {
		{ "not yet valid", WHY_FUTURE }, { "not yet activated", WHY_FUTURE },
		{ "CRL has expired", WHY_CRL_OLD }, { "get certificate CRL", WHY_CRL_NONE },
		{ "expired", WHY_EXPIRED }, { "revoked", WHY_REVOKED },
		{ "self-signed", WHY_SELF_SIGNED }, { "self signed", WHY_SELF_SIGNED },
		{ "issuer", WHY_ISSUER }, { "first certificate", WHY_ISSUER },
		{ "does not match", WHY_NAME }, { "no alternative", WHY_NAME }, { "doesn't match", WHY_NAME },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(said, words[i].words))
			return words[i].why;
	return WHY_OTHER;
}

static void add_now(struct buf *out)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[24];

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	buf_fmt(out, "; here it is %s: is the clock right?", text);
}

static void add_quoted(struct buf *out, const char *before, const char *text)
{
	if (!*text)
		return;
	buf_str(out, before);
	buf_clean(out, text, strlen(text));
}

void tls_explain(const struct tls_trouble *t, const char *host, const char *curl_said, struct buf *out)
{
	enum why why = t->flags ? why_flags(t) : why_words(curl_said);
	bool own = t->own || !t->flags;

	buf_str(out, own ? "the certificate of the server" : "a certificate that the server's depends on");
	if (!own)
		add_quoted(out, ", ", t->subject);
	switch (why) {
	case WHY_NAME:
		buf_fmt(out, " is not for %s", host);
		add_quoted(out, " but for ", *t->names ? t->names : t->subject);
		break;
	case WHY_EXPIRED:
		buf_str(out, " has expired");
		add_quoted(out, ", on ", t->until);
		add_now(out);
		break;
	case WHY_FUTURE:
		buf_str(out, " is not valid yet");
		add_quoted(out, ", but from ", t->from);
		add_now(out);
		break;
	case WHY_REVOKED:
		buf_str(out, " has been revoked");
		break;
	case WHY_CRL_OLD:
	case WHY_CRL_NONE:
		buf_str(out, why == WHY_CRL_OLD ? " cannot be checked: the list of revoked certificates is out of date; get a new one for --crl-file" :
			" cannot be checked: --crl-file has no list of its issuer's");
		break;
	case WHY_SELF_SIGNED:
		buf_str(out, " is signed by itself, and not among those trusted here; if it shall be, name it by --ca-file=FILE");
		break;
	case WHY_ISSUER:
		buf_str(out, " was issued by nobody who is trusted here");
		add_quoted(out, ", but by ", t->issuer);
		buf_str(out, "; either the server leaves out an intermediate certificate, or its CA is to be named by --ca-file=FILE");
		break;
	case WHY_WEAK:
		buf_str(out, " has a signature or a key that is too weak");
		break;
	case WHY_OTHER:
		buf_str(out, " was refused");
		break;
	}
	if (!t->flags || why == WHY_OTHER) {
		buf_str(out, " (");
		buf_clean(out, curl_said, strlen(curl_said));
		buf_str(out, ")");
	}
}
