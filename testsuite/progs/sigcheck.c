/* SPDX-License-Identifier: Apache-2.0
 * sigcheck - drives core/trust's verification of detached signatures on files
 *
 *	sigcheck [--now=SECONDS] [--piece=BYTES] [--flip=sig|key|data] SIGNATURE FILE KEY...
 *
 * For each signature a line: "good FINGERPRINT" or "ERRNO: TEXT", of the key that it came furthest with. KEY: armored or
 * binary, also with several keys. Exit status 0: there is a good one, 1: there is none, 2: a file cannot be read.
 * --flip: changes every byte of that file in turn, in three ways, and prints "OFFSET XOR" of each change after which
 * there still is a good signature; armor is taken off before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/trust/armor.h"
#include "core/trust/openpgp.h"
#include "core/trust/sigcheck.h"

#define FILE_MAX (256u << 20)

struct run {
	struct buf   sig, data, keys[64];
	size_t       n_keys, piece;
	int64_t      now_s;
	const char  *flip;
	unsigned     good;
	bool         quiet;
};

static int die(const char *what, const char *why)
{
	fprintf(stderr, "sigcheck: %s: %s\n", what, why);
	exit(2);
}

static void read_file(const char *name, struct buf *b)
{
	struct err e;

	if (fd_read_file(AT_FDCWD, name, FILE_MAX, &b->data, &b->len, &e) < 0)
		die(name, e.msg);
}

/* takes the armor off, if there is any */
static void bare(struct buf *b, const char *kind)
{
	const char *p = b->data;
	size_t left = b->len;
	struct buf out = { 0 };
	struct err e;
	int r;

	while ((r = armor_decode(&p, &left, kind, &out, &e)) > 0)
		;
	if (r < 0)
		die("armor", e.msg);
	if (out.len)
		*b = out;
}

static const char *code_name(int code)
{
	static const struct { int code; const char *name; } names[] = {
		{ EBADMSG, "EBADMSG" }, { ENOKEY, "ENOKEY" }, { EKEYEXPIRED, "EKEYEXPIRED" }, { EKEYREVOKED, "EKEYREVOKED" },
		{ EKEYREJECTED, "EKEYREJECTED" }, { ENOTSUP, "ENOTSUP" }, { EINVAL, "EINVAL" }, { EPERM, "EPERM" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].code == code)
			return names[i].name;
	return "other";
}

static void say(const struct run *r, const char *text, const char *more)
{
	if (!r->quiet)
		printf("%s%s\n", text, more);
}

/* one signature against all keys */
static bool judge(struct run *r, struct sigcheck *c, size_t i, struct cert **certs, size_t n)
{
	struct err best = { .code = ENOKEY, .msg = "no key" };

	for (size_t k = 0; k < n; k++) {
		struct err e = { 0 };
		if (sigcheck_verify(c, i, certs[k], r->now_s, &e) == 0) {
			say(r, "good ", cert_fingerprint(certs[k]));
			return true;
		}
		if (best.code == ENOKEY)
			best = e;
	}
	say(r, code_name(best.code), "");
	if (!r->quiet)
		printf("\t%s\n", best.msg);
	return false;
}

static size_t read_certs(struct run *r, struct cert **certs, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_keys; i++) {
		const uint8_t *p = (const uint8_t *)r->keys[i].data;
		size_t left = r->keys[i].len;
		struct openpgp_key k;
		struct err e;
		int more;
		while ((more = openpgp_key(&p, &left, &k, &e)) > 0 && n < max)
			if ((certs[n] = cert_parse(k.data, k.data_len, &e)))
				n++;
			else
				say(r, "key: ", e.msg);
		if (more < 0)
			say(r, "key: ", e.msg);
	}
	return n;
}

static unsigned check(struct run *r)
{
	struct cert *certs[64];
	struct err e;
	struct sigcheck *c = sigcheck_new(r->sig.data, r->sig.len, &e);
	size_t n = read_certs(r, certs, 64);
	unsigned good = 0;

	if (!c)
		say(r, "signature: ", e.msg);
	for (size_t at = 0; c && at < r->data.len; at += r->piece)
		sigcheck_feed(c, r->data.data + at, r->data.len - at < r->piece ? r->data.len - at : r->piece);
	for (size_t i = 0; c && i < sigcheck_count(c); i++)
		good += judge(r, c, i, certs, n);
	while (n)
		cert_free(certs[--n]);
	sigcheck_free(c);
	return good;
}

static void flip_all(struct run *r, struct buf *b)
{
	static const unsigned char ways[] = { 1, 0x80, 0xff };

	r->quiet = true;
	if (!check(r))
		die(r->flip, "not good to begin with");
	for (size_t i = 0; i < b->len; i++)
		for (size_t w = 0; w < sizeof(ways); w++) {
			b->data[i] = (char)(b->data[i] ^ ways[w]);
			if (check(r))
				printf("%zu %u\n", i, ways[w]);
			b->data[i] = (char)(b->data[i] ^ ways[w]);
		}
}

static int option(struct run *r, const char *arg)
{
	uint64_t n = 0;
	struct err e;

	if (!strncmp(arg, "--now=", 6) && num_u64(arg + 6, INT32_MAX * 4ull, &n, &e) == 0)
		r->now_s = (int64_t)n;
	else if (!strncmp(arg, "--piece=", 8) && num_u64(arg + 8, FILE_MAX, &n, &e) == 0 && n)
		r->piece = n;
	else if (!strncmp(arg, "--flip=", 7))
		r->flip = arg + 7;
	else
		die(arg, "unknown option");
	return 1;
}

int main(int argc, char **argv)
{
	static struct run r = { .piece = 131072 };
	int i = 1;

	r.now_s = time(NULL);
	while (i < argc && !strncmp(argv[i], "--", 2))
		i += option(&r, argv[i]);
	if (argc - i < 2 || argc - i > 66)
		die("usage", "sigcheck [--now=SECONDS] [--piece=BYTES] [--flip=sig|key|data] SIGNATURE FILE KEY...");
	read_file(argv[i], &r.sig);
	read_file(argv[i + 1], &r.data);
	for (i += 2; i < argc; i++) {
		read_file(argv[i], &r.keys[r.n_keys]);
		bare(&r.keys[r.n_keys++], "PUBLIC KEY BLOCK");
	}
	if (!r.flip)
		return check(&r) ? 0 : 1;
	bare(&r.sig, "SIGNATURE");
	flip_all(&r, !strcmp(r.flip, "sig") ? &r.sig : !strcmp(r.flip, "key") ? &r.keys[0] : &r.data);
	return 0;
}
