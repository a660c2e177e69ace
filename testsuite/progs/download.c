/* SPDX-License-Identifier: Apache-2.0
 * download - what core/fetch makes of a server's answers, for scripts
 *
 *	download URL [ETAG]      all of it to standard output; ETAG: of what is there already
 *	download -s MAX URL      as a small file, 202 being an answer
 * On standard error: "status 200, etag "x", fresh 60, length 5", or the error. http is allowed; no second attempt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fetch/download.h"

static int finish(const struct download_info *i, const struct err *e, int r)
{
	if (r < 0)
		fprintf(stderr, "%s\n", e->msg);
	else
		fprintf(stderr, "status %u, etag %s, fresh %lld, length %llu%s\n", i->status, *i->etag ? i->etag : "none",
			(long long)i->fresh_s, (unsigned long long)i->length, i->unchanged ? ", unchanged" : "");
	return r < 0;
}

int main(int argc, char **argv)
{
	const struct http_opts o = { .allow_http = true, .attempts = 1 };
	struct download_info i;
	struct buf b = { 0 };
	struct err e;
	const uint8_t *p;
	size_t len;
	int r;

	if (argc == 4 && !strcmp(argv[1], "-s")) {
		r = download_small(argv[3], &o, strtoul(argv[2], NULL, 10), &b, &i, &e);
		fwrite(b.data ? b.data : "", 1, b.len, stdout);
		buf_free(&b);
		return finish(&i, &e, r);
	}
	if (argc < 2)
		return 2;
	struct source *s = download_open(argv[1], &o, argv[2], NULL, &i, &e);
	while (s && (r = s->next(s, &p, &len, &e)) > 0)
		fwrite(p, 1, len, stdout);
	if (!s)
		r = -1;
	source_cleanup(&s);
	return finish(&i, &e, r);
}
