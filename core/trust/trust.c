/* SPDX-License-Identifier: Apache-2.0
 * trust - see trust.h
 */
#include "core/trust/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"

/* " rkt trust --prefix=NAME FILE": what to type, also where the keystore is not where it usually is */
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
	add_remedy(&b, d, name, "KEYFILE");
	return fail(e, ENOKEY, &b);
}
