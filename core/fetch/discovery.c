/* SPDX-License-Identifier: Apache-2.0
 * discovery - see discovery.h
 */
#include "core/fetch/discovery.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/fetch/html_meta.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* ---- templates ---- */

/* what may stand in a path or in front of one, and does not begin a query or a fragment */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~/:@!$&'()*+,;=", c));
}

static void add_value(struct buf *out, const char *s)
{
	for (; *s; s++)
		if (is_plain(*s))
			buf_add(out, s, 1);
		else
			buf_fmt(out, "%%%02X", (unsigned)(uint8_t)*s);
}

/* the index of the label called @s, or SIZE_MAX */
static size_t find_label(const struct appc_pairs *labels, const char *s, size_t len)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strlen(labels->v[i].name) == len && !memcmp(labels->v[i].name, s, len))
			return i;
	return SIZE_MAX;
}

static bool is_var(const char *s, size_t len, const char *var)
{
	return strlen(var) == len && !memcmp(s, var, len);
}

/* whether {@s} stands in the template before @here already */
static bool seen_before(const char *tmpl, const char *here, size_t len)
{
	for (const char *p = tmpl; (p = strchr(p, '{')) && p + 1 < here; p++)
		if (!strncmp(p + 1, here, len + 1)) /* with the "}" */
			return true;
	return false;
}

bool discovery_render(const char *tmpl, const char *name, const struct appc_pairs *labels, const char *ext,
		      struct buf *out, size_t *n_labels)
{
	bool has_ext = false;

	*n_labels = 0;
	for (const char *p = tmpl; *p;) {
		size_t n = strcspn(p, "{}");
		buf_add(out, p, n);
		p += n;
		if (!*p)
			break;
		const char *close = *p == '{' ? strchr(p, '}') : NULL;
		if (!close)
			return false;
		const char *var = p + 1;
		size_t len = (size_t)(close - var), label = find_label(labels, var, len);
		if (is_var(var, len, "name")) {
			add_value(out, name);
		} else if (is_var(var, len, "ext")) {
			buf_str(out, ext);
			has_ext = true;
		} else if (label != SIZE_MAX) {
			add_value(out, labels->v[label].value);
			*n_labels += !seen_before(tmpl, var, len);
		} else {
			return false;
		}
		p = close + 1;
	}
	return has_ext && !out->failed;
}

/* ---- a page ---- */

struct page {
	const char              *name;
	const struct appc_pairs *labels;
	struct discovery        *d;
	size_t                   best;  /* labels in those that were kept */
	size_t                   first; /* of this page's images */
	bool                     keys;  /* those are wanted as well */
};

static int add_image(struct page *pg, struct buf *aci, struct buf *asc, struct err *e)
{
	struct discovery *d = pg->d;
	struct discovery_image *v = reallocarray(d->images, d->n_images + 1, sizeof(*v));

	if (!v)
		return no_memory(e);
	d->images = v;
	v[d->n_images].aci = take_ptr(aci->data);
	v[d->n_images++].asc = take_ptr(asc->data);
	return 0;
}

static void drop_images(struct page *pg)
{
	while (pg->d->n_images > pg->first) {
		struct discovery_image *i = &pg->d->images[--pg->d->n_images];
		free(i->aci);
		free(i->asc);
	}
}

/* Only the templates with most labels in them count. */
static int take_template(struct page *pg, const char *tmpl, struct err *e)
{
	auto_buf struct buf aci = { 0 };
	auto_buf struct buf asc = { 0 };
	size_t n, same;

	bool fits = discovery_render(tmpl, pg->name, pg->labels, "aci", &aci, &n) &&
		    discovery_render(tmpl, pg->name, pg->labels, "aci.asc", &asc, &same);
	if (aci.failed || asc.failed)
		return no_memory(e);
	if (!fits || n < pg->best)
		return 0;
	if (n > pg->best)
		drop_images(pg);
	pg->best = n;
	return add_image(pg, &aci, &asc, e);
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
	if (!strcmp(tag, "ac-discovery"))
		return take_template(pg, trimmed, e);
	if (pg->keys && !strcmp(tag, "ac-discovery-pubkeys"))
		return appc_strings_add(&pg->d->keys, trimmed, e);
	return 0;
}

static int as_latest(const struct appc_pairs *labels, struct appc_pairs *out, struct err *e)
{
	for (size_t i = 0; i < labels->n; i++)
		if (appc_pairs_set(out, labels->v[i].name, labels->v[i].value, e) < 0)
			return -1;
	return appc_pairs_set(out, "version", "latest", e);
}

int discovery_page(const char *html, size_t len, const char *name, const struct appc_pairs *labels,
		   struct discovery *d, struct err *e)
{
	struct page pg = { .name = name, .labels = labels, .d = d, .first = d->n_images, .keys = true };
	struct appc_pairs latest = { 0 };

	int r = html_meta(html, len, on_meta, &pg, e);
	if (r == 0 && d->n_images == pg.first && !appc_pair_find(labels, "version")) {
		pg.labels = &latest;
		pg.keys = false;
		r = as_latest(labels, &latest, e) < 0 ? -1 : html_meta(html, len, on_meta, &pg, e);
	}
	appc_pairs_clear(&latest);
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
	auto_source struct source *in = o->open(o->ctx, url.data, e);
	if (!in)
		return -1;
	page->len = 0;
	return read_page(in, page, e);
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

	int r = fetch_page("https", prefix, o, &page, &why);
	if (r < 0 && o->http && why.code != ENOMEM)
		r = fetch_page("http", prefix, o, &page, &why);
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

int discovery_find(const char *name, const struct appc_pairs *labels, const struct discovery_opts *o,
		   struct discovery *d, struct err *e)
{
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
