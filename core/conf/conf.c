/* SPDX-License-Identifier: Apache-2.0
 * conf - see conf.h
 *
 * Each directory is read into a struct of its own, where every field may be set once; then it is laid over
 * what the directories before it said. File names play no part in that.
 */
#include "core/conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/num.h"

#define CONF_FILE_MAX  (1u << 20)
#define CONF_FILES_MAX 1000 /* in one directory */

void conf_free(struct conf *c)
{
	free(c->data_dir);
	free(c->stage1_images_dir);
	free(c->render);
	free(c->direct_io);
	free(c->verify);
	free(c->max_size);
	free(c->stage1_name);
	free(c->stage1_version);
	free(c->stage1_location);
	*c = (struct conf){ 0 };
}

/* ---- fields ---- */

static int check_abs_path(const char *s, struct err *e)
{
	return *s == '/' ? 0 : err_set(e, EINVAL, "must be an absolute path, not \"%s\"", s);
}

static int check_render(const char *s, struct err *e)
{
	if (!strcmp(s, "auto") || !strcmp(s, "erofs") || !strcmp(s, "loop") || !strcmp(s, "tree"))
		return 0;
	return err_set(e, EINVAL, "must be auto, erofs, loop or tree, not \"%s\"", s);
}

static int check_location(const char *s, struct err *e)
{
	static const char *const schemes[] = { "file://", "http://", "https://", "docker://" };

	if (*s == '/')
		return 0;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (!strncmp(s, schemes[i], strlen(schemes[i])))
			return 0;
	return err_set(e, EINVAL, "must be an absolute path or a URL (file, http, https, docker), not \"%s\"", s);
}

static int check_verify(const char *s, struct err *e)
{
	if (!strcmp(s, "always") || !strcmp(s, "never") || !strcmp(s, "changed"))
		return 0;
	return err_set(e, EINVAL, "must be always, never or changed, not \"%s\"", s);
}

static int check_size(const char *s, struct err *e)
{
	int64_t bytes;

	return num_quantity(s, 1, &bytes, e);
}

/* Not there and "" both leave the field to the directories read before. */
static int take(const cJSON *j, const char *key, int (*check)(const char *s, struct err *e), char **field,
		struct err *e)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
	struct err why;

	if (!v || (cJSON_IsString(v) && !*v->valuestring))
		return 0;
	if (!cJSON_IsString(v))
		return err_set(e, EINVAL, "field \"%s\": must be a string", key);
	if (*field)
		return err_set(e, EINVAL, "field \"%s\": is set by another file of this directory as well", key);
	if (check && check(v->valuestring, &why) < 0)
		return err_set(e, EINVAL, "field \"%s\": %s", key, why.msg);
	*field = strdup(v->valuestring);
	return *field ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_bool(const cJSON *j, const char *key, char **field, struct err *e)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);

	if (!v)
		return 0;
	if (!cJSON_IsBool(v))
		return err_set(e, EINVAL, "field \"%s\": must be true or false", key);
	if (*field)
		return err_set(e, EINVAL, "field \"%s\": is set by another file of this directory as well", key);
	*field = strdup(cJSON_IsTrue(v) ? "true" : "false");
	return *field ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* ---- kinds ---- */

static int parse_paths(const cJSON *j, struct conf *c, struct err *e)
{
	if (take(j, "data", check_abs_path, &c->data_dir, e) < 0)
		return -1;
	return take(j, "stage1-images", check_abs_path, &c->stage1_images_dir, e);
}

static int parse_stage1(const cJSON *j, struct conf *c, struct err *e)
{
	const char *name = json_str(j, "name"), *version = json_str(j, "version");

	if ((name && *name) && !(version && *version))
		return err_set(e, EINVAL, "field \"version\": is missing, but \"name\" is there");
	if ((version && *version) && !(name && *name))
		return err_set(e, EINVAL, "field \"name\": is missing, but \"version\" is there");
	if (take(j, "name", NULL, &c->stage1_name, e) < 0 || take(j, "version", NULL, &c->stage1_version, e) < 0)
		return -1;
	return take(j, "location", check_location, &c->stage1_location, e);
}

static int parse_store(const cJSON *j, struct conf *c, struct err *e)
{
	if (take(j, "render", check_render, &c->render, e) < 0 || take_bool(j, "directio", &c->direct_io, e) < 0)
		return -1;
	if (take(j, "verify", check_verify, &c->verify, e) < 0)
		return -1;
	return take(j, "max-size", check_size, &c->max_size, e);
}

static const struct kind {
	const char *name, *dir;
	int       (*parse)(const cJSON *j, struct conf *c, struct err *e);
} kinds[] = {
	{ "paths", "paths.d", parse_paths },
	{ "stage1", "stage1.d", parse_stage1 },
	{ "store", "store.d", parse_store },
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

int conf_check_head(const cJSON *j, const char *kind, struct err *e)
{
	const char *is = json_str(j, "rktKind"), *version = json_str(j, "rktVersion");

	if (!cJSON_IsObject(j))
		return err_set(e, EINVAL, "not a JSON object");
	if (!is || !*is)
		return err_set(e, EINVAL, "field \"rktKind\": is missing; \"%s\" belongs here", kind);
	if (!version || !*version)
		return err_set(e, EINVAL, "field \"rktVersion\": is missing; \"v1\" is known");
	if (strcmp(is, kind))
		return err_set(e, EINVAL, "field \"rktKind\": \"%s\" does not belong into this directory, \"%s\" does", is,
			       kind);
	if (strcmp(version, "v1"))
		return err_set(e, EINVAL, "field \"rktVersion\": \"%s\" is not known for \"%s\", \"v1\" is", version, kind);
	return 0;
}

/* all fields are strings of their own */
#define N_FIELDS 9
static void fields(struct conf *c, char **out[N_FIELDS])
{
	char **all[N_FIELDS] = { &c->data_dir, &c->stage1_images_dir, &c->render, &c->direct_io, &c->verify,
				 &c->max_size, &c->stage1_name, &c->stage1_version, &c->stage1_location };

	memcpy(out, all, sizeof(all));
}

/* the second one's fields over the first one's, which takes them */
static void overlay(struct conf *c, struct conf *over)
{
	char **to[N_FIELDS], **from[N_FIELDS];

	fields(c, to);
	fields(over, from);
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (!*from[i])
			continue;
		free(*to[i]);
		*to[i] = take_ptr(*from[i]);
	}
}

static int conf_copy(struct conf *c, struct conf *out, struct err *e)
{
	char **to[N_FIELDS], **from[N_FIELDS];

	fields(c, from);
	fields(out, to);
	for (size_t i = 0; i < N_FIELDS; i++)
		if (*from[i] && !(*to[i] = strdup(*from[i])))
			return err_set(e, ENOMEM, "out of memory");
	return 0;
}

static int parse_kind(const struct kind *k, const char *text, size_t len, struct conf *c, struct err *e)
{
	struct conf trial = { 0 };
	auto_json cJSON *j = json_parse_err(text, len, e);

	/* fields are tried on a copy: the first one must not stay when the second one is wrong */
	if (!j || conf_check_head(j, k->name, e) < 0 || conf_copy(c, &trial, e) < 0 || k->parse(j, &trial, e) < 0) {
		conf_free(&trial);
		return -1;
	}
	conf_free(c);
	*c = trial;
	return 0;
}

int conf_parse(const char *kind, const char *text, size_t len, struct conf *c, struct err *e)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!strcmp(kinds[i].name, kind))
			return parse_kind(&kinds[i], text, len, c, e);
	return err_set(e, EINVAL, "unknown kind of configuration \"%s\"", kind);
}

/* ---- directories ---- */

static bool is_json(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && !strcmp(name + n - 5, ".json");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* sorted, so that of two files in conflict it is always the same one that is complained about */
static int list_files(DIR *d, bool (*wanted)(const char *name), char ***names, size_t *n, struct err *e)
{
	struct dirent *de;

	*n = 0;
	*names = calloc(CONF_FILES_MAX, sizeof(**names));
	if (!*names)
		return err_set(e, ENOMEM, "out of memory");
	while (errno = 0, (de = readdir(d))) {
		if (!wanted(de->d_name))
			continue;
		if (*n == CONF_FILES_MAX)
			return err_set(e, E2BIG, "more than %d files", CONF_FILES_MAX);
		if (!((*names)[*n] = strdup(de->d_name)))
			return err_set(e, ENOMEM, "out of memory");
		++*n;
	}
	if (errno)
		return err_sys(e, "read directory");
	qsort(*names, *n, sizeof(**names), by_name);
	return 0;
}

/* Links are followed: configuration is often managed as a farm of them. What is no file is no configuration. */
static int read_text(int dir_fd, const char *name, char **text, size_t *len, struct err *e)
{
	struct stat st;
	auto_close int fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	*text = NULL;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open");
	if (!S_ISREG(st.st_mode))
		return 0;
	if (st.st_size > (off_t)CONF_FILE_MAX)
		return err_set(e, EFBIG, "larger than %u bytes", CONF_FILE_MAX);
	auto_free char *p = malloc((size_t)st.st_size + 1);
	if (!p)
		return err_set(e, ENOMEM, "out of memory");
	ssize_t n = fd_read_full(fd, p, (size_t)st.st_size);
	if (n < 0)
		return err_sys(e, "read");
	p[n] = 0;
	*len = (size_t)n;
	*text = take_ptr(p);
	return 0;
}

static int read_files(DIR *d, const char *path, bool (*wanted)(const char *name), conf_file *fn, void *ctx, struct err *e)
{
	char **names = NULL;
	size_t n = 0, i;

	int r = list_files(d, wanted, &names, &n, e);
	if (r < 0)
		err_wrap(e, "%s", path);
	for (i = 0; i < n && r == 0; i++) {
		auto_free char *text = NULL;
		size_t len = 0;
		r = read_text(dirfd(d), names[i], &text, &len, e);
		if (r == 0 && text)
			r = fn(ctx, names[i], text, len, e);
		if (r < 0)
			err_wrap(e, "%s/%s", path, names[i]);
	}
	while (n)
		free(names[--n]);
	free(names);
	return r;
}

int conf_each_file_of(const char *dir, const char *sub, bool (*wanted)(const char *name), conf_file *fn, void *ctx,
		      struct err *e)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, sub);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, ENAMETOOLONG, "%s: path too long", dir);
	auto_dir DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "open directory %s", path);
	return read_files(d, path, wanted, fn, ctx, e);
}

int conf_each_file(const char *dir, const char *sub, conf_file *fn, void *ctx, struct err *e)
{
	return conf_each_file_of(dir, sub, is_json, fn, ctx, e);
}

struct kind_of { const struct kind *kind; struct conf *c; };

static int read_kind(void *ctx, const char *name, const char *text, size_t len, struct err *e)
{
	const struct kind_of *k = ctx;

	(void)name;
	return parse_kind(k->kind, text, len, k->c, e);
}

static int read_dir(const char *dir, struct conf *c, struct err *e)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (conf_each_file(dir, kinds[i].dir, read_kind, &(struct kind_of){ &kinds[i], c }, e) < 0)
			return -1;
	return 0;
}

void conf_dirs(const struct conf_opts *o, const char *dirs[CONF_DIRS])
{
	dirs[0] = o->system_dir ? o->system_dir : "/usr/lib/rkt";
	dirs[1] = o->local_dir ? o->local_dir : "/etc/rkt";
	dirs[2] = o->user_dir && *o->user_dir ? o->user_dir : NULL;
}

int conf_read(const struct conf_opts *o, struct conf *c, struct err *e)
{
	const char *dirs[CONF_DIRS];

	*c = (struct conf){ 0 };
	conf_dirs(o, dirs);
	for (size_t i = 0; i < CONF_DIRS; i++) {
		struct conf one = { 0 };
		int r = dirs[i] && *dirs[i] ? read_dir(dirs[i], &one, e) : 0;
		if (r == 0)
			overlay(c, &one);
		conf_free(&one);
		if (r < 0) {
			conf_free(c);
			return -1;
		}
	}
	return 0;
}
