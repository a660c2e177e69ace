/* SPDX-License-Identifier: Apache-2.0
 * publish_page - the index, and the keys that it names
 *
 * The index has what clients need and what people want to know. It is made anew each time; what it has for other names
 * is kept, and one that is somebody else's is never touched.
 */
#include <errno.h>
#include <string.h>

#include "applets/actool/publish.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/fetch/html_meta.h"
#include "core/trust/armor.h"

#define INDEX_MAX (1u << 20)
#define KEYS_MAX  64u

/* how we know it again */
static const char mark[] = "<!-- made by actool publish, which will make it anew -->";

/* ---- the index ---- */

static void add_html(struct buf *b, const char *s)
{
	for (; *s; s++)
		if (strchr("&<>\"", *s))
			buf_fmt(b, "&#%d;", *s);
		else
			buf_add(b, s, 1);
}

static void add_tag(struct buf *b, const char *name, const char *prefix, const char *url)
{
	buf_fmt(b, "<meta name=\"%s\" content=\"", name);
	add_html(b, prefix);
	buf_str(b, *url ? " " : "");
	add_html(b, url);
	buf_str(b, "\">\n");
}

/* what people are told of an image */
static void add_name(struct buf *b, const char *name)
{
	buf_str(b, "<pre>rkt fetch ");
	add_html(b, name);
	buf_str(b, "</pre>\n");
}

/* where images of our name are until now, unless we were told */
static void take_base(struct publish *p, const char *url)
{
	size_t n = strlen(url), m = sizeof(PUBLISH_TEMPLATE) - 1;

	if (!p->base && n > m && !strcmp(url + n - m, PUBLISH_TEMPLATE))
		p->base = xasprintf("%.*s", (int)(n - m), url);
}

static int on_tag(void *ctx, const char *name, const char *content, struct err *e)
{
	struct publish *p = ctx;
	size_t n = strcspn(content, " ");
	const char *url = content + n + (content[n] != 0);
	auto_free char *prefix = xasprintf("%.*s", (int)n, content);
	bool images = !strcmp(name, "ac-discovery");

	(void)e;
	if (!strcmp(prefix, p->name)) {
		if (images)
			take_base(p, url);
		return 0;
	}
	add_tag(&p->tags, name, prefix, url);
	if (images)
		add_name(&p->names, prefix);
	return 0;
}

static int read_index(struct publish *p, struct err *e)
{
	auto_free char *text = NULL;
	size_t len;

	if (p->dir_fd < 0 || (fd_read_file(p->dir_fd, "index.html", INDEX_MAX, &text, &len, e) < 0 && e->code == ENOENT))
		return 0;
	if (!text)
		return err_wrap(e, "%s", p->dir);
	if (!memmem(text, len, mark, sizeof(mark) - 1))
		return err_set(e, EEXIST, "%s/index.html is not actool's, and stays as it is: publish into another directory, "
			       "and copy the meta tags of its index.html into this one", p->dir);
	return html_meta(text, len, on_tag, p, e);
}

int publish_index_read(struct publish *p, struct err *e)
{
	if (read_index(p, e) < 0)
		return -1;
	if (!p->base)
		p->base = xasprintf("https://%.*s", (int)strcspn(p->name, "/"), p->name);
	for (size_t n = strlen(p->base); p->base[n - 1] == '/'; n--)
		p->base[n - 1] = 0;
	return 0;
}

static char *key_path(const struct publish *p)
{
	return xasprintf("%s-pubkeys.gpg", p->name);
}

int publish_index(struct publish *p, struct err *e)
{
	auto_free char *tmpl = xasprintf("%s" PUBLISH_TEMPLATE, p->base), *keys = key_path(p);
	auto_buf struct buf b = { 0 };

	buf_fmt(&b, "<!DOCTYPE html>\n%s\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Images</title>\n%s",
		mark, p->tags.data ? p->tags.data : "");
	add_tag(&b, "ac-discovery", p->name, tmpl);
	for (size_t i = 0; i < p->n_files; i++)
		if (!strcmp(p->files[i]->path, keys))
			add_tag(&b, "ac-discovery-pubkeys", p->name, p->files[i]->url);
	add_name(&p->names, p->name);
	buf_fmt(&b, "</head>\n<body>\n<p>App Container Images:\n%s</body>\n</html>\n", p->names.data ? p->names.data : "");
	if (b.failed || p->tags.failed || p->names.failed)
		return err_set(e, ENOMEM, "out of memory");
	return publish_text(p, xstrdup("index.html"), xasprintf("%s/", p->base), &b, e);
}

/* ---- keys ---- */

struct keys {
	struct buf v[KEYS_MAX]; /* a key each, with all that belongs to it */
	size_t     n;
};

/* the body of the first packet, which has to be a public key (RFC 9580, 4.2); false: it is something else */
static bool primary(const struct buf *key, const uint8_t **body, size_t *len)
{
	const uint8_t *p = (const uint8_t *)key->data;
	size_t n = key->len, head = 0;

	if (n < 6)
		return false;
	if (p[0] == 0xc6) {
		head = p[1] < 192 ? 2 : p[1] < 224 ? 3 : p[1] == 255 ? 6 : 0;
		*len = head == 2 ? p[1] : ((size_t)(p[1] - 192) << 8) + p[2] + 192;
	} else if ((p[0] & 0xfc) == 0x98 && p[0] < 0x9b) {
		head = p[0] == 0x98 ? 2 : p[0] == 0x99 ? 3 : 5;
		*len = head == 2 ? p[1] : (size_t)p[1] << 8 | p[2];
	}
	if (head >= 5) {
		const uint8_t *l = p + head - 4;
		*len = (size_t)l[0] << 24 | (size_t)l[1] << 16 | (size_t)l[2] << 8 | l[3];
	}
	*body = p + head;
	return head && *len && *len <= n - head;
}

/* takes @key; the same key, with other user ids perhaps or a later expiry, is replaced */
static int add_key(struct keys *k, struct buf *key, struct err *e)
{
	const uint8_t *a, *b;
	size_t a_len, b_len, i = 0;

	if (!primary(key, &a, &a_len))
		return err_set(e, EINVAL, "is not a public key");
	while (i < k->n && !(primary(&k->v[i], &b, &b_len) && a_len == b_len && !memcmp(a, b, a_len)))
		i++;
	if (i == KEYS_MAX)
		return err_set(e, EINVAL, "more than %u keys", KEYS_MAX);
	k->n += i == k->n;
	buf_free(&k->v[i]);
	k->v[i] = *key;
	*key = (struct buf){ 0 };
	return 0;
}

/* all keys of a file; secret ones have a block of another kind */
static int add_keys(struct keys *k, const char *text, size_t len, struct err *e)
{
	struct buf key = { 0 };
	int n = 0, r;

	for (; (r = armor_decode(&text, &len, "PUBLIC KEY BLOCK", &key, e)) > 0; n++)
		if ((r = add_key(k, &key, e)) < 0)
			break;
	buf_free(&key);
	return r < 0 ? -1 : n ? 0 : err_set(e, EINVAL, "has no armored public key (gpg --armor --export KEY makes them)");
}

static int collect(struct publish *p, const char *path, struct keys *k, size_t n, const char *const *files, struct err *e)
{
	auto_free char *old = NULL;
	size_t len;

	if (p->dir_fd >= 0 && fd_read_file(p->dir_fd, path, INDEX_MAX, &old, &len, e) < 0 && e->code != ENOENT)
		return err_wrap(e, "%s", p->dir);
	if (old && add_keys(k, old, len, e) < 0)
		return err_wrap(e, "%s/%s", p->dir, path);
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = { 0 };
		if (publish_read(files[i], &text, e) < 0 || add_keys(k, text.data ? text.data : "", text.len, e) < 0)
			return err_wrap(e, "%s", files[i]);
	}
	return 0;
}

int publish_keys(struct publish *p, size_t n, const char *const *files, struct err *e)
{
	auto_free char *path = key_path(p);
	auto_buf struct buf text = { 0 };
	struct keys k = { 0 };

	int r = collect(p, path, &k, n, files, e);
	for (size_t i = 0; i < k.n; i++) {
		if (r == 0)
			r = armor_encode((const uint8_t *)k.v[i].data, k.v[i].len, "PUBLIC KEY BLOCK", &text, e);
		buf_free(&k.v[i]);
	}
	if (r == 0 && k.n) {
		char *url = xasprintf("%s/%s", p->base, path);
		r = publish_text(p, take_ptr(path), url, &text, e);
	}
	return r;
}
