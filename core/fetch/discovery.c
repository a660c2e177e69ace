/* SPDX-License-Identifier: Apache-2.0
 * discovery - see discovery.h
 */
#include "core/fetch/discovery.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/fd.h"
#include "core/fetch/html_meta.h"
#include "core/fetch/template.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* ---- templates ---- */

struct image {
	const char              *name, *ext;
	const struct appc_pairs *labels;
	uint64_t                 used;    /* the first 64 of them, which is more than any image has */
	bool                     has_ext;
};

static bool is_var(const char *s, size_t len, const char *var)
{
	return strlen(var) == len && !memcmp(s, var, len);
}

static const char *value_of(void *ctx, const char *var, size_t len)
{
	struct image *im = ctx;

	if (is_var(var, len, "name"))
		return im->name;
	if (is_var(var, len, "ext")) {
		im->has_ext = true;
		return im->ext;
	}
	for (size_t i = 0; i < im->labels->n; i++)
		if (is_var(var, len, im->labels->v[i].name)) {
			im->used |= i < 64 ? UINT64_C(1) << i : 0;
			return im->labels->v[i].value;
		}
	return NULL;
}

bool discovery_render(const char *tmpl, const char *name, const struct appc_pairs *labels, const char *ext,
		      struct buf *out, size_t *n_labels)
{
	struct image im = { .name = name, .ext = ext, .labels = labels };

	bool fits = template_expand(tmpl, value_of, &im, out) && im.has_ext;
	*n_labels = (size_t)__builtin_popcountll(im.used);
	return fits;
}

/* ---- a page ---- */

struct page {
	const char              *name;
	const struct appc_pairs *labels;
	struct discovery        *d;
	size_t                   first; /* of this page's images */
};

/* behind all that are at least as exact; twice the same would only be tried in vain twice */
static int add_image(struct page *pg, struct buf *aci, struct buf *asc, size_t n_labels, struct err *e)
{
	struct discovery *d = pg->d;
	size_t at = pg->first;

	for (size_t i = at; i < d->n_images; i++) {
		if (!strcmp(d->images[i].aci, aci->data))
			return 0;
		at += d->images[i].n_labels >= n_labels;
	}
	struct discovery_image *v = reallocarray(d->images, d->n_images + 1, sizeof(*v));
	if (!v)
		return no_memory(e);
	d->images = v;
	memmove(v + at + 1, v + at, (d->n_images++ - at) * sizeof(*v));
	v[at].aci = take_ptr(aci->data);
	v[at].asc = take_ptr(asc->data);
	v[at].n_labels = n_labels;
	return 0;
}

static int take_template(struct page *pg, const char *tmpl, struct err *e)
{
	auto_buf struct buf aci = { 0 };
	auto_buf struct buf asc = { 0 };
	size_t n;

	bool fits = discovery_render(tmpl, pg->name, pg->labels, "aci", &aci, &n) &&
		    discovery_render(tmpl, pg->name, pg->labels, "aci.asc", &asc, &n);
	if (aci.failed || asc.failed)
		return no_memory(e);
	return fits ? add_image(pg, &aci, &asc, n, e) : 0;
}

/* no blanks and no control characters, which no URL has */
static bool looks_like_url(const char *s)
{
	const char *colon = strstr(s, "://");

	if (!colon || colon == s || !colon[3])
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

/* "PREFIX URL" */
static int on_meta(void *ctx, const char *tag, const char *content, struct err *e)
{
	static const char blanks[] = " \t\r\n\f";
	struct page *pg = ctx;
	const char *prefix = content + strspn(content, blanks);
	size_t len = strcspn(prefix, blanks);
	const char *url = prefix + len + strspn(prefix + len, blanks);

	if (!len || strncmp(pg->name, prefix, len) != 0)
		return 0;
	auto_free char *trimmed = strndup(url, strcspn(url, blanks));
	if (!trimmed)
		return no_memory(e);
	/* nothing but blanks may stand behind it */
	if (url[strlen(trimmed) + strspn(url + strlen(trimmed), blanks)] || !looks_like_url(trimmed))
		return 0;
	if (!strcasecmp(tag, "ac-discovery") && pg->d->n_images - pg->first < DISCOVERY_URLS_MAX)
		return take_template(pg, trimmed, e);
	if (!strcasecmp(tag, "ac-discovery-pubkeys") && pg->d->keys.n < DISCOVERY_URLS_MAX)
		return appc_strings_add(&pg->d->keys, trimmed, e);
	return 0;
}

int discovery_page(const char *html, size_t len, const char *name, const struct appc_pairs *labels,
		   struct discovery *d, struct err *e)
{
	struct appc_pairs all = { 0 };
	struct page pg = { .name = name, .labels = &all, .d = d, .first = d->n_images };
	int r = 0;

	for (size_t i = 0; i < labels->n && r == 0; i++)
		r = appc_pairs_set(&all, labels->v[i].name, labels->v[i].value, e);
	if (r == 0 && !appc_pair_find(labels, "version"))
		r = appc_pairs_set(&all, "version", "latest", e);
	if (r == 0)
		r = html_meta(html, len, on_meta, &pg, e);
	appc_pairs_clear(&all);
	return r;
}

/* ---- the way up ---- */

/* no more of it than DISCOVERY_PAGE_MAX */
static int read_page(struct source *in, struct buf *page, struct err *e)
{
	const uint8_t *p;
	size_t len;
	int r;

	while (page->len < DISCOVERY_PAGE_MAX && (r = in->next(in, &p, &len, e)) != 0) {
		if (r < 0)
			return -1;
		buf_add(page, p, len < DISCOVERY_PAGE_MAX - page->len ? len : DISCOVERY_PAGE_MAX - page->len);
	}
	return page->failed ? no_memory(e) : 0;
}

static int fetch_page(const char *scheme, const char *prefix, const struct discovery_opts *o, struct buf *page,
		      struct err *e)
{
	auto_buf struct buf url = { 0 };
	size_t host = strcspn(prefix, "/");

	buf_fmt(&url, "%s://", scheme);
	buf_add(&url, prefix, host);
	if (o->port)
		buf_fmt(&url, ":%u", o->port);
	buf_fmt(&url, "%s?ac-discovery=1", prefix + host);
	if (url.failed)
		return no_memory(e);
	page->len = 0;
	auto_source struct source *in = o->open(o->ctx, url.data, e);
	return !in || read_page(in, page, e) < 0 ? err_wrap(e, "%.200s", url.data) : 0;
}

/* by https, and only where that fails and it is allowed by http */
static int fetch_any(const char *prefix, const struct discovery_opts *o, struct buf *page, struct err *e)
{
	struct err https, http;

	if (fetch_page("https", prefix, o, page, &https) == 0)
		return 0;
	if (!o->http || https.code == ENOMEM) {
		*e = https;
		return -1;
	}
	if (fetch_page("http", prefix, o, page, &http) == 0)
		return 0;
	return err_set(e, http.code, "%.250s; %.250s", https.msg, http.msg);
}

static int failure(struct discovery *d, const char *prefix, const char *why, struct err *e)
{
	struct discovery_failure *v = reallocarray(d->failures, d->n_failures + 1, sizeof(*v));

	if (!v)
		return no_memory(e);
	d->failures = v;
	v[d->n_failures] = (struct discovery_failure){ strdup(prefix), strdup(why) };
	const struct discovery_failure *f = &v[d->n_failures++];
	return f->prefix && f->why ? 0 : no_memory(e);
}

/* takes from @page what @d still lacks */
static void take_found(struct discovery *d, struct discovery *page)
{
	if (!d->n_images) {
		free(d->images);
		d->images = take_ptr(page->images);
		d->n_images = page->n_images;
		page->n_images = 0;
	}
	if (!d->keys.n) {
		appc_strings_clear(&d->keys);
		d->keys = page->keys;
		page->keys = (struct appc_strings){ 0 };
	}
	discovery_free(page);
}

static int ask(const char *prefix, const char *name, const struct appc_pairs *labels, const struct discovery_opts *o,
	       struct discovery *d, struct err *e)
{
	auto_buf struct buf page = { 0 };
	struct discovery found = { 0 };
	struct err why;

	int r = fetch_any(prefix, o, &page, &why);
	if (r < 0 && why.code == ENOMEM) {
		*e = why;
		return -1;
	}
	bool wanted = !d->n_images; /* nobody has to have keys */
	if (r < 0)
		return wanted ? failure(d, prefix, why.msg, e) : 0;
	if (discovery_page(page.data ? page.data : "", page.len, name, labels, &found, e) < 0) {
		discovery_free(&found);
		return -1;
	}
	if (wanted && !found.n_images && failure(d, prefix, "no ac-discovery meta tag that fits", e) < 0) {
		discovery_free(&found);
		return -1;
	}
	take_found(d, &found);
	return 0;
}

static size_t count_parts(const char *name)
{
	size_t n = 1;

	for (; *name; name++)
		n += *name == '/';
	return n;
}

int discovery_find(const char *name, const struct appc_pairs *labels, const struct discovery_opts *o,
		   struct discovery *d, struct err *e)
{
	if (count_parts(name) > DISCOVERY_PARTS_MAX)
		return err_set(e, EINVAL, "the name has more than %u parts, each of which would be asked for",
			       DISCOVERY_PARTS_MAX);
	auto_free char *prefix = strdup(name);
	if (!prefix)
		return no_memory(e);
	while (!d->n_images || !d->keys.n) {
		if (ask(prefix, name, labels, o, d, e) < 0)
			return -1;
		char *slash = strrchr(prefix, '/');
		if (!slash)
			break;
		*slash = 0;
	}
	return d->n_images ? 0 : err_set(e, ENOENT, "discovery failed");
}

void discovery_free(struct discovery *d)
{
	for (size_t i = 0; i < d->n_images; i++) {
		free(d->images[i].aci);
		free(d->images[i].asc);
	}
	for (size_t i = 0; i < d->n_failures; i++) {
		free(d->failures[i].prefix);
		free(d->failures[i].why);
	}
	free(d->images);
	free(d->failures);
	appc_strings_clear(&d->keys);
	*d = (struct discovery){ 0 };
}
