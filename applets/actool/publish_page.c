/* SPDX-License-Identifier: Apache-2.0
 * publish_page - the index
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

#define INDEX_MAX (1u << 20)

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

int publish_index(struct publish *p, struct err *e)
{
	auto_free char *tmpl = xasprintf("%s" PUBLISH_TEMPLATE, p->base), *keys = publish_key_path(p);
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
