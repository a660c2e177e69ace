/* SPDX-License-Identifier: Apache-2.0
 * http - see http.h
 *
 * The transfer is driven from http_read() through curl's multi interface: no thread, and the network is read only as
 * fast as the caller takes the bytes.
 */
#include "core/fetch/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/conf/auth.h"
#include "core/fetch/tls.h"

#define REDIRECTS_MAX   10
#define HEAD_MAX        (128u << 10)
#define BLOCK_MIN       (64u << 10) /* collected before a block is handed out */
#define CONNECT_TIME_S  30
#define STALL_RATE      100u        /* bytes/s that are as good as none */
#define POLL_MS         1000

struct place {
	CURLU   *u;
	char    *host, *scheme;
	unsigned port;
	bool     secure, default_port;
};

struct http_session { CURLM *multi; };

struct http {
	const struct http_opts *o;
	struct http_want        want;
	struct http_session     own, *session; /* own: where no other is given */
	CURL                   *easy;
	struct curl_slist      *fields;
	struct place            first, at;     /* what was asked for, and where redirects led to */
	char                   *user, *secret; /* of the URL, for the first place only */
	char                    with[100];     /* whose credentials were sent; "": none */
	struct reply            reply;
	struct tls_trouble      trouble;
	struct buf              body;
	size_t                  head_bytes;
	uint64_t                got, got_before; /* bytes of the body; when idling began */
	unsigned                idle_ms;
	char                    why[CURL_ERROR_SIZE];
	CURLcode                result; /* if done */
	bool                    done, lent, too_much, broken;
	struct err              late; /* if broken: what comes after what is lent */
};

bool http_is_url(const char *s)
{
	return !strncasecmp(s, "https://", 8) || !strncasecmp(s, "http://", 7);
}

bool http_transient(const struct err *e)
{
	return e->code == ECONNREFUSED || e->code == ECONNRESET || e->code == ETIMEDOUT || e->code == EAGAIN;
}

/* ---- where ---- */

static void place_free(struct place *p)
{
	curl_url_cleanup(p->u);
	curl_free(p->host);
	curl_free(p->scheme);
	*p = (struct place){ .u = NULL };
}

static int place_parse(const char *url, struct place *out, struct err *e)
{
	struct place p = { .u = curl_url() };
	char *port = NULL;

	if (!p.u || curl_url_set(p.u, CURLUPART_URL, url, 0) || curl_url_get(p.u, CURLUPART_HOST, &p.host, 0) ||
	    curl_url_get(p.u, CURLUPART_SCHEME, &p.scheme, 0) ||
	    curl_url_get(p.u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)) {
		place_free(&p);
		return err_set(e, EINVAL, "not a URL that can be fetched from");
	}
	p.secure = !strcmp(p.scheme, "https");
	p.port = (unsigned)strtoul(port, NULL, 10);
	p.default_port = p.port == (p.secure ? 443 : 80);
	curl_free(port);
	*out = p;
	return 0;
}

static bool same_origin(const struct place *a, const struct place *b)
{
	return a->secure == b->secure && a->port == b->port && !strcasecmp(a->host, b->host);
}

static bool known_scheme(const struct place *p)
{
	return p->secure || !strcmp(p->scheme, "http");
}

static int set_first(struct http *h, const char *url, struct err *e)
{
	if (place_parse(url, &h->first, e) < 0)
		return -1;
	if (!known_scheme(&h->first))
		return err_set(e, EINVAL, "not a URL of http or https");
	if (!h->first.secure && !h->o->allow_http)
		return err_set(e, EPERM, "plain http proves nothing about the sender; --insecure-options=http allows it");
	/* neither of the two need be there */
	curl_url_get(h->first.u, CURLUPART_USER, &h->user, CURLU_URLDECODE);
	curl_url_get(h->first.u, CURLUPART_PASSWORD, &h->secret, CURLU_URLDECODE);
	return place_parse(url, &h->at, e);
}

/* ---- what curl calls ---- */

static bool has_body(const struct http *h)
{
	return h->reply.status == 200 || h->reply.status == 206;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;

	/* pages that explain an error are nobody's */
	if (!has_body(h))
		return n * size;
	h->got += size * n;
	h->too_much = h->got > (h->o->max_bytes ? h->o->max_bytes : HTTP_MAX);
	buf_add(&h->body, p, size * n);
	return h->too_much || h->body.failed ? 0 : size * n;
}

static size_t on_head(char *p, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;

	h->head_bytes += size * n;
	reply_line(&h->reply, p, size * n);
	return h->head_bytes > HEAD_MAX ? 0 : size * n;
}

/* ---- what curl is told ---- */

static void add_field(struct http *h, const char *name, const char *value)
{
	auto_buf struct buf line = { 0 };
	struct curl_slist *more;

	buf_fmt(&line, "%s: %s", name, value);
	if (!line.failed && (more = curl_slist_append(h->fields, line.data)))
		h->fields = more;
}

static void log_in(struct http *h, const char *user, const char *secret)
{
	curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(h->easy, CURLOPT_USERNAME, user ? user : "");
	curl_easy_setopt(h->easy, CURLOPT_PASSWORD, secret ? secret : "");
}

static void log_in_aws(struct http *h, const struct auth_entry *x)
{
	char region[64], how[100];

	auth_region(h->at.host, region, sizeof(region));
	snprintf(how, sizeof(how), "aws:amz:%.60s:s3", x->region ? x->region : region);
	log_in(h, x->user, x->secret);
	curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_AWS_SIGV4);
	curl_easy_setopt(h->easy, CURLOPT_AWS_SIGV4, how);
}

static void set_credentials(struct http *h)
{
	const struct auth_entry *x = h->o->auth ?
		auth_find(h->o->auth, h->at.host, h->at.port, h->at.default_port) : NULL;
	auto_buf struct buf bearer = { 0 };

	snprintf(h->with, sizeof(h->with), "%s", x ? x->file : h->user && same_origin(&h->first, &h->at) ? "the URL" : "");
	if (!x && *h->with)
		log_in(h, h->user, h->secret);
	if (!x)
		return;
	if (x->type == AUTH_BASIC)
		log_in(h, x->user, x->secret);
	else if (x->type == AUTH_AWS)
		log_in_aws(h, x);
	else if (x->type == AUTH_OAUTH) {
		buf_fmt(&bearer, "Bearer %s", x->user);
		if (!bearer.failed)
			add_field(h, "Authorization", bearer.data);
	}
}

static void set_wishes(struct http *h)
{
	char range[40];

	/* what is stored is the file, and a range is one of the file */
	add_field(h, "Accept-Encoding", "identity");
	if (h->want.unless_etag)
		add_field(h, "If-None-Match", h->want.unless_etag);
	if (!h->want.from)
		return;
	snprintf(range, sizeof(range), "%llu-", (unsigned long long)h->want.from);
	curl_easy_setopt(h->easy, CURLOPT_RANGE, range);
	if (h->want.if_range)
		add_field(h, "If-Range", h->want.if_range);
}

/* of a place without the user and the password that whoever wrote it may have put there; curl_free() it */
static char *plain_url(const struct place *p)
{
	char *url = NULL;

	curl_url_set(p->u, CURLUPART_USER, NULL, 0);
	curl_url_set(p->u, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(p->u, CURLUPART_FRAGMENT, NULL, 0);
	curl_url_get(p->u, CURLUPART_URL, &url, 0);
	return url;
}

static int configure(struct http *h, struct err *e)
{
	char *url = plain_url(&h->at);

	CURLcode r = url ? curl_easy_setopt(h->easy, CURLOPT_URL, url) : CURLE_OUT_OF_MEMORY;
	curl_free(url);
	if (r != CURLE_OK || tls_set(h->easy, h->o->ca_file, h->o->crl_file, h->o->insecure_tls, &h->trouble, e) < 0)
		return r == CURLE_OK ? -1 : err_set(e, ENOMEM, "out of memory");
	curl_easy_setopt(h->easy, CURLOPT_PRIVATE, (void *)h);
	curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why);
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, (void *)h);
	curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, (void *)h);
	curl_easy_setopt(h->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, h->at.secure ? "https" : "http");
	curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIME_S);
	curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "rktbox");
	curl_easy_setopt(h->easy, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)h->o->rate);
	set_wishes(h);
	set_credentials(h);
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->fields);
	return 0;
}

/* ---- running ---- */

static int code_of(struct http *h, CURLcode r)
{
	long connect = 0;

	/* that of a proxy */
	curl_easy_getinfo(h->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
	if (connect >= 400 && connect < 500)
		return EACCES;
	switch (r) {
	case CURLE_COULDNT_CONNECT:
		return ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return ECONNRESET;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return EPROTO;
	default:
		return EIO;
	}
}

/* "Failed to connect to HOST port N ...", which our own build of libcurl does not tell the reason of */
static void add_connect(struct http *h, const char *why, struct buf *text)
{
	long number = 0;

	curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &number);
	buf_clean(text, why, strcspn(why, ":"));
	buf_fmt(text, ": %s", number ? strerror((int)number) : "no connection in time");
}

static int failed(struct http *h, CURLcode r, struct err *e)
{
	auto_buf struct buf text = { 0 };
	const char *why = *h->why ? h->why : curl_easy_strerror(r);
	int code = code_of(h, r);

	if (h->too_much)
		return err_set(e, EFBIG, "is larger than %llu bytes, and goes on", (unsigned long long)(h->o->max_bytes ?
			       h->o->max_bytes : HTTP_MAX));
	if (h->head_bytes > HEAD_MAX)
		return err_set(e, EPROTO, "the head of the response is larger than %u bytes", HEAD_MAX);
	if (h->body.failed)
		return err_set(e, ENOMEM, "out of memory");
	if (r == CURLE_COULDNT_CONNECT)
		add_connect(h, why, &text);
	else if (code == EPROTO)
		tls_explain(&h->trouble, h->at.host, why, &text);
	else
		buf_clean(&text, why, strlen(why));
	return err_set(e, code, "%s%s", code == ECONNRESET && h->reply.complete ? "the transfer was cut off: " : "",
		       text.failed ? "out of memory" : text.data);
}

/* Another one of the session may have ended as well. */
static int finished(struct http *h, struct err *e)
{
	int left;

	for (CURLMsg *m; (m = curl_multi_info_read(h->session->multi, &left));) {
		struct http *whose = NULL;
		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&whose) || !whose)
			continue;
		whose->done = true;
		whose->result = m->data.result;
	}
	return h->done && h->result != CURLE_OK ? failed(h, h->result, e) : 0;
}

/*
 * Only time that is spent waiting counts, and of that no more than was asked for: a process that is stopped, or busy
 * with what it has got, is not one whose server has gone.
 */
static int wait_for_more(struct http *h, struct err *e)
{
	unsigned stall_s = h->o->stall_s ? h->o->stall_s : HTTP_STALL_S;
	uint64_t enough = h->o->rate && h->o->rate < 2 * STALL_RATE ? h->o->rate / 2 : STALL_RATE;
	int64_t before = clock_ms(CLOCK_MONOTONIC);

	CURLMcode r = curl_multi_poll(h->session->multi, NULL, 0, POLL_MS, NULL);
	if (r != CURLM_OK)
		return err_set(e, EIO, "%s", curl_multi_strerror(r));
	int64_t waited = clock_ms(CLOCK_MONOTONIC) - before;
	h->idle_ms += waited > POLL_MS ? POLL_MS : (unsigned)waited;
	if (h->idle_ms < stall_s * 1000)
		return 0;
	if (h->got - h->got_before < enough * stall_s)
		return err_set(e, ETIMEDOUT, "the server sent next to nothing for %u s", stall_s);
	h->idle_ms = 0;
	h->got_before = h->got;
	return 0;
}

/* lets the transfer run until the head is there, or so much of the body, or it ends */
static int pump(struct http *h, size_t want, struct err *e)
{
	while (!h->done && (want ? h->body.len < want : !h->reply.complete)) {
		int running;
		CURLMcode r = curl_multi_perform(h->session->multi, &running);
		if (r != CURLM_OK)
			return err_set(e, EIO, "%s", curl_multi_strerror(r));
		if (finished(h, e) < 0)
			return -1;
		if (h->want.deadline_ms && clock_ms(CLOCK_MONOTONIC) >= h->want.deadline_ms)
			return err_set(e, ETIME, "it took longer than --timeout allows");
		if (!h->done && (want ? h->body.len < want : !h->reply.complete) && wait_for_more(h, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- requests ---- */

static void end_request(struct http *h)
{
	if (h->easy)
		curl_multi_remove_handle(h->session->multi, h->easy);
	curl_easy_cleanup(h->easy);
	curl_slist_free_all(h->fields);
	h->easy = NULL;
	h->fields = NULL;
}

static int request(struct http *h, struct err *e)
{
	end_request(h);
	h->reply = (struct reply){ .status = 0 };
	h->body.len = h->head_bytes = 0;
	h->got = h->got_before = 0;
	h->idle_ms = 0;
	h->done = h->lent = h->broken = false;
	h->why[0] = 0;
	h->easy = curl_easy_init();
	if (!h->easy)
		return err_set(e, ENOMEM, "out of memory");
	if (configure(h, e) < 0)
		return -1;
	CURLMcode r = curl_multi_add_handle(h->session->multi, h->easy);
	if (r != CURLM_OK)
		return err_set(e, EIO, "%s", curl_multi_strerror(r));
	if (pump(h, 0, e) < 0)
		return -1;
	return h->reply.complete ? 0 : err_set(e, EPROTO, "the server's answer is not one of HTTP");
}

static bool is_redirect(const struct http *h)
{
	unsigned s = h->reply.status;

	return s == 301 || s == 302 || s == 303 || s == 307 || s == 308;
}

static int follow(struct http *h, struct err *e)
{
	const char *url = NULL;
	struct place next;

	/* libcurl has resolved it against where we are */
	curl_easy_getinfo(h->easy, CURLINFO_REDIRECT_URL, &url);
	if (!url)
		return err_set(e, EPROTO, "the server redirects to nowhere (HTTP status code %u)", h->reply.status);
	if (place_parse(url, &next, e) < 0)
		return err_wrap(e, "redirected to \"%.200s\"", url);
	if (!known_scheme(&next) || (h->at.secure && !next.secure)) {
		err_set(e, EPROTO, "redirected to %.200s: the protocol is weaker than https; ask the server's owner, or whether that "
			"URL is good", url);
		place_free(&next);
		return -1;
	}
	place_free(&h->at);
	h->at = next;
	return request(h, e);
}

static int check_reply(const struct http *h, struct err *e)
{
	uint64_t max = h->o->max_bytes ? h->o->max_bytes : HTTP_MAX;

	if (!has_body(h))
		return 0;
	if (*h->reply.encoding)
		return err_set(e, EPROTO, "the server sends it encoded (%s), which nobody asked for: what was stored would be another file; "
			       "have the server send it as it is", h->reply.encoding);
	if (h->reply.length > max)
		return err_set(e, EFBIG, "is larger than %llu bytes: %llu", (unsigned long long)max, (unsigned long long)h->reply.length);
	return 0;
}

static int get(struct http *h, const char *url, struct err *e)
{
	if (set_first(h, url, e) < 0 || request(h, e) < 0)
		return -1;
	for (int n = 0; is_redirect(h); n++) {
		if (n == REDIRECTS_MAX)
			return err_set(e, EPROTO, "more than %d redirects, the last one by %s", REDIRECTS_MAX, h->at.host);
		if (follow(h, e) < 0)
			return -1;
	}
	return check_reply(h, e);
}

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_session *http_session_new(struct err *e)
{
	struct http_session *s = calloc(1, sizeof(*s)); /* the first request fills it */

	if (!s)
		err_set(e, ENOMEM, "out of memory");
	return s;
}

void http_session_free(struct http_session *s)
{
	if (s)
		curl_multi_cleanup(s->multi);
	free(s);
}

struct http *http_get(const char *url, const struct http_opts *o, const struct http_want *w, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *h = calloc(1, sizeof(*h));

	pthread_once(&once, start_curl);
	if (h)
		h->session = o->session ? o->session : &h->own;
	if (h && !h->session->multi)
		h->session->multi = curl_multi_init();
	if (!h || !h->session->multi) {
		err_set(e, ENOMEM, "out of memory");
	} else {
		h->o = o;
		h->want = *w;
		if (get(h, url, e) == 0)
			return h;
	}
	http_close(h);
	return NULL;
}

const struct reply *http_reply(const struct http *h)
{
	return &h->reply;
}

bool http_ended(const struct http *h)
{
	return h->done && !h->broken;
}

/* The head may have brought the beginning of the body along: that is what the first call finds. */
int http_read(struct http *h, const uint8_t **p, size_t *len, struct err *e)
{
	h->body.len = h->lent ? 0 : h->body.len;
	h->lent = true;
	if (h->broken) {
		*e = h->late;
		return -1;
	}
	if (pump(h, BLOCK_MIN, e) < 0) {
		if (!h->body.len)
			return -1;
		/* what did arrive is good, and may be all that ever arrives at a time */
		h->broken = true;
		h->late = *e;
	}
	*p = (const uint8_t *)h->body.data;
	*len = h->body.len;
	return h->body.len > 0;
}

void http_trade(struct http *h, struct buf *m)
{
	buf_swap(&h->body, m);
	h->body.len = 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	end_request(h);
	curl_multi_cleanup(h->own.multi);
	place_free(&h->first);
	place_free(&h->at);
	curl_free(h->user);
	curl_free(h->secret);
	buf_free(&h->body);
	free(h);
}

int http_refused(const struct http *h, struct err *e)
{
	unsigned s = h->reply.status;
	bool later = s == 408 || s == 429 || s == 500 || (s >= 502 && s <= 504);

	if (s == 407)
		return err_set(e, EIO, "bad HTTP status code: %u: the proxy wants other credentials", s);
	if ((s == 401 || s == 403) && *h->with)
		return err_set(e, EIO, "bad HTTP status code: %u: the server refuses the credentials in %s", s, h->with);
	if (s == 401 || s == 403)
		return err_set(e, EIO, "bad HTTP status code: %u: no credentials for \"%s\" are in any auth.d", s, h->at.host);
	return err_set(e, later ? EAGAIN : EIO, "bad HTTP status code: %u", s);
}

/* ---- as a source ---- */

struct http_source {
	struct source s;
	struct http  *h;
};

static int source_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	return http_read(((struct http_source *)s)->h, p, len, e);
}

static void source_end(struct source *s)
{
	http_close(((struct http_source *)s)->h);
	free(s);
}

struct source *http_open(const char *url, const struct http_opts *o, struct err *e)
{
	struct http_source *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	s->s = (struct source){ .next = source_next, .close = source_end };
	s->h = http_get(url, o, &(struct http_want){ .from = 0 }, e);
	if (s->h && (s->h->reply.status == 200 || http_refused(s->h, e) == 0))
		return &s->s;
	source_end(&s->s);
	return NULL;
}
