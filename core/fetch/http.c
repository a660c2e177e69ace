/* SPDX-License-Identifier: Apache-2.0
 * http - see http.h
 *
 * The transfer is driven from source.next() through curl's multi interface: no thread, and the network is
 * read only as fast as the caller takes the bytes (curl's write callback pauses the transfer).
 */
#include "core/fetch/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/buf.h"

#define REDIRECTS_MAX   10
#define BLOCK_MIN       (64u << 10) /* collected before a block is handed out */
#define CONNECT_TIME_S  30
#define STALL_TIME_S    60

struct http {
	struct source s;
	CURLM        *multi;
	CURL         *easy;
	struct buf    body;
	char          why[CURL_ERROR_SIZE];
	bool          done;
};

static struct http *of(const struct source *s)
{
	return (struct http *)(uintptr_t)s;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;

	buf_add(&h->body, p, size * n);
	return h->body.failed ? 0 : size * n;
}

static const char *ca_bundle(void)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine, Arch */
		"/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* newer of these */
		"/etc/ssl/ca-bundle.pem",                            /* SUSE */
		"/etc/ssl/cert.pem",                                 /* Alpine, BSDs, Buildroot */
	};
	const char *env = getenv("SSL_CERT_FILE");

	if (env && *env)
		return env;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

static int configure(struct http *h, const char *url, const struct http_opts *o, struct err *e)
{
	const char *ca = ca_bundle();
	const char *protocols = o->allow_http ? "http,https" : "https";
	bool secure = !strncasecmp(url, "https:", 6);
	CURLcode r = CURLE_OK;

	if (secure && !ca && !o->insecure_tls)
		return err_set(e, ENOENT, "no bundle of CA certificates found; install ca-certificates or name one in SSL_CERT_FILE");
#define SET(option, value) do { if (r == CURLE_OK) r = curl_easy_setopt(h->easy, option, value); } while (0)
	SET(CURLOPT_URL, url);
	SET(CURLOPT_ERRORBUFFER, h->why);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, (void *)h);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, protocols);
	SET(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : protocols);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIME_S);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)STALL_TIME_S);
	SET(CURLOPT_USERAGENT, "rktbox");
	SET(CURLOPT_SSL_VERIFYPEER, o->insecure_tls ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, o->insecure_tls ? 0L : 2L);
	if (ca)
		SET(CURLOPT_CAINFO, ca);
#undef SET
	return r == CURLE_OK ? 0 : err_set(e, EINVAL, "%s: %s", url, curl_easy_strerror(r));
}

static int finished(struct http *h, struct err *e)
{
	int left;

	for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
		if (m->msg != CURLMSG_DONE)
			continue;
		h->done = true;
		if (m->data.result != CURLE_OK)
			return err_set(e, EIO, "%s", *h->why ? h->why : curl_easy_strerror(m->data.result));
	}
	return 0;
}

static int status_ok(struct http *h, struct err *e)
{
	long code = 0;

	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &code);
	return code == 200 ? 0 : err_set(e, EIO, "bad HTTP status code: %ld", code);
}

/* lets the transfer run until a block is there or it ends */
static int pump(struct http *h, size_t want, struct err *e)
{
	while (!h->done && h->body.len < want) {
		int running;
		CURLMcode r = curl_multi_perform(h->multi, &running);
		if (r == CURLM_OK && finished(h, e) < 0)
			return -1;
		if (r == CURLM_OK && !h->done && h->body.len < want)
			r = curl_multi_poll(h->multi, NULL, 0, 1000, NULL);
		if (r != CURLM_OK)
			return err_set(e, EIO, "%s", curl_multi_strerror(r));
	}
	return 0;
}

static int http_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct http *h = of(s);

	h->body.len = 0;
	if (pump(h, BLOCK_MIN, e) < 0)
		return -1;
	*p = (const uint8_t *)h->body.data;
	*len = h->body.len;
	return h->body.len > 0;
}

/* the first block was read by http_open() already */
static int http_first(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct http *h = of(s);

	(void)e;
	s->next = http_next;
	*p = (const uint8_t *)h->body.data;
	*len = h->body.len;
	return h->body.len > 0;
}

static int start(struct http *h, struct err *e)
{
	CURLMcode r = curl_multi_add_handle(h->multi, h->easy);

	return r == CURLM_OK ? 0 : err_set(e, EIO, "%s", curl_multi_strerror(r));
}

static void http_close(struct source *s)
{
	struct http *h = of(s);

	if (h->multi && h->easy)
		curl_multi_remove_handle(h->multi, h->easy);
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	buf_free(&h->body);
	free(h);
}

struct source *http_open(const char *url, const struct http_opts *o, struct err *e)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	h->s = (struct source){ .next = http_first, .close = http_close };
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	if (!h->multi || !h->easy)
		err_set(e, ENOMEM, "out of memory");
	else if (!strncasecmp(url, "http:", 5) && !o->allow_http)
		err_set(e, EPERM, "%s: plain http proves nothing about the sender; --insecure-options=http allows it", url);
	else if (configure(h, url, o, e) == 0 && start(h, e) == 0 && pump(h, 1, e) == 0 && status_ok(h, e) == 0)
		return &h->s;
	http_close(&h->s);
	return NULL;
}

uint64_t http_length(const struct source *s)
{
	curl_off_t n = 0;

	curl_easy_getinfo(of(s)->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
	return n > 0 ? (uint64_t)n : 0;
}

bool http_is_url(const char *s)
{
	return !strncasecmp(s, "https://", 8) || !strncasecmp(s, "http://", 7);
}
