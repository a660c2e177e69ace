/* SPDX-License-Identifier: Apache-2.0
 * keyring - see keyring.h
 */
#include "core/trust/keyring.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/trust/armor.h"
#include "core/trust/cert.h"
#include "core/trust/keystore.h"
#include "core/trust/signature.h"

static int each(const uint8_t *p, size_t len, keyring_key *fn, void *ctx, struct err *e)
{
	struct openpgp_key k;
	int r;

	while ((r = openpgp_key(&p, &len, &k, e)) > 0)
		if ((r = fn(ctx, &k, e)) != 0)
			return r;
	return r;
}

int keyring_each(const char *text, size_t len, keyring_key *fn, void *ctx, struct err *e)
{
	const char *p = text;
	size_t left = len, n = 0;
	int r, ended = 0;

	for (; !ended; n++) {
		auto_buf struct buf block = { 0 };
		r = armor_decode(&p, &left, "PUBLIC KEY BLOCK", &block, e);
		if (r <= 0)
			break;
		ended = each((const uint8_t *)block.data, block.len, fn, ctx, e);
	}
	if (ended || r < 0)
		return ended > 0 ? 0 : -1;
	if (n)
		return 0;
	/* what begins like a packet does not begin like text */
	if (len && *text & 0x80)
		return each((const uint8_t *)text, len, fn, ctx, e) < 0 ? -1 : 0;
	return err_set(e, EINVAL, "no public key in it (gpg --export KEY writes one, armored or not)");
}

/* ---- the file of one key ---- */

struct first {
	const char  *fingerprint;
	keyring_key *fn;
	void        *ctx;
};

static int first_key(void *ctx, const struct openpgp_key *k, struct err *e)
{
	const struct first *f = ctx;

	if (strcmp(k->fingerprint, f->fingerprint) != 0)
		return err_set(e, EBADMSG, "holds the key %s, and not the one that it is named after", k->fingerprint);
	return f->fn(f->ctx, k, e) < 0 ? -1 : 1;
}

static char *read_file(const char *path, size_t *len, struct err *e)
{
	struct stat st;
	auto_close int fd = fd_open_input(path, &st, e);

	if (fd < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > KEYSTORE_FILE_MAX) {
		(void)err_set(e, EINVAL, S_ISREG(st.st_mode) ? "too large for a key" : "is not a file");
		return NULL;
	}
	char *text = malloc((size_t)st.st_size + 1);
	ssize_t n = text ? fd_read_full(fd, text, (size_t)st.st_size) : -1;
	if (n >= 0) {
		*len = (size_t)n;
		return text;
	}
	(void)err_set(e, text ? errno : ENOMEM, "%s", strerror(text ? errno : ENOMEM));
	free(text);
	return NULL;
}

int keyring_file(const char *path, const char *fingerprint, keyring_key *fn, void *ctx, struct err *e)
{
	struct first f = { fingerprint, fn, ctx };
	size_t len;
	auto_free char *text = read_file(path, &len, e);

	return text && keyring_each(text, len, first_key, &f, e) == 0 ? 0 : err_wrap(e, "%s", path);
}

/* ---- what it is good for ---- */

int keyring_usable(const struct openpgp_key *k, int64_t now_s, int64_t *expires_s, struct err *e)
{
	const struct signature now = { .created = (uint32_t)now_s };
	struct cert *c = cert_parse(k->data, k->data_len, e);
	struct err why;
	int r = -1;

	*expires_s = 0;
	for (size_t i = 0; r < 0 && c && cert_key(c, i); i++) {
		r = cert_may_sign(c, i, &now, now_s, &why);
		if (r == 0)
			*expires_s = cert_expires(c, i, now_s);
		else if (!i || e->code == EKEYREJECTED) /* what is wrong with the primary key, unless it only certifies */
			*e = why;
	}
	cert_free(c);
	return r;
}
