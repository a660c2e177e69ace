/* SPDX-License-Identifier: Apache-2.0
 * unit trust_keystore - which file has the say for a key and a name, and what is asked for that at every start
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/trust/trust.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define V6 A "cccccccccccccccccccccccc"

struct home {
	char                dir[64], system[80], local[80], user[80];
	int                 fd;
	struct keystore_dirs d;
	struct buf          warnings;
};

static void hear(void *ctx, const char *text)
{
	struct home *h = ctx;

	buf_fmt(&h->warnings, "%s\n", text);
}

static bool make(struct home *h)
{
	*h = (struct home){ .dir = "/tmp/keystore.XXXXXX" };
	if (!mkdtemp(h->dir) || (h->fd = open(h->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	snprintf(h->system, sizeof(h->system), "%s/s", h->dir);
	snprintf(h->local, sizeof(h->local), "%s/l", h->dir);
	snprintf(h->user, sizeof(h->user), "%s/u", h->dir);
	h->d = (struct keystore_dirs){ h->system, h->local, h->user, hear, h, NULL };
	return true;
}

static void drop(struct home *h)
{
	struct err e;

	buf_free(&h->warnings);
	close(h->fd);
	CHECK_INT(fd_remove_tree(AT_FDCWD, h->dir, &e), 0);
}

/* "l/root.d/FPR", without trustedkeys */
static void put(struct home *h, const char *place, const char *content)
{
	char path[512];
	struct err e;

	snprintf(path, sizeof(path), "%c/trustedkeys/%s", *place, place + 2);
	*strrchr(path, '/') = 0;
	CHECK_INT(fd_mkdirs(h->fd, path, 0755, &e), 0);
	path[strlen(path)] = '/';
	CHECK_INT(fd_publish(h->fd, path, content, strlen(content), 0644, false, &e), 0);
}

static int still(const struct home *h, const char *name, const char *fpr)
{
	struct err e = { .code = 0 };

	return trust_still(&h->d, name, fpr, &e) < 0 ? e.code : 0;
}

/* what keystore_find() says of the same: both must agree */
static int found(struct home *h, const char *name, const char *fpr)
{
	struct keystore_list l;
	struct err e;
	int n = 0;

	if (keystore_find(&h->d, name, &l, &e) < 0)
		return e.code;
	for (size_t i = 0; i < l.n; i++)
		n += !l.v[i].masked && !strcmp(l.v[i].fingerprint, fpr);
	keystore_list_free(&l);
	CHECK(n <= 1);
	return n ? 0 : ENOKEY;
}

#define TRUSTED(h, name, fpr)     (CHECK_INT(still(h, name, fpr), 0), CHECK_INT(found(h, name, fpr), 0))
#define NOT_TRUSTED(h, name, fpr) (CHECK_INT(still(h, name, fpr), ENOKEY), CHECK_INT(found(h, name, fpr), ENOKEY))

TEST(prefixes, "keystore: a prefix covers itself and what goes on with a slash, nothing else")
{
	struct home h;

	REQUIRE(make(&h));
	NOT_TRUSTED(&h, "example.com/app", A);
	put(&h, "l/prefix.d/example.com/app/" A, "key");
	TRUSTED(&h, "example.com/app", A);
	TRUSTED(&h, "example.com/app/x/y", A);
	NOT_TRUSTED(&h, "example.com/application", A);
	NOT_TRUSTED(&h, "example.com/app-x", A);
	NOT_TRUSTED(&h, "example.com/ap", A);
	NOT_TRUSTED(&h, "example.com", A);
	NOT_TRUSTED(&h, "other.com/example.com/app", A);
	NOT_TRUSTED(&h, "example.com/app", B);
	/* the path of a key is a name as well */
	NOT_TRUSTED(&h, "example.com/app/" A, B);
	TRUSTED(&h, "example.com/app/" A, A);
	CHECK_INT(still(&h, "example.com/app/../app", A), EINVAL);
	CHECK_INT(still(&h, "example.com//app", A), EINVAL);
	CHECK_INT(still(&h, "../l/trustedkeys/prefix.d/example.com/app", A), EINVAL);
	CHECK_INT(still(&h, "", A), EINVAL);
	CHECK_INT(still(&h, "example.com/app", "../app/" A), EINVAL);
	CHECK_INT(still(&h, "example.com/app", "insecure"), EINVAL);
	put(&h, "l/prefix.d/example.com/six/" V6, "key");
	TRUSTED(&h, "example.com/six", V6);
	NOT_TRUSTED(&h, "example.com/six", A);
	drop(&h);
}

TEST(roots, "keystore: root keys are for everything, and never those that lie in prefix.d itself")
{
	struct home h;

	REQUIRE(make(&h));
	put(&h, "s/root.d/" A, "key");
	TRUSTED(&h, "example.com/app", A);
	TRUSTED(&h, "x", A);
	put(&h, "s/prefix.d/" B, "key");
	NOT_TRUSTED(&h, "example.com/app", B);
	put(&h, "u/root.d/" B, "key");
	TRUSTED(&h, "example.com/app", B);
	drop(&h);
}

TEST(masks, "keystore: the last file has the say, and an empty one takes a key away")
{
	struct home h;

	REQUIRE(make(&h));
	put(&h, "s/prefix.d/example.com/app/" A, "key");
	put(&h, "s/root.d/" B, "key");
	put(&h, "l/prefix.d/example.com/app/" A, "");
	NOT_TRUSTED(&h, "example.com/app", A);
	NOT_TRUSTED(&h, "example.com/app/x", A);
	/* the user's comes last */
	put(&h, "u/prefix.d/example.com/app/" A, "key");
	TRUSTED(&h, "example.com/app", A);
	put(&h, "u/prefix.d/example.com/app/" A, "");
	put(&h, "l/prefix.d/example.com/app/" A, "key");
	NOT_TRUSTED(&h, "example.com/app", A);
	/* of a root key only for a prefix, except for a part of that */
	put(&h, "l/prefix.d/example.com/" B, "");
	NOT_TRUSTED(&h, "example.com/app", B);
	TRUSTED(&h, "example.org/app", B);
	put(&h, "l/prefix.d/example.com/good/" B, "key");
	TRUSTED(&h, "example.com/good", B);
	put(&h, "l/root.d/" B, "");
	NOT_TRUSTED(&h, "example.org/app", B);
	TRUSTED(&h, "example.com/good", B);
	/* a mask for less than the system's key is for, and for more */
	put(&h, "s/prefix.d/a.com/b/" A, "key");
	put(&h, "l/prefix.d/a.com/b/c/" A, "");
	TRUSTED(&h, "a.com/b", A);
	NOT_TRUSTED(&h, "a.com/b/c/d", A);
	put(&h, "l/prefix.d/a.com/" A, "");
	NOT_TRUSTED(&h, "a.com/b", A);
	drop(&h);
}

TEST(lists, "keystore: the list marks what does not count, and warns of files that are no keys")
{
	struct keystore_list l;
	struct home h;
	struct err e;
	char deep[300] = "l/prefix.d/a";

	REQUIRE(make(&h));
	put(&h, "s/root.d/" A, "key");
	put(&h, "l/root.d/" A, "");
	put(&h, "s/prefix.d/example.com/app/" A, "key");
	put(&h, "l/prefix.d/example.com/app/" A, "key");
	put(&h, "l/prefix.d/example.com/README", "text");
	put(&h, "l/prefix.d/example.com/.hidden", "text");
	put(&h, "l/prefix.d/" B, "key");
	put(&h, "l/prefix.d/No-Name/" B, "key");
	put(&h, "l/prefix.d/www.com/" B, "");
	put(&h, "l/prefix.d/www.com/app/" B, "key");
	for (int i = 0; i < KEYSTORE_DEPTH_MAX; i++)
		strcat(deep, "/a");
	strcat(deep, "/" B);
	put(&h, deep, "key");
	CHECK_INT(symlinkat(".", h.fd, "l/trustedkeys/prefix.d/example.com/self"), 0);
	REQUIRE(keystore_list(&h.d, &l, &e) == 0);
	REQUIRE(l.n == 6);
	CHECK(!l.v[0].prefix && l.v[0].masked && !l.v[1].prefix && l.v[1].masked);
	CHECK_STR(l.v[3].prefix, "example.com/app");
	CHECK(l.v[2].masked && !l.v[3].masked && strstr(l.v[3].path, "/l/trustedkeys/prefix.d/example.com/app/" A));
	CHECK(l.v[4].masked && !l.v[5].masked);
	CHECK_STR(l.v[5].prefix, "www.com/app");
	keystore_list_free(&l);
	CHECK_HAS(h.warnings.data, "README: ignored");
	CHECK_HAS(h.warnings.data, "prefix.d/" B ": ignored");
	CHECK_HAS(h.warnings.data, "No-Name: ignored");
	CHECK_HAS(h.warnings.data, "too deep");
	CHECK_HAS(h.warnings.data, "example.com/self");
	CHECK(!strstr(h.warnings.data, ".hidden"));
	drop(&h);
}

TEST(unreadable, "keystore: what cannot be looked at trusts nothing, and a listing goes on")
{
	struct keystore_list l;
	struct home h;
	struct err e;

	REQUIRE(make(&h));
	put(&h, "s/root.d/" A, "key");
	put(&h, "l/prefix.d/a.com/" B, "key");
	TRUSTED(&h, "b.com/app", A);
	/* who knows what is behind it: not even root can look */
	CHECK_INT(symlinkat("loop", h.fd, "l/trustedkeys/prefix.d/loop"), 0);
	CHECK_INT(symlinkat("loop", h.fd, "l/trustedkeys/prefix.d/b.com"), 0);
	CHECK_INT(still(&h, "b.com/app", A), ELOOP);
	CHECK_INT(found(&h, "b.com/app", A), ELOOP);
	TRUSTED(&h, "a.com/app", B);
	REQUIRE(keystore_list(&h.d, &l, &e) == 0);
	CHECK_INT(l.n, 2);
	keystore_list_free(&l);
	drop(&h);
}

TEST(tells, "trust: says why a key does not count any more, and what to type")
{
	struct home h;
	struct err e = { .code = 0 };

	REQUIRE(make(&h));
	CHECK_INT(trust_still(&h.d, "example.com/app", A, &e), -1);
	CHECK_HAS(e.msg, "key " A " vouched for example.com/app, and is not trusted for that any more; ");
	CHECK_HAS(e.msg, h.dir);
	CHECK_HAS(e.msg, "/l trust --prefix=example.com/app KEYFILE");
	put(&h, "l/prefix.d/example.com/" A, "");
	h.d.local_dir = KEYSTORE_LOCAL;
	h.d.user_dir = h.local;
	CHECK_INT(trust_still(&h.d, "example.com/app", A, &e), -1);
	CHECK_HAS(e.msg, "/l/trustedkeys/prefix.d/example.com/" A " is empty; to trust it again: rkt trust --prefix=");
	drop(&h);
}

UNIT_MAIN(prefixes, roots, masks, lists, unreadable, tells)
