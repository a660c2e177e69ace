/* SPDX-License-Identifier: Apache-2.0
 * trust - see trust.h
 */
#include "core/trust/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/trust/cert.h"
#include "core/trust/keyring.h"

/* the files of the keystore, and what is in them */
struct ring {
	struct keystore_list l;
	struct cert        **cert; /* NULL: empty, or it cannot be read, which was told */
};

static void ring_close(struct ring *r)
{
	for (size_t i = 0; r->cert && i < r->l.n; i++)
		cert_free(r->cert[i]);
	free(r->cert);
	keystore_list_free(&r->l);
}
#define auto_ring __attribute__((cleanup(ring_close)))

static int take_cert(void *ctx, const struct openpgp_key *k, struct err *e)
{
	struct cert **c = ctx;

	*c = cert_parse(k->data, k->data_len, e);
	return *c ? 0 : -1;
}

/* @name: only the keys of such images; NULL: whatever there is, masked or not */
static int ring_open(const struct keystore_dirs *d, const char *name, struct ring *r, struct err *e)
{
	struct err why;

	if ((name ? keystore_find(d, name, &r->l, e) : keystore_list(d, &r->l, e)) < 0)
		return -1;
	r->cert = calloc(r->l.n + 1, sizeof(struct cert *));
	if (!r->cert)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < r->l.n; i++) {
		const struct keystore_entry *en = &r->l.v[i];
		if (en->empty || (name && en->masked))
			continue;
		if (keyring_file(en->path, en->fingerprint, take_cert, &r->cert[i], &why) < 0 && d->warn && name)
			d->warn(d->ctx, why.msg);
	}
	return 0;
}

/* the next key that a signature of @issuer may be from, beginning at @i; without an issuer, any */
static size_t ring_next(const struct ring *r, const char *issuer, size_t i)
{
	while (i < r->l.n && !(r->cert[i] && (!*issuer || cert_has(r->cert[i], issuer))))
		i++;
	return i;
}

/* ---- reasons ---- */

/* what to type, also where the keystore is not where it usually is */
static void add_remedy(struct buf *b, const struct keystore_dirs *d, const char *name, const char *file)
{
	buf_str(b, "rkt ");
	if (d->local_dir && strcmp(d->local_dir, KEYSTORE_LOCAL) != 0)
		buf_fmt(b, "--local-config=%s ", d->local_dir);
	buf_fmt(b, "trust --prefix=%s %s", name ? name : "NAME", file);
}

static int fail(struct err *e, int code, struct buf *b)
{
	int r = b->failed ? err_set(e, ENOMEM, "out of memory") : err_set(e, code, "%s", b->data);

	buf_free(b);
	return r;
}

#define UNKNOWN "openpgp: signature made by unknown entity: " /* scripts look for it */

static int unknown(const struct keystore_dirs *d, const char *issuer, const char *name, struct err *e)
{
	struct buf b = { 0 };

	buf_str(&b, UNKNOWN);
	buf_fmt(&b, *issuer ? "no key %s is trusted" : "it does not tell by which key%s, and none that is trusted made it", issuer);
	if (name)
		buf_fmt(&b, " for %.100s", name);
	buf_str(&b, "; if you trust whose it is: ");
	add_remedy(&b, d, name, d->key_at ? d->key_at : "KEYFILE-OR-URL");
	return fail(e, ENOKEY, &b);
}

/* Trusted, but for others: @r has the key in the files from @first on. */
static int elsewhere(const struct keystore_dirs *d, const struct ring *r, const char *issuer, size_t first, const char *name,
		     struct err *e)
{
	const struct keystore_entry *en = &r->l.v[first];
	char path[PATH_MAX];
	struct buf b = { 0 };
	struct err why;
	size_t n = 0;

	buf_fmt(&b, UNKNOWN "key %s is ", en->fingerprint);
	for (size_t i = first; i < r->l.n; i = ring_next(r, issuer, i + 1)) {
		if (r->l.v[i].masked || !r->l.v[i].prefix || strcmp(r->l.v[i].fingerprint, en->fingerprint) != 0)
			continue;
		if (n++ < 3)
			buf_fmt(&b, "%s%.60s", n > 1 ? ", " : "trusted for ", r->l.v[i].prefix);
	}
	if (n > 3)
		buf_fmt(&b, " and %zu more", n - 3);
	if (n)
		buf_fmt(&b, " only, not for %.100s; if it is to be: ", name);
	else
		buf_fmt(&b, "not for %.100s, where %s has the say; if it is to be trusted: ", name,
			keystore_decides(d, name, en->fingerprint, path, &why) < 0 ? "nothing" : path);
	add_remedy(&b, d, name, en->path);
	return fail(e, EACCES, &b);
}

/* of several reasons the one that tells most: that of a key we know, and of these the worst; EACCES: elsewhere() */
static int weight(const struct err *e)
{
	static const int order[] = { ENOKEY, EACCES, ENOTSUP, EKEYREJECTED, EKEYEXPIRED, EKEYREVOKED, EBADMSG };

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (order[i] == e->code)
			return (int)i;
	return 100; /* not a matter of trust: no memory, a disk that fails */
}

static void keep(struct err *worst, const struct err *e)
{
	if (!worst->code || weight(e) > weight(worst))
		*worst = *e;
}

static int tell(const struct err *worst, struct err *e)
{
	if (!worst->code)
		return err_set(e, EINVAL, "there is no signature");
	return err_set(e, worst->code == EACCES ? ENOKEY : worst->code, "%s", worst->msg);
}

/* ---- before, after ---- */

/* why none of our keys can have made the signature */
static int stranger(const struct keystore_dirs *d, const char *issuer, const char *name, struct err *e)
{
	auto_ring struct ring all = { .cert = NULL };

	if (!name || !*issuer)
		return unknown(d, issuer, name, e);
	if (ring_open(d, NULL, &all, e) < 0)
		return -1;
	size_t k = ring_next(&all, issuer, 0);
	return k < all.l.n ? elsewhere(d, &all, issuer, k, name, e) : unknown(d, issuer, name, e);
}

int trust_early(const struct keystore_dirs *d, const struct sigcheck *c, const char *name, struct err *e)
{
	auto_ring struct ring r = { .cert = NULL };
	struct err worst = { .code = 0 }, why;

	if (ring_open(d, name, &r, e) < 0)
		return -1;
	for (size_t i = 0; i < sigcheck_count(c); i++) {
		for (size_t k = 0; (k = ring_next(&r, sigcheck_issuer(c, i), k)) < r.l.n; k++)
			if (!r.l.v[k].masked)
				return 0;
		(void)stranger(d, sigcheck_issuer(c, i), name, &why);
		keep(&worst, &why);
	}
	return tell(&worst, e);
}

/* the key that made one signature; NULL and why none that is trusted did */
static const struct keystore_entry *vouch_one(const struct keystore_dirs *d, const struct ring *r, struct sigcheck *c, size_t i,
					      const char *name, int64_t now_s, struct err *e)
{
	const char *issuer = sigcheck_issuer(c, i);
	struct err worst = { .code = 0 }, why;

	for (size_t k = 0; (k = ring_next(r, issuer, k)) < r->l.n; k++) {
		if (sigcheck_verify(c, i, r->cert[k], now_s, &why) == 0)
			return &r->l.v[k];
		/* who just tries all keys learns nothing from those that do not fit */
		if (!*issuer && (why.code == EBADMSG || why.code == ENOKEY))
			continue;
		if (strncmp(why.msg, "key ", 4) != 0)
			(void)err_wrap(&why, "signature by key %s", r->l.v[k].fingerprint);
		keep(&worst, &why);
	}
	if (worst.code)
		*e = worst;
	else
		(void)stranger(d, issuer, name, e);
	return NULL;
}

int trust_vouch(const struct keystore_dirs *d, struct sigcheck *c, const char *name, int64_t now_s, char **fingerprint,
		char **prefix, struct err *e)
{
	auto_ring struct ring r = { .cert = NULL };
	struct err worst = { .code = 0 }, why;

	if (ring_open(d, name, &r, e) < 0)
		return -1;
	for (size_t i = 0; i < sigcheck_count(c); i++) {
		const struct keystore_entry *by = vouch_one(d, &r, c, i, name, now_s, &why);
		if (!by) {
			keep(&worst, &why);
			continue;
		}
		*fingerprint = strdup(by->fingerprint);
		*prefix = strdup(by->prefix ? by->prefix : "");
		if (*fingerprint && *prefix)
			return 0;
		free(*fingerprint);
		free(*prefix);
		return err_set(e, ENOMEM, "out of memory");
	}
	return tell(&worst, e);
}

int trust_still(const struct keystore_dirs *d, const char *name, const char *fingerprint, struct err *e)
{
	char path[PATH_MAX];
	struct buf b = { 0 };

	int r = keystore_decides(d, name, fingerprint, path, e);
	if (r > 0 || (r < 0 && e->code != ENOENT))
		return r > 0 ? 0 : -1;
	buf_fmt(&b, "key %s vouched for %.150s, and is not trusted for that any more", fingerprint, name);
	if (r == 0)
		buf_fmt(&b, ": %s is empty", path);
	buf_str(&b, "; to trust it again: ");
	add_remedy(&b, d, name, "KEYFILE-OR-URL");
	return fail(e, ENOKEY, &b);
}
