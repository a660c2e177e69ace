/* SPDX-License-Identifier: Apache-2.0
 * discovery: pages of all kinds, templates, and the way up from a name to its host
 */
#include <errno.h>
#include <stdio.h>

#include "core/appc/image_name.h"
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

TEST(broken, "discovery: markup that is broken in one way or another")
{
	CHECK_STR(TAGS("<meta name=a content=b <meta name=c content=d>"), "a=b;");
	CHECK_STR(TAGS("<head><head></html><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<meta name=\"a\"content=\"b\">"), "a=b;");
	CHECK_STR(TAGS("<meta name=a = content=b>"), "a=b;");
	CHECK_STR(TAGS("<meta \"x\" name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<meta name=a content=>"), "a=;");
	CHECK_STR(TAGS("<p a='<meta name=a content=b>"), "");
	CHECK_STR(TAGS("</><meta name=a content=b></ ><meta name=c content=d>"), "a=b;c=d;");
	CHECK_STR(TAGS("<noscript><meta name=a content=b></noscript>"), "a=b;");
	CHECK_STR(TAGS("<<meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<meta content=\"b\r\nc\" name=a\f>"), "a=b\r\nc;");
	CHECK_STR(TAGS("<meta NAME=a Name=x CONTENT=b content=y>"), "a=b;");
}

TEST(finds_no_others, "discovery: what only looks like one")
{
	CHECK_STR(TAGS("<!-- <meta name=a content=b> -->"), "");
	CHECK_STR(TAGS("<!-- > <meta name=a content=b>"), "");
	CHECK_STR(TAGS("<!--><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<!---><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<!-- --><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<!-- ---><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<!-- --!><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<!-- -- ><meta name=a content=b>"), "");
	CHECK_STR(TAGS("<![CDATA[ ><meta name=a content=b>]]>"), "a=b;");
	CHECK_STR(TAGS("<script><!-- <script></script><meta name=a content=b></script><meta name=c content=d>"), "c=d;");
	CHECK_STR(TAGS("<script><!-- </script><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<script><!-- <script> --></script><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<script><!--><script></script><meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("<style><!-- <style></style><meta name=a content=b>"), "a=b;");
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
	CHECK_STR(TAGS("<meta name=a content='?a=1&b=2&amp=3&ampx&nonsense;&;&#;&#x;&#xg;'>"),
		  "a=?a=1&b=2&amp=3&ampx&nonsense;&;&#;&#x;&#xg;;");
	/* some need no semicolon */
	CHECK_STR(TAGS("<meta name=a content='&#65 &#x42g&#67'><meta name=a content='&lt-&amp'><meta name=a content='&apos &sol'>"),
		  "a=A BgC;a=<-&;a=&apos &sol;");
	/* what URLs and templates are made of */
	CHECK_STR(TAGS("<meta name=a content='s&colon;&sol;&sol;h&lcub;x&rcub;&lbrace;y&rbrace;&quest;&equals;&num;&percnt;&comma;&period;&plus;&lowbar;'>"),
		  "a=s://h{x}{y}?=#%,.+_;");
	CHECK_STR(TAGS("<meta name=a content='&#0;&#xd800;&#x110000;&#99999999999;'>"),
		  "a=\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd;");
	CHECK_STR(TAGS("<meta name=a content='&#233;&#x20ac;&#x1f600;'>"), "a=\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80;");
	CHECK_STR(TAGS("<meta name=a content='b\0c'>"), "a=b\xef\xbf\xbd" "c;");
	/* not twice */
	CHECK_STR(TAGS("<meta name=a content='&amp;lt;'>"), "a=&lt;;");
}

TEST(encodings, "discovery: byte order marks, UTF-16, NULs and bytes that are not UTF-8")
{
	CHECK_STR(TAGS("\xef\xbb\xbf<meta name=a content=b>"), "a=b;");
	CHECK_STR(TAGS("\xff\xfe<\0m\0e\0t\0a\0 \0n\0a\0m\0e\0=\0a\0 \0c\0o\0n\0t\0e\0n\0t\0=\0\x3d\xd8\0\xde>\0!"),
		  "a=\xf0\x9f\x98\x80;");
	CHECK_STR(TAGS("\xfe\xff\0<\0m\0e\0t\0a\0 \0n\0a\0m\0e\0=\0a\0 \0c\0o\0n\0t\0e\0n\0t\0=\xd8\x3d\0>"),
		  "a=\xef\xbf\xbd;");
	CHECK_STR(TAGS("\xff\xfe"), "");
	CHECK_STR(TAGS("\xff"), "");
	CHECK_STR(TAGS("<meta name=a content=\xe9>"), "a=\xe9;");
	CHECK_STR(TAGS("<meta name=a content\0=x content=b>"), "a=b;");
	CHECK_STR(TAGS("<me\0ta name=a content=b><meta\0 name=a content=b>"), "");
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
	CHECK_STR(render("https://s/{{name}}.{ext}", "1", &n), "(none)");
	/* a value is a value: neither a template nor another part of the URL */
	CHECK_STR(render("https://s/{version}.{ext}", "{os}", &n), "https://s/%7Bos%7D.aci");
	CHECK_STR(render("https://s/{version}.{ext}", "1 ?x#y%\n\xe9", &n), "https://s/1%20%3Fx%23y%25%0A%E9.aci");
	CHECK_STR(render("https://s/{version}.{ext}", "1.0+b/c~d", &n), "https://s/1.0+b/c~d.aci");
}

/* RFC 6570, 3.2; names have slashes */
TEST(operators, "discovery: templates with the operators of RFC 6570")
{
	static const struct { const char *tmpl, *url; } cases[] = {
		{ "x://{+name}.{ext}", "x://example.com/app.aci" },
		{ "x://{#name,ext}", "x://#example.com/app,aci" },
		{ "x://s{.os,ext}", "x://s.linux.aci" },
		{ "x://s{/name,ext}", "x://s/example.com%2Fapp/aci" },
		{ "x://s{;os,version}.{ext}", "x://s;os=linux;version=1%20%3F.aci" },
		{ "x://s{?name,ext}", "x://s?name=example.com%2Fapp&ext=aci" },
		{ "x://s?a=b{&os,ext}", "x://s?a=b&os=linux&ext=aci" },
		{ "x://s/{os,arch,ext}", "x://s/linux,amd64,aci" },
		{ "x://s/{os:3}{arch:99}{/arch:1*}.{ext}", "(none)" },
		{ "x://s/{os:3}{arch:9999}{/arch:1}{os*}.{ext}", "x://s/linamd64/alinux.aci" },
		{ "x://s/{+version}.{ext}", "x://s/1%20?.aci" },
		{ "x://s/{version}.{ext}", "x://s/1%20%3F.aci" },
		{ "x://s/%7b%2F%z\xe9<.{ext}", "x://s/%7b%2F%25z%E9%3C.aci" },
		/* what the RFC keeps for later, what is none, and what has no value */
		{ "x://s/{=os}.{ext}", "(none)" }, { "x://s/{!os}.{ext}", "(none)" }, { "x://s/{|os}.{ext}", "(none)" },
		{ "x://s/{os:0}.{ext}", "(none)" }, { "x://s/{os:}.{ext}", "(none)" }, { "x://s/{os:12345}.{ext}", "(none)" },
		{ "x://s/{os:-1}.{ext}", "(none)" }, { "x://s/{os**}.{ext}", "(none)" }, { "x://s/{os,}.{ext}", "(none)" },
		{ "x://s/{,os}.{ext}", "(none)" }, { "x://s/{+}.{ext}", "(none)" }, { "x://s/{?os,nope}.{ext}", "(none)" },
	};
	size_t n;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK_STR(render(cases[i].tmpl, "1 ?", &n), cases[i].url);
	CHECK_STR(render("x://s/{version:2}.{ext}", "\xe2\x82\xac\xc3\xa9x", &n), "x://s/%E2%82%AC%C3%A9.aci");
	CHECK_STR(render("x://s/{;version}{?version,ext}", "", &n), "x://s/;version?version=&ext=aci");
	CHECK_INT(n, 1);
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

#define STORED(host, rest) \
	"https://" host ".com/linux/amd64/example.com/reduce-worker-" rest ".aci " \
	"https://" host ".com/linux/amd64/example.com/reduce-worker-" rest ".aci.asc;"

TEST(best_first, "discovery: of the templates those with most labels come first")
{
	CHECK_STR(page(spec, "1.0.0"),
		  STORED("storage.example", "1.0.0") STORED("mirror.storage.example", "1.0.0")
		  STORED("storage.example", "latest") "key https://example.com/pubkeys.gpg;");
	/* without a version it is the latest, and what comes out twice counts once */
	CHECK_STR(page(spec, NULL),
		  STORED("storage.example", "latest") STORED("mirror.storage.example", "latest")
		  "key https://example.com/pubkeys.gpg;");
	CHECK_STR(page(META("ac-discovery", "example.com https://s/x.{ext}") META("ac-discovery", "example.com https://s/{os}.{ext}")
		       META("ac-discovery", "example.com https://s/y.{ext}") META("ac-discovery", "example.com https://s/{arch}.{ext}"), "1"),
		  "https://s/linux.aci https://s/linux.aci.asc;https://s/amd64.aci https://s/amd64.aci.asc;"
		  "https://s/x.aci https://s/x.aci.asc;https://s/y.aci https://s/y.aci.asc;");
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
	/* names of meta tags are the same in any case */
	CHECK_STR(page(META("AC-Discovery", "example.com https://s/x.{ext}"), "1"), "https://s/x.aci https://s/x.aci.asc;");
	CHECK_STR(page(META("ac-discovery-pubkeys", "example.com https://k x"), "1"), "");
	CHECK_STR(page(META("ac-else", "example.com https://s/x.{ext}"), "1"), "");
}

TEST(many, "discovery: a page with very many tags, or very long URLs")
{
	struct appc_pairs l = some_labels("1");
	struct discovery d = { 0 };
	struct buf b = { 0 };
	struct err e;

	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, META("ac-discovery", "a.b https://s/%d.{ext}") META("ac-discovery-pubkeys", "a.b https://k/%d"), i, i);
	CHECK(discovery_page(b.data, b.len, "a.b/c", &l, &d, &e) == 0);
	CHECK_INT(d.n_images, DISCOVERY_URLS_MAX);
	CHECK_INT(d.keys.n, DISCOVERY_URLS_MAX);
	CHECK_STR(d.images[63].aci, "https://s/63.aci");
	discovery_free(&d);
	b.len = 0;
	buf_str(&b, "<meta name=ac-discovery content='a.b https://s/{name");
	for (int i = 0; i < 2000; i++)
		buf_str(&b, ",name");
	buf_str(&b, "}.{ext}'><meta name=ac-discovery content='a.b https://s/{ext}'>");
	CHECK(discovery_page(b.data, b.len, "a.b/c", &l, &d, &e) == 0);
	REQUIRE(d.n_images == 1);
	CHECK_STR(d.images[0].aci, "https://s/aci");
	discovery_free(&d);
	buf_free(&b);
	appc_pairs_clear(&l);
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
	CHECK_STR(d.failures[0].why, "https://example.com/a/b?ac-discovery=1: bad HTTP status code: 404");
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
	/* both are named */
	CHECK_INT(search(&w, "example.com/b", 81, true, &d), -1);
	REQUIRE(d.n_failures == 2);
	CHECK_STR(d.failures[0].why, "https://example.com:81/b?ac-discovery=1: bad HTTP status code: 404; "
				     "http://example.com:81/b?ac-discovery=1: bad HTTP status code: 404");
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

/* names are in images' lists of dependencies, too */
TEST(deep, "discovery: a name with very many parts is not asked for")
{
	static char name[2 * DISCOVERY_PARTS_MAX + 2];
	struct web w = { .url = { NULL } };
	struct image_manifest m = { 0 };
	struct discovery d = { 0 };
	struct err e;

	for (size_t i = 0; i < DISCOVERY_PARTS_MAX; i++)
		memcpy(name + 2 * i, "a/", 2);
	name[2 * DISCOVERY_PARTS_MAX - 1] = 0;
	CHECK_INT(search(&w, name, 0, false, &d), -1);
	CHECK_INT(d.n_failures, DISCOVERY_PARTS_MAX);
	discovery_free(&d);
	name[2 * DISCOVERY_PARTS_MAX - 1] = '/';
	name[2 * DISCOVERY_PARTS_MAX] = 'a';
	const struct discovery_opts o = { .ctx = &w, .open = open_page };
	buf_free(&w.asked);
	CHECK(discovery_find(name, &m.labels, &o, &d, &e) < 0);
	CHECK_INT(e.code, EINVAL);
	CHECK(!w.asked.len);
	discovery_free(&d);
}

/* ---- is it the one that was asked for? ---- */

static const char *match(const char *asked, const char *name, const char *labels)
{
	static struct err e;
	struct image_name n = { 0 };
	struct image_manifest m = { .name = (char *)(uintptr_t)name };
	char copy[200];

	snprintf(copy, sizeof(copy), "x,%s", labels);
	CHECK(!*labels || image_name_parse(copy, &m.labels, &e) == 0);
	CHECK(image_name_read(asked, &n, &e) == 0);
	int r = image_name_match(&n, &m, &e);
	CHECK(r == 0 || e.code == ENOENT);
	image_name_free(&n);
	appc_pairs_clear(&m.labels);
	return r == 0 ? "" : e.msg;
}

TEST(matches, "discovery: an image is compared with what was asked for")
{
	CHECK_STR(match("a.b/c", "a.b/c", ""), "");
	CHECK_STR(match("a.b/c", "a.b/c", "version=7,x=y,os=linux"), "");
	CHECK_STR(match("a.b/c:7,x=y", "a.b/c", "version=7,x=y,z=z"), "");
	CHECK_STR(match("a.b/c:", "a.b/c", "version=7"), "");
	CHECK_STR(match("a.b/c", "a.b/d", ""), "the image is a.b/d, not a.b/c");
	CHECK_STR(match("a.b/c:7", "a.b/c", "version=8"), "label version: want \"7\", the image has \"8\"");
	CHECK_STR(match("a.b/c:7", "a.b/c", ""), "label version: want \"7\", the image has none");
	CHECK_STR(match("a.b/c,x=", "a.b/c", "x=y"), "label x: want \"\", the image has \"y\"");
	CHECK_STR(match("a.b/c,os=freebsd", "a.b/c", "os=linux"), "label os: want \"freebsd\", the image has \"linux\"");
	CHECK_STR(match("a.b/c,arch=x", "a.b/c", "arch=x"), "");
	CHECK_STR(match("a.b/c", "a.b/c", "os=plan9"), "label os: want \"linux\" (this machine's), the image has \"plan9\"");
}

UNIT_MAIN(finds_tags, broken, finds_no_others, resolves_references, encodings, renders, operators, best_first, prefixes,
	  malformed, many, walks, gives_up, ports, long_pages, deep, matches)
