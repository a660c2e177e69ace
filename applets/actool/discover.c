/* SPDX-License-Identifier: Apache-2.0
 * actool discover - the URLs that an image's name stands for
 */
#include <errno.h>
#include <string.h>

#include "applets/actool/actool.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/appc/image_name.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/fetch/discovery.h"
#include "core/fetch/http.h"

struct discover_opts {
	struct actool_globals g;
	bool                  json, insecure;
	uint64_t              port;
};

static const struct opt discover_opts[] = {
	OPT_BOOL(0, "json", struct discover_opts, json, "print a JSON document for each name"),
	OPT_NUM(0, "port", "PORT", struct discover_opts, port, "port of the hosts that are asked"),
	OPT_BOOL(0, "insecure", struct discover_opts, insecure,
		 "accept any certificate, and ask by http where https fails"),
	OPT_PART("Global options", actool_globals_opts, struct discover_opts, g),
	OPT_END
};

/* Without rkt nothing else in the program needs a network, and it is a third of the size without one. */
static struct source *open_page(void *ctx, const char *url, struct err *e)
{
#if RKTBOX_WITH_NETWORK
	const struct discover_opts *o = ctx;
	const struct http_opts h = { .insecure_tls = o->insecure, .allow_http = o->insecure };

	return http_open(url, &h, e);
#else
	(void)ctx;
	(void)url;
	err_set(e, ENOSYS, "this binary was built without network (make APPLETS=...); that of all applets has one");
	return NULL;
#endif
}

/* ---- output ---- */

static void print_text(const struct discovery *d, struct buf *out)
{
	for (size_t i = 0; i < d->n_images; i++)
		buf_fmt(out, "ACI: %s, ASC: %s\n", d->images[i].aci, d->images[i].asc);
	for (size_t i = 0; i < d->keys.n; i++)
		buf_fmt(out, "%s%s", i ? "," : "PublicKeys: ", d->keys.v[i]);
	if (d->keys.n)
		buf_str(out, "\n");
}

static void print_json(const struct discovery *d, struct buf *out)
{
	auto_json cJSON *o = cJSON_CreateObject();
	cJSON *images = cJSON_AddArrayToObject(o, "ACIEndpoints"), *keys = cJSON_AddArrayToObject(o, "PublicKeys");

	for (size_t i = 0; i < d->n_images; i++) {
		cJSON *image = cJSON_CreateObject();
		cJSON_AddStringToObject(image, "ACI", d->images[i].aci);
		cJSON_AddStringToObject(image, "ASC", d->images[i].asc);
		cJSON_AddItemToArray(images, image);
	}
	for (size_t i = 0; i < d->keys.n; i++)
		cJSON_AddItemToArray(keys, cJSON_CreateString(d->keys.v[i]));
	json_print(o, true, out);
}

static int print(const struct discovery *d, bool json, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct buf clean = { 0 };

	if (json) {
		print_json(d, &clean);
		return ui_out(&clean, e);
	}
	print_text(d, &text);
	for (const char *line = text.data; line && *line;) {
		size_t n = strcspn(line, "\n");
		buf_clean(&clean, line, n);
		buf_str(&clean, "\n");
		line += n + (line[n] == '\n');
	}
	clean.failed |= text.failed;
	return ui_out(&clean, e);
}

/* ---- one name ---- */

static int find(const struct image_name *n, struct discover_opts *o, struct err *e)
{
	const struct discovery_opts how = {
		.port = (unsigned)o->port, .http = o->insecure, .ctx = o, .open = open_page,
	};
	struct discovery d = { 0 };

	int r = discovery_find(n->name, &n->labels, &how, &d, e);
	for (size_t i = 0; i < d.n_failures; i++)
		ui_info("discover walk: prefix: %s error: %s", d.failures[i].prefix, d.failures[i].why);
	if (r == 0)
		r = print(&d, o->json, e);
	discovery_free(&d);
	return r;
}

static int discover(const char *text, struct discover_opts *o, struct err *e)
{
	struct image_name n = { 0 };

	int r = image_name_read(text, &n, e) < 0 ? -1 : find(&n, o, e);
	image_name_free(&n);
	return r < 0 ? err_wrap(e, "%s", text) : 0;
}

static int discover_run(void *opts, int argc, char **argv, struct err *e)
{
	struct discover_opts *o = opts;

	if (!argc)
		return err_set(e, EINVAL, "at least one name required (see --help)");
	if (o->port > 65535)
		return err_set(e, EINVAL, "--port: %llu is no port (1 to 65535)", (unsigned long long)o->port);
	for (int i = 0; i < argc; i++)
		if (discover(argv[i], o, e) < 0)
			return -1;
	return 0;
}

const struct cmd actool_discover_cmd = {
	.name = "discover", .args = "NAME...", .summary = "Find the URLs of images by their names.",
	.more = "A NAME is like example.com/app:1.0,arch=amd64. Where no labels say otherwise, the image is\n"
		"for linux and this machine's processor. The hosts in the names are asked over https.\n",
	.opts = discover_opts, .opts_size = sizeof(struct discover_opts), .inherits = true, .run = discover_run,
};
