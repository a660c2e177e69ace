/* SPDX-License-Identifier: Apache-2.0
 * actool publish - writes images, signatures, keys and an index into a directory for a web server
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/actool/actool.h"
#include "applets/actool/publish.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/lock.h"

struct publish_opts {
	struct actool_globals g;
	const char           *name, *base_url;
	struct opt_list       keys;
	bool                  latest, overwrite, dry_run, json;
	struct build_sign     sign;
};

static const struct opt publish_opts[] = {
	OPT_TEXT(0, "name", "NAME", struct publish_opts, name, "the images have this name, or names below it"),
	OPT_TEXT(0, "base-url", "URL", struct publish_opts, base_url, "of DIR (default: https:// and the NAME's host)"),
	OPT_LIST(0, "key", "FILE", struct publish_opts, keys, "publish this armored public key; may be repeated"),
	OPT_BOOL(0, "latest", struct publish_opts, latest, "as version \"latest\" as well"),
	OPT_BOOL(0, "overwrite", struct publish_opts, overwrite, "replace other images of the same version"),
	OPT_BOOL('n', "dry-run", struct publish_opts, dry_run, "check everything, and write nothing"),
	OPT_BOOL(0, "json", struct publish_opts, json, "print paths and URLs as a JSON document"),
	OPT_PART("Signature", build_sign_opts, struct publish_opts, sign),
	OPT_PART("Global options", actool_globals_opts, struct publish_opts, g),
	OPT_END
};

/* ---- the files ---- */

struct publish_file *publish_file(struct publish *p, char *path, char *url, struct err *e)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (!strcmp(p->files[i]->path, path)) {
			err_set(e, EEXIST, "there is one already that becomes %s: images are told apart by name, "
				"version, os and arch alone", path);
			free(path);
			free(url);
			return NULL;
		}
	struct publish_file *f = xmalloc(sizeof(*f));
	*f = (struct publish_file){ path, xasprintf("%s/%s", p->dir, path), url };
	p->files = xrealloc(p->files, (p->n_files + 1) * sizeof(struct publish_file *));
	p->files[p->n_files++] = f;
	return f;
}

int publish_stage(struct publish *p, struct output *o, struct err *e)
{
	if (p->dry_run)
		return 0;
	/* the name is only for file systems that know no files without one */
	auto_free char *path = xasprintf("%s/%zu", p->dir, p->n_staged++);
	int r = output_open(o, path, true, e);
	o->path = p->dir;
	return r;
}

int publish_put(struct publish *p, struct output *o, int *fd, const struct publish_file *f, struct err *e)
{
	if (p->dry_run)
		return 0;
	p->outs = xrealloc(p->outs, (p->n_outs + 1) * sizeof(struct output));
	struct output *out = &p->outs[p->n_outs++];
	if (o->fd < 0)
		return output_again(out, *fd, f->full, e);
	*fd = o->fd;
	*out = *o;
	out->path = f->full;
	*o = (struct output){ .fd = -1 };
	return 0;
}

int publish_text(struct publish *p, char *path, char *url, const struct buf *text, struct err *e)
{
	const struct publish_file *f = publish_file(p, path, url, e);
	struct output o = { .fd = -1 };
	int fd = -1, r = f ? publish_stage(p, &o, e) : -1;

	if (r == 0 && !p->dry_run && fd_write_all(o.fd, text->data, text->len) < 0)
		r = err_sys(e, "%s: write", f->full);
	if (r == 0)
		r = publish_put(p, &o, &fd, f, e);
	output_close(&o);
	return r;
}

int publish_read(const char *path, struct buf *out, struct err *e)
{
	char block[8192];
	struct stat st;
	ssize_t n;

	auto_close int fd = fd_open_input(path, &st, e);
	if (fd < 0)
		return -1;
	while ((n = fd_read_full(fd, block, sizeof(block))) > 0 && out->len < 1 << 20)
		buf_add(out, block, (size_t)n);
	if (n < 0)
		return err_sys(e, "read");
	return n ? err_set(e, EFBIG, "is larger than 1 MiB") : out->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int make_dirs(const struct publish *p, struct err *e)
{
	for (size_t i = 0; i < p->n_files; i++) {
		char *slash = strrchr(p->files[i]->path, '/');
		if (!slash)
			continue;
		*slash = 0;
		int r = fd_mkdirs(p->dir_fd, p->files[i]->path, 0755, e);
		*slash = '/';
		if (r < 0)
			return err_wrap(e, "%s", p->dir);
	}
	return 0;
}

static void publish_free(struct publish *p)
{
	for (size_t i = 0; i < p->n_outs; i++)
		output_close(&p->outs[i]);
	for (size_t i = 0; i < p->n_files; i++) {
		free(p->files[i]->path);
		free(p->files[i]->full);
		free(p->files[i]->url);
		free(p->files[i]);
	}
	free(p->outs);
	free(p->files);
	publish_keys_free(p);
	buf_free(&p->tags);
	buf_free(&p->names);
	free(p->base);
	fd_cleanup(&p->dir_fd);
}

/* ---- what is printed ---- */

/* whether the page of the tree is one that clients ask for that name; URLs may have a port, names have none */
static bool is_asked(const char *base, const char *name)
{
	const char *host = strstr(base, "://") + 3, *path = host + strcspn(host, "/");
	size_t n = strcspn(host, ":/"), m = strlen(path);

	return !strncmp(name, host, n) && !strncmp(name + n, path, m) && (!name[n + m] || name[n + m] == '/');
}

static int print(const struct publish *p, bool json, struct err *e)
{
	auto_json cJSON *list = cJSON_CreateArray();
	struct buf out = { 0 };

	for (size_t i = 0; i < p->n_files; i++) {
		cJSON *o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "path", p->files[i]->path);
		cJSON_AddStringToObject(o, "url", p->files[i]->url);
		cJSON_AddItemToArray(list, o);
		if (!json)
			buf_fmt(&out, "%s\n", p->files[i]->url);
	}
	if (json)
		json_print(list, true, &out);
	if (!is_asked(p->base, p->name))
		ui_info("clients ask https://%s?ac-discovery=1, and then for its parents: one of these pages has to have the "
			"meta tags of %s/index.html", p->name, p->dir);
	return ui_out(&out, e);
}

/* ---- all of it ---- */

static int check_url(const char *url, struct err *e)
{
	const char *host = strncmp(url, "https://", 8) ? url + 7 : url + 8;

	for (const char *s = url; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("{}?#\"<>\\^`|", *s))
			return err_set(e, EINVAL, "--base-url: a \"%c\" cannot stand in it", *s);
	if ((strncmp(url, "https://", 8) && strncmp(url, "http://", 7)) || !*host || *host == '/')
		return err_set(e, EINVAL, "--base-url: %s: want https://HOST[:PORT][/PATH]", url);
	return 0;
}

static int check_opts(const struct publish_opts *o, int argc, struct err *e)
{
	if (!argc || (argc == 1 && !o->keys.n))
		return err_set(e, EINVAL, "must provide directory and images (see --help)");
	if (!o->name)
		return err_set(e, EINVAL, "--name=NAME is missing: what images here are called, or begin with");
	if (!ac_identifier_ok(o->name))
		return err_set(e, EINVAL, "--name: \"%s\" is not the name of an image (like example.com/app)", o->name);
	return o->base_url ? check_url(o->base_url, e) : 0;
}

static int fill(struct publish *p, const struct publish_opts *o, int n, char **files, struct err *e)
{
	if (publish_index_read(p, e) < 0 || publish_keys_read(p, o->keys.n, o->keys.v, e) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (publish_image(p, files[i], e) < 0)
			return err_wrap(e, "%s", files[i]);
	if (publish_keys(p, e) < 0 || publish_index(p, e) < 0)
		return -1;
	if (!p->dry_run && (make_dirs(p, e) < 0 || output_publish(p->outs, (unsigned)p->n_outs, true, e) < 0))
		return -1;
	return print(p, o->json, e);
}

/* *made: it was not there */
static int open_dir(struct publish *p, bool *made, struct err *e)
{
	*made = !p->dry_run && mkdir(p->dir, 0755) == 0;
	p->dir_fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir_fd < 0)
		return p->dry_run && errno == ENOENT ? 0 : err_sys(e, "%s: open", p->dir);
	/* two at a time would each lose what the other one puts into the index */
	return lock_wait(p->dir_fd, LOCK_EXCLUSIVE, e) < 0 ? err_wrap(e, "%s", p->dir) : 0;
}

static int publish_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct publish_opts *o = opts;
	bool made;

	if (check_opts(o, argc, e) < 0 || build_sign_check(&o->sign, e) < 0)
		return -1;
	struct publish p = {
		.dir = argv[0], .name = o->name, .dir_fd = -1, .dry_run = o->dry_run, .overwrite = o->overwrite,
		.latest = o->latest, .sign = &o->sign, .base = o->base_url ? xstrdup(o->base_url) : NULL,
	};
	int r = open_dir(&p, &made, e) < 0 ? -1 : fill(&p, o, argc - 1, argv + 1, e);
	publish_free(&p);
	if (r < 0 && made)
		rmdir(argv[0]);
	return r;
}

const struct cmd actool_publish_cmd = {
	.name = "publish", .args = "DIRECTORY IMAGE.aci...",
	.summary = "Put images where clients find them by name: on a web server.",
	.more = "DIRECTORY becomes what the server has at URL, or is added to. Images are copied, with the\n"
		"signatures beside them; an index.html tells clients where everything is. What is printed\n"
		"are the URLs.\n",
	.opts = publish_opts, .opts_size = sizeof(struct publish_opts), .inherits = true, .run = publish_run,
};
