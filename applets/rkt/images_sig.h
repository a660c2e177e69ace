/* SPDX-License-Identifier: Apache-2.0
 * images_sig - the signatures of an image on its way in: found before it, fed with it, judged after it
 */
#pragma once

#include "applets/rkt/images_fetch.h"
#include "core/base/buf.h"
#include "core/trust/sigcheck.h"

struct http_opts;
struct partial;

struct images_sig {
	const struct images_fetch *f;
	const struct http_opts    *http;  /* how @where is fetched; NULL: it is a file */
	const char                *where; /* borrowed */
	struct sigcheck           *check; /* NULL: nobody wants any, or it comes later */
	bool                       later; /* the server has not made it yet */
};

/**
 * images_sig_open() - reads it; nothing but the struct is set where verification is not asked for
 * ENOKEY and the like: nobody whom we trust has made any of them, which the image would not change.
 */
int images_sig_open(struct images_sig *s, struct err *e);

/** images_sig_late() - one that came later, over what was downloaded */
int images_sig_late(struct images_sig *s, const struct partial *p, uint64_t bytes, struct err *e);

/** images_sig_vouch() - when @s->check has seen all: who vouches for an image of that name */
int images_sig_vouch(struct images_sig *s, const char *name, struct import_verdict *out, struct err *e);
void images_sig_close(struct images_sig *s);

/** images_sig_beside() - "X.aci" -> "X.aci.asc", "X" -> "X.aci.asc"; of a URL the path alone counts; the caller's to free */
char *images_sig_beside(const char *place);
