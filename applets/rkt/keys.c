/* SPDX-License-Identifier: Apache-2.0
 * keys - see keys.h
 */
#include "applets/rkt/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/fetch/discovery.h"
#include "core/fetch/download.h"
#include "core/fetch/http.h"
#include "core/trust/cert.h"
#include "core/trust/keyring.h"
#include "core/trust/signature.h"

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	ui_warn("%s", text);
}

struct keystore_dirs keys_dirs(const struct rkt_globals *g)
{
	return (struct keystore_dirs){
		.system_dir = g->system_config, .local_dir = g->local_config, .user_dir = g->user_config, .warn = warn,
	};
}

/* ---- where keys come from ---- */

/* For keys, and the pages that lead to them, more may go without the protection of https. */
static int reach(const struct keys_wish *w, struct net *n, struct err *e)
{
	if (net_open(w->g, n, e) < 0)
		return -1;
	n->http.insecure_tls |= w->g->insecure & INSECURE_PUBKEY;
	n->http.allow_http |= w->allow_http || w->g->insecure & INSECURE_PUBKEY;
	return 0;
}

static int read_source(struct source *in, struct buf *out, struct err *e)
{
	const uint8_t *p;
	size_t len;
	int r;

	while ((r = in->next(in, &p, &len, e)) > 0) {
		if (len > KEYSTORE_FILE_MAX - out->len)
			return err_set(e, EFBIG, "has more than %u bytes, which no key has", KEYSTORE_FILE_MAX);
		buf_add(out, p, len);
	}
	return r < 0 ? -1 : out->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int read_fd(const char *path, struct buf *out, struct err *e)
{
	struct stat st;
	bool is_stdin = !strcmp(path, "-");
	auto_close int fd = is_stdin ? fcntl(0, F_DUPFD_CLOEXEC, 3) : fd_open_input(path, &st, e);

	if (fd < 0)
		return is_stdin ? err_sys(e, "cannot be read") : -1;
	auto_source struct source *in = source_fd(fd, e);
	return in ? read_source(in, out, e) : -1;
}

static int read_keys(const struct net *n, const char *where, struct buf *out, struct err *e)
{
	if (!strstr(where, "://"))
		return read_fd(where, out, e);
	if (!http_is_url(where))
		return err_set(e, ENOTSUP, "keys come from files and by https");
	return download_small(where, &n->http, KEYSTORE_FILE_MAX, out, NULL, e);
}

/* ---- one key ---- */

struct offer {
	const struct keys_wish *w;
	const struct net       *net;
	const char             *where;
	size_t                  n_refused;
};

static void add_fingerprint(struct buf *b, const char *fpr)
{
	for (size_t i = 0; fpr[i]; i++)
		/* in the middle two blanks, as gpg and rkt have it */
		buf_fmt(b, "%s%c", i && i % 4 == 0 ? i == 20 ? "  " : " " : "", fpr[i] >= 'a' ? fpr[i] - 32 : fpr[i]);
}

static void show(const struct offer *o, const struct openpgp_key *k, int64_t expires_s, struct buf *b)
{
	const struct keys_wish *w = o->w;
	struct cert *c;
	const struct pubkey *sub;
	struct err unused;
	char date[DATE_LEN];

	buf_fmt(b, "prefix: \"%s\"%s\nkey: \"", w->prefix ? w->prefix : "", w->prefix ? "" : " (all images)");
	buf_clean(b, o->where, strlen(o->where));
	buf_str(b, "\"\ngpg key fingerprint is: ");
	add_fingerprint(b, k->fingerprint);
	c = cert_parse(k->data, k->data_len, &unused);
	for (size_t i = 1; c && (sub = cert_key(c, i)); i++) {
		buf_str(b, "\n    Subkey fingerprint: ");
		add_fingerprint(b, sub->fingerprint);
	}
	cert_free(c);
	buf_fmt(b, "\n\t%s", pubkey_algorithm(k->algorithm));
	if (k->bits)
		buf_fmt(b, " %u", k->bits);
	buf_fmt(b, ", created %s", date_text(k->created, date));
	if (expires_s)
		buf_fmt(b, ", expires %s", date_text(expires_s, date));
	for (size_t i = 0; i < k->n_uids; i++) {
		buf_str(b, "\n\t");
		buf_clean(b, k->uid[i].text, k->uid[i].len);
	}
	buf_str(b, "\n");
}

/* While an image is fetched, standard output has its ID, and the app may be waiting for standard input. */
static int say(const struct offer *o, struct buf *b, struct err *e)
{
	if (!o->w->by_the_way)
		return ui_out(b, e);
	int r = b->failed || fd_write_all(2, b->data, b->len) < 0 ? err_set(e, EIO, "standard error cannot be written to") : 0;
	buf_free(b);
	return r;
}

/* What came by https is the host's, as far as nothing on the way there was allowed to be anybody else's. */
static bool is_vouched_for(const struct offer *o)
{
	const struct http_opts *h = &o->net->http;

	return o->w->g->trust_keys_from_https && !strncmp(o->where, "https://", 8) && !h->insecure_tls && !h->allow_http;
}

/* 1: yes; 0: no; -1: nobody can be asked */
static int review(const struct offer *o, const struct openpgp_key *k, struct err *e)
{
	int answer = o->w->by_the_way && !(isatty(0) && isatty(2)) ? -1 :
		ui_ask("Are you sure you want to trust this key (yes/no)?");

	if (answer >= 0)
		return answer;
	/* the first words are rkt's */
	return err_set(e, ENOTTY, "error reviewing key: unable to ask user to review fingerprint due to lack of tty; if %s is the "
		       "key that you expect: rkt trust %s%s --skip-fingerprint-review %s", k->fingerprint,
		       o->w->prefix ? "--prefix=" : "--root", o->w->prefix ? o->w->prefix : "", o->where);
}

/* A key that will never vouch for anything is refused; one that does not now, may later or have been renewed since. */
static int check_use(const struct openpgp_key *k, int64_t *expires_s, struct err *e)
{
	int64_t now_s = ui_now_ns() / 1000000000;
	struct err why;

	if (keyring_usable(k, now_s, expires_s, &why) == 0)
		return 0;
	if (why.code != EKEYEXPIRED && k->created <= now_s)
		return err_set(e, why.code, "cannot vouch for images: %s", why.msg);
	ui_warn("%s%s: as it is, it cannot vouch for images", why.msg, why.code == EKEYEXPIRED ? "" : " (its key is of the future)");
	return 0;
}

static int store(const struct offer *o, const struct openpgp_key *k, bool reviewed, struct err *e)
{
	const char *prefix = o->w->prefix;
	struct buf b = { 0 };
	char *path;

	if (keystore_add(o->w->g->local_config, prefix, k->fingerprint, k->data, k->data_len, &path, e) < 0)
		return -1;
	buf_str(&b, "Trusting \"");
	buf_clean(&b, o->where, strlen(o->where));
	buf_fmt(&b, "\" for prefix \"%s\" %s fingerprint review.\n", prefix ? prefix : "", reviewed ? "after" : "without");
	if (prefix)
		buf_fmt(&b, "Added key for prefix \"%s\" at \"%s\"\n", prefix, path);
	else
		buf_fmt(&b, "Added root key at \"%s\"\n", path);
	free(path);
	return say(o, &b, e);
}

static bool is_trusted(const struct keys_wish *w, const char *fingerprint)
{
	const struct keystore_dirs d = keys_dirs(w->g);
	char path[PATH_MAX];
	struct err unused;

	return keystore_decides(&d, w->prefix, fingerprint, path, &unused) > 0;
}

static int offer_key(void *ctx, const struct openpgp_key *k, struct err *e)
{
	struct offer *o = ctx;
	bool reviewed = !o->w->skip_review && !is_vouched_for(o);
	struct buf b = { 0 };
	int64_t expires_s;

	if (o->w->by_the_way && is_trusted(o->w, k->fingerprint))
		return 0;
	if (check_use(k, &expires_s, e) < 0)
		return err_wrap(e, "key %s", k->fingerprint);
	show(o, k, expires_s, &b);
	if (say(o, &b, e) < 0)
		return -1;
	int yes = reviewed ? review(o, k, e) : 1;
	o->n_refused += !yes;
	return yes > 0 ? store(o, k, reviewed, e) : yes;
}

int keys_trust(const struct keys_wish *w, const char *where, struct err *e)
{
	auto_net struct net n = { .auth = { 0 } };
	struct offer o = { w, &n, where, 0 };
	auto_buf struct buf text = { 0 };

	if (reach(w, &n, e) < 0)
		return -1;
	if (read_keys(&n, where, &text, e) < 0 || keyring_each(text.data ? text.data : "", text.len, offer_key, &o, e) < 0)
		return err_wrap(e, "%s", !strcmp(where, "-") ? "standard input" : where);
	return o.n_refused ? err_set(e, ECANCELED, "%s: %zu keys were not accepted", where, o.n_refused) : 0;
}

/* ---- what hosts publish ---- */

struct search {
	struct net       net;
	struct discovery d;
};

static struct source *open_page(void *ctx, const char *url, struct err *e)
{
	struct search *s = ctx;

	if (!s->d.keys.n)
		return http_open(url, &s->net.http, e);
	(void)err_set(e, EALREADY, "keys are known"); /* the parents' pages could only tell of images */
	return NULL;
}

int keys_discover(const struct keys_wish *w, struct appc_strings *urls, struct err *e)
{
	static const struct appc_pairs no_labels;
	struct search s = { .d = { 0 } };

	if (reach(w, &s.net, e) < 0) {
		net_close(&s.net);
		return -1;
	}
	const struct discovery_opts o = { .http = s.net.http.allow_http, .ctx = &s, .open = open_page };
	int r = discovery_find(w->prefix, &no_labels, &o, &s.d, e);
	if (s.d.keys.n) {
		*urls = s.d.keys;
		s.d.keys = (struct appc_strings){ 0 };
		r = 0;
	} else if (r == 0 || e->code == ENOENT) {
		for (size_t i = 0; i < s.d.n_failures; i++)
			ui_info("%s: %s", s.d.failures[i].prefix, s.d.failures[i].why);
		r = err_set(e, ENOENT, "prefix meta discovery error: %s publishes no keys (ac-discovery-pubkeys); name a file or URL",
			    w->prefix);
	}
	discovery_free(&s.d);
	net_close(&s.net);
	return r;
}

void keys_offer(const struct rkt_globals *g, const char *name, const struct appc_strings *urls)
{
	const struct keys_wish w = { .g = g, .prefix = name, .by_the_way = true };
	struct err why;

	/* without a name they would be root keys */
	for (size_t i = 0; name && i < urls->n; i++)
		if (keys_trust(&w, urls->v[i], &why) < 0)
			ui_warn("%s", why.msg);
}
