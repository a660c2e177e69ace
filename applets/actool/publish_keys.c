/* SPDX-License-Identifier: Apache-2.0
 * publish_keys - the public keys of a name, and whether one of them made a signature
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/actool/publish.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/trust/armor.h"
#include "core/trust/cert.h"
#include "core/trust/openpgp.h"
#include "core/trust/sigcheck.h"

#define FILE_MAX (1u << 20)
#define KEYS_MAX 64u

char *publish_key_path(const struct publish *p)
{
	return xasprintf("%s-pubkeys.gpg", p->name);
}

/* ---- what there is ---- */

/* the same key, with other user ids perhaps or a later expiry, is replaced */
static int add_key(struct publish *p, const struct openpgp_key *k, struct err *e)
{
	size_t i = 0;

	while (i < p->n_keys && strcmp(p->keys[i].fingerprint, k->fingerprint) != 0)
		i++;
	if (i == KEYS_MAX)
		return err_set(e, EINVAL, "more than %u keys", KEYS_MAX);
	if (i == p->n_keys) {
		p->keys = xrealloc(p->keys, (i + 1) * sizeof(*p->keys));
		p->keys[p->n_keys++] = (struct publish_key){ .data = { 0 } };
	}
	memcpy(p->keys[i].fingerprint, k->fingerprint, sizeof(k->fingerprint));
	p->keys[i].data.len = 0;
	buf_add(&p->keys[i].data, k->data, k->data_len);
	return p->keys[i].data.failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int add_block(struct publish *p, const struct buf *block, struct err *e)
{
	const uint8_t *at = (const uint8_t *)block->data;
	size_t len = block->len;
	struct openpgp_key k;
	int r;

	while ((r = openpgp_key(&at, &len, &k, e)) > 0)
		if (add_key(p, &k, e) < 0)
			return -1;
	return r < 0 ? err_wrap(e, "is not a public key") : 0;
}

/* all keys of a file; secret ones have a block of another kind */
static int add_keys(struct publish *p, const char *text, size_t len, struct err *e)
{
	int n = 0, r;

	do {
		auto_buf struct buf block = { 0 };
		r = armor_decode(&text, &len, "PUBLIC KEY BLOCK", &block, e);
		if (r > 0 && add_block(p, &block, e) < 0)
			return -1;
		n += r > 0;
	} while (r > 0);
	return r < 0 ? -1 : n ? 0 : err_set(e, EINVAL, "has no armored public key (gpg --armor --export KEY makes them)");
}

int publish_keys_read(struct publish *p, size_t n, const char *const *files, struct err *e)
{
	auto_free char *old = NULL, *path = publish_key_path(p);
	size_t len;

	if (p->dir_fd >= 0 && fd_read_file(p->dir_fd, path, FILE_MAX, &old, &len, e) < 0 && e->code != ENOENT)
		return err_wrap(e, "%s", p->dir);
	if (old && add_keys(p, old, len, e) < 0)
		return err_wrap(e, "%s/%s", p->dir, path);
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = { 0 };
		if (publish_read(files[i], &text, e) < 0 || add_keys(p, text.data ? text.data : "", text.len, e) < 0)
			return err_wrap(e, "%s", files[i]);
	}
	return 0;
}

int publish_keys(struct publish *p, struct err *e)
{
	auto_buf struct buf text = { 0 };
	char *path = publish_key_path(p), *url = xasprintf("%s/%s", p->base, path);
	int r = 0;

	for (size_t i = 0; i < p->n_keys && r == 0; i++)
		r = armor_encode((const uint8_t *)p->keys[i].data.data, p->keys[i].data.len, "PUBLIC KEY BLOCK", &text, e);
	if (r == 0 && p->n_keys)
		return publish_text(p, path, url, &text, e);
	free(path);
	free(url);
	return r;
}

void publish_keys_free(struct publish *p)
{
	for (size_t i = 0; i < p->n_keys; i++)
		buf_free(&p->keys[i].data);
	free(p->keys);
}

/* ---- signatures ---- */

static int feed(struct sigcheck *c, int fd, struct err *e)
{
	char block[16384];
	ssize_t n;

	for (off_t at = 0; (n = pread(fd, block, sizeof(block), at)) > 0; at += n)
		sigcheck_feed(c, block, (size_t)n);
	return n < 0 ? err_sys(e, "read") : 0;
}

/* 1: that key made the signature; 0: another one did; -1: it is of no use */
static int try_key(struct sigcheck *c, size_t i, const struct publish_key *k, struct err *e)
{
	struct cert *cert = cert_parse((const uint8_t *)k->data.data, k->data.len, e);
	int r = -1;

	if (!cert)
		return 0; /* whoever fetches it will not take it either */
	if (!*sigcheck_issuer(c, i) || !cert_has(cert, sigcheck_issuer(c, i)))
		r = 0;
	else if (sigcheck_verify(c, i, cert, ui_now_ns() / 1000000000, e) == 0)
		r = 1;
	cert_free(cert);
	return r;
}

/* One good signature suffices. Of keys that are published elsewhere nothing is known. */
static int judge(const struct publish *p, struct sigcheck *c, struct err *e)
{
	int worst = 0;

	for (size_t i = 0; i < sigcheck_count(c); i++)
		for (size_t n = 0; n < p->n_keys; n++) {
			struct err why;
			int r = try_key(c, i, &p->keys[n], &why);
			if (r > 0)
				return 1;
			if (r < 0) {
				*e = why;
				worst = -1;
			}
		}
	return worst;
}

int publish_check_signature(const struct publish *p, const char *text, size_t len, int image_fd, const char *file, struct err *e)
{
	struct sigcheck *c = sigcheck_new(text, len, e);
	int r = !c || feed(c, image_fd, e) < 0 ? -1 : judge(p, c, e);

	sigcheck_free(c);
	if (r == 0 && p->n_keys)
		ui_warn("%s: its signature is by none of the keys that are published here (--key=FILE adds one)", file);
	return r < 0 ? -1 : 0;
}
