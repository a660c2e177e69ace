/* SPDX-License-Identifier: Apache-2.0
 * discovery: pages of all kinds, templates, and the way up from a name to its host
 */
#include <errno.h>
#include <stdio.h>

#include "core/fetch/discovery.h"
#include "core/fetch/html_meta.h"
#include "testsuite/unit/unit.h"

/* ---- pages ---- */

static int list_tag(void *ctx, const char *name, const char *content, struct err *e)
{
	(void)e;
	buf_fmt(ctx, "%s=%s;", name, content);
	return 0;
}

static const char *tags(const char *html, size_t len)
{
	static struct buf b;
	struct err e;

	buf_free(&b);
	buf_str(&b, "");
	CHECK(html_meta(html, len, list_tag, &b, &e) == 0);
	return b.data;
}
#define TAGS(html) tags(html, sizeof(html) - 1)

TEST(finds_tags, "discovery: meta tags, however they are written")
{
	CHECK_STR(TAGS("<meta name=\"a\" content=\"b\">"), "a=b;");
	CHECK_STR(TAGS("<!DOCTYPE html><html><head><META NAME='a' CONTENT='b c'/></head>"), "a=b c;");
	CHECK_STR(TAGS("<meta content=b name=a>"), "a=b;");
	CHECK_STR(TAGS("<meta\n\tname = a\n content = 'b>c'\n>"), "a=b>c;");
	CHECK_STR(TAGS("<meta name=a content=b/>"), "a=b/;");
	CHECK_STR(TAGS("<meta/name='a'/content=b>"), "a=b;");
	CHECK_STR(TAGS("<meta name=a content=b name=c content=d>"), "a=b;");
	CHECK_STR(TAGS("<meta name=a content=b><meta name=c content=d>"), "a=b;c=d;");
	CHECK_STR(TAGS("<body><p>1 < 2 <b>x</b><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<meta name=a content>"), "a=;");
	CHECK_STR(TAGS("<meta name=\"\" content=\"\">"), "=;");
}

TEST(finds_no_others, "discovery: what only looks like one")
{
	CHECK_STR(TAGS("<!-- <meta name=a content=b> -->"), "");
	CHECK_STR(TAGS("<!-- > <meta name=a content=b>"), "");
	CHECK_STR(TAGS("<!--><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<!---><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<!-- --><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<script>'<meta name=a content=b>'</script><meta name=c content=d>"), "c=d;");
	CHECK_STR(TAGS("<script>x</scripts><meta name=a content=b></SCRIPT ><meta name=c content=d>"), "c=d;");
	CHECK_STR(TAGS("<title><meta name=a content=b></title>"), "");
	CHECK_STR(TAGS("<textarea></p><meta name=a content=b>"), "");
	CHECK_STR(TAGS("<plaintext></plaintext><meta name=a content=b>"), "");
	CHECK_STR(TAGS("<p title='<meta name=a content=b>'>"), "");
	CHECK_STR(TAGS("</meta name=a content=b>"), "");
	CHECK_STR(TAGS("<metadata name=a content=b>"), "");
	CHECK_STR(TAGS("< meta name=a content=b>"), "");
	CHECK_STR(TAGS("<?php <meta name=a content=b>"), "");
	CHECK_STR(TAGS("<meta name=a>"), "");
	CHECK_STR(TAGS("<meta content=a>"), "");
	CHECK_STR(TAGS("<meta name=a content=b"), "");
	CHECK_STR(TAGS("<meta name=a content='b>"), "");
	CHECK_STR(TAGS("<"), "");
	CHECK_STR(TAGS("</"), "");
	CHECK_STR(TAGS("<!--"), "");
	CHECK_STR(TAGS(""), "");
}

TEST(resolves_references, "discovery: character references")
{
	CHECK_STR(TAGS("<meta name=a content='&amp;&lt;&gt;&quot;&apos;&#65;&#x42;&#X43;'>"), "a=&<>\"'ABC;");
	CHECK_STR(TAGS("<meta name=a content='?a=1&b=2&amp=3&nonsense;&;&#;&#x;&#12x;'>"),
		  "a=?a=1&b=2&amp=3&nonsense;&;&#;&#x;&#12x;;");
	CHECK_STR(TAGS("<meta name=a content='&#0;&#xd800;&#x110000;&#99999999999;'>"),
		  "a=\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd;");
	CHECK_STR(TAGS("<meta name=a content='&#233;&#x20ac;&#x1f600;'>"), "a=\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80;");
	CHECK_STR(TAGS("<meta name=a content='b\0c'>"), "a=b\xef\xbf\xbd" "c;");
	/* not twice */
	CHECK_STR(TAGS("<meta name=a content='&amp;lt;'>"), "a=&lt;;");
}

/* ---- templates ---- */

static struct appc_pairs some_labels(const char *version)
{
	struct appc_pairs l = { 0 };
	struct err e;

	CHECK(appc_pairs_set(&l, "os", "linux", &e) == 0 && appc_pairs_set(&l, "arch", "amd64", &e) == 0);
	if (version)
		CHECK(appc_pairs_set(&l, "version", version, &e) == 0);
	return l;
}

static const char *render(const char *tmpl, const char *version, size_t *n)
{
	static struct buf b;
	struct appc_pairs l = some_labels(version);

	buf_free(&b);
	bool good = discovery_render(tmpl, "example.com/app", &l, "aci", &b, n);
	appc_pairs_clear(&l);
	return good ? b.data : "(none)";
}

TEST(renders, "discovery: templates become URLs, or nothing")
{
	size_t n;

	CHECK_STR(render("https://s/{os}/{arch}/{name}-{version}.{ext}", "1.0.0", &n),
		  "https://s/linux/amd64/example.com/app-1.0.0.aci");
	CHECK_INT(n, 3);
	CHECK_STR(render("https://s/{os}/{os}/x.{ext}", "1", &n), "https://s/linux/linux/x.aci");
	CHECK_INT(n, 1);
	CHECK_STR(render("https://s/{name}-{version}.{ext}", NULL, &n), "(none)");
	CHECK_STR(render("https://s/{name}-{channel}.{ext}", "1", &n), "(none)");
	CHECK_STR(render("https://s/{name}.aci", "1", &n), "(none)");
	CHECK_STR(render("https://s/{name.{ext}", "1", &n), "(none)");
	CHECK_STR(render("https://s/name}.{ext}", "1", &n), "(none)");
	CHECK_STR(render("https://s/{}.{ext}", "1", &n), "(none)");
	/* a value is a value: neither a template nor another part of the URL */
	CHECK_STR(render("https://s/{version}.{ext}", "{os}", &n), "https://s/%7Bos%7D.aci");
	CHECK_STR(render("https://s/{version}.{ext}", "1 ?x#y%\n\xe9", &n), "https://s/1%20%3Fx%23y%25%0A%E9.aci");
	CHECK_STR(render("https://s/{version}.{ext}", "1.0+b/c~d", &n), "https://s/1.0+b/c~d.aci");
}

static const char *page(const char *html, const char *version)
{
	static struct buf b;
	struct appc_pairs l = some_labels(version);
	struct discovery d = { 0 };
	struct err e;

	buf_free(&b);
	buf_str(&b, "");
	CHECK(discovery_page(html, strlen(html), "example.com/reduce-worker", &l, &d, &e) == 0);
	for (size_t i = 0; i < d.n_images; i++)
		buf_fmt(&b, "%s %s;", d.images[i].aci, d.images[i].asc);
	for (size_t i = 0; i < d.keys.n; i++)
		buf_fmt(&b, "key %s;", d.keys.v[i]);
	discovery_free(&d);
	appc_pairs_clear(&l);
	return b.data;
}

#define META(name, content) "<meta name=\"" name "\" content=\"" content "\">"

/* the example of the specification */
static const char spec[] =
	META("ac-discovery", "example.com https://storage.example.com/{os}/{arch}/{name}-{version}.{ext}")
	META("ac-discovery", "example.com https://mirror.storage.example.com/{os}/{arch}/{name}-{version}.{ext}")
	META("ac-discovery", "example.com https://storage.example.com/{os}/{arch}/{name}-latest.{ext}")
	META("ac-discovery-pubkeys", "example.com https://example.com/pubkeys.gpg");

TEST(best_match, "discovery: of the templates those with most labels count")
{
	CHECK_STR(page(spec, "1.0.0"),
		  "https://storage.example.com/linux/amd64/example.com/reduce-worker-1.0.0.aci "
		  "https://storage.example.com/linux/amd64/example.com/reduce-worker-1.0.0.aci.asc;"
		  "https://mirror.storage.example.com/linux/amd64/example.com/reduce-worker-1.0.0.aci "
		  "https://mirror.storage.example.com/linux/amd64/example.com/reduce-worker-1.0.0.aci.asc;"
		  "key https://example.com/pubkeys.gpg;");
	CHECK_STR(page(spec, NULL),
		  "https://storage.example.com/linux/amd64/example.com/reduce-worker-latest.aci "
		  "https://storage.example.com/linux/amd64/example.com/reduce-worker-latest.aci.asc;"
		  "key https://example.com/pubkeys.gpg;");
	/* the best may come last */
	CHECK_STR(page(META("ac-discovery", "example.com https://s/x.{ext}") META("ac-discovery", "example.com https://s/{os}.{ext}"), "1"),
		  "https://s/linux.aci https://s/linux.aci.asc;");
	/* where nothing does without a version, it is the latest */
	CHECK_STR(page(META("ac-discovery", "example.com https://s/{name}-{version}.{ext}")
		       META("ac-discovery-pubkeys", "example.com https://k"), NULL),
		  "https://s/example.com/reduce-worker-latest.aci https://s/example.com/reduce-worker-latest.aci.asc;"
		  "key https://k;");
}

TEST(prefixes, "discovery: a tag is for names that begin with its prefix")
{
	CHECK_STR(page(META("ac-discovery", "example.com/reduce https://s/x.{ext}"), "1"), "https://s/x.aci https://s/x.aci.asc;");
	CHECK_STR(page(META("ac-discovery", "example.org https://s/x.{ext}"), "1"), "");
	CHECK_STR(page(META("ac-discovery", "example.com/reduce-worker/more https://s/x.{ext}"), "1"), "");
	CHECK_STR(page(META("ac-discovery", "  example.com \t https://s/x.{ext}  "), "1"), "https://s/x.aci https://s/x.aci.asc;");
	CHECK_STR(page(META("ac-discovery", "example.com hdfs://s/x.{ext}"), "1"), "hdfs://s/x.aci hdfs://s/x.aci.asc;");
}

TEST(malformed, "discovery: tags that are no good are passed over")
{
	CHECK_STR(page(META("ac-discovery", "example.com"), "1"), "");
	CHECK_STR(page(META("ac-discovery", ""), "1"), "");
	CHECK_STR(page(META("ac-discovery", "example.com s/x.{ext}"), "1"), "");
	CHECK_STR(page(META("ac-discovery", "example.com https://s/x.{ext} https://t/x.{ext}"), "1"), "");
	CHECK_STR(page(META("ac-discovery", "example.com https://s/&#7;.{ext}"), "1"), "");
	CHECK_STR(page(META("ac-discovery", "example.com https://s/{ext"), "1"), "");
	CHECK_STR(page(META("AC-Discovery", "example.com https://s/x.{ext}"), "1"), "");
	CHECK_STR(page(META("ac-discovery-pubkeys", "example.com https://k x"), "1"), "");
	CHECK_STR(page(META("ac-else", "example.com https://s/x.{ext}"), "1"), "");
}

/* ---- the way up ---- */

/* pages by URL; what is not here is not found */
struct web { const char *url[4], *html[4]; struct buf asked; };

struct text { struct source s; const char *html; };

static int text_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct text *t = (struct text *)s;

	(void)e;
	*p = (const uint8_t *)t->html;
	*len = t->html ? strlen(t->html) : 0;
	t->html = NULL;
	return *len > 0;
}

static void text_close(struct source *s)
{
	free(s);
}

static struct source *open_page(void *ctx, const char *url, struct err *e)
{
	struct web *w = ctx;

	buf_fmt(&w->asked, "%s;", url);
	for (size_t i = 0; i < 4; i++)
		if (w->url[i] && !strcmp(url, w->url[i])) {
			struct text *t = calloc(1, sizeof(*t));
			t->s = (struct source){ .next = text_next, .close = text_close };
			t->html = w->html[i];
			return &t->s;
		}
	err_set(e, EIO, "bad HTTP status code: 404");
	return NULL;
}

static int search(struct web *w, const char *name, unsigned port, bool http, struct discovery *d)
{
	const struct discovery_opts o = { .port = port, .http = http, .ctx = w, .open = open_page };
	struct appc_pairs l = some_labels("1");
	struct err e = { 0 };

	*d = (struct discovery){ 0 };
	buf_free(&w->asked);
	int r = discovery_find(name, &l, &o, d, &e);
	if (r < 0)
		CHECK_STR(e.msg, "discovery failed");
	appc_pairs_clear(&l);
	return r;
}

TEST(walks, "discovery: asks the name, its parent, and so on up to the host")
{
	struct web w = { .url = { "https://example.com/a?ac-discovery=1", "https://example.com?ac-discovery=1" },
			 .html = { META("ac-discovery", "example.com https://s/{name}.{ext}"),
				   META("ac-discovery-pubkeys", "example.com https://k") META("ac-discovery", "example.com https://no/{ext}") } };
	struct discovery d;

	CHECK_INT(search(&w, "example.com/a/b", 0, false, &d), 0);
	CHECK_STR(w.asked.data, "https://example.com/a/b?ac-discovery=1;https://example.com/a?ac-discovery=1;"
				"https://example.com?ac-discovery=1;");
	REQUIRE(d.n_images == 1 && d.keys.n == 1 && d.n_failures == 1);
	CHECK_STR(d.images[0].aci, "https://s/example.com/a/b.aci");
	CHECK_STR(d.keys.v[0], "https://k");
	CHECK_STR(d.failures[0].prefix, "example.com/a/b");
	CHECK_STR(d.failures[0].why, "bad HTTP status code: 404");
	discovery_free(&d);
	buf_free(&w.asked);
}

TEST(gives_up, "discovery: says of each page why it was no help")
{
	struct web w = { .url = { "https://example.com?ac-discovery=1" }, .html = { "<p>nothing" } };
	struct discovery d;

	CHECK_INT(search(&w, "example.com/a", 0, false, &d), -1);
	REQUIRE(d.n_failures == 2);
	CHECK_STR(d.failures[1].prefix, "example.com");
	CHECK_STR(d.failures[1].why, "no ac-discovery meta tag that fits");
	discovery_free(&d);
	buf_free(&w.asked);
}

TEST(ports, "discovery: another port, and http where that is allowed")
{
	struct web w = { .url = { "http://example.com:81/a?ac-discovery=1" },
			 .html = { META("ac-discovery", "example.com https://s/{ext}") META("ac-discovery-pubkeys", "example.com https://k") } };
	struct discovery d;

	CHECK_INT(search(&w, "example.com/a", 81, false, &d), -1);
	discovery_free(&d);
	CHECK_INT(search(&w, "example.com/a", 81, true, &d), 0);
	CHECK_STR(w.asked.data, "https://example.com:81/a?ac-discovery=1;http://example.com:81/a?ac-discovery=1;");
	discovery_free(&d);
	buf_free(&w.asked);
}

TEST(long_pages, "discovery: no more than a MiB of a page is looked at")
{
	static char html[DISCOVERY_PAGE_MAX + 200];
	struct web w = { .url = { "https://example.com?ac-discovery=1" }, .html = { html } };
	const char tag[] = META("ac-discovery", "example.com https://s/{ext}") META("ac-discovery-pubkeys", "example.com https://k");
	struct discovery d;

	memset(html, ' ', sizeof(html) - 1);
	memcpy(html + DISCOVERY_PAGE_MAX - sizeof(tag), tag, sizeof(tag) - 1);
	CHECK_INT(search(&w, "example.com", 0, false, &d), 0);
	discovery_free(&d);
	memset(html, ' ', sizeof(html) - 1);
	memcpy(html + DISCOVERY_PAGE_MAX - 20, tag, sizeof(tag) - 1);
	CHECK_INT(search(&w, "example.com", 0, false, &d), -1);
	discovery_free(&d);
	buf_free(&w.asked);
}

UNIT_MAIN(finds_tags, finds_no_others, resolves_references, renders, best_match, prefixes, malformed, walks, gives_up, ports, long_pages)
