/* SPDX-License-Identifier: Apache-2.0
 * remote - what the store knows about URLs, as JSON in remote/: which image came from there, and how long that holds
 *
 * A record that cannot be read, or whose image is gone, is as good as none: the image is fetched anew.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/num.h"
#include "core/store/internal.h"

#define REMOTE_MAX (64u << 10)

static int remote_path(const char *url, struct store_path *path, struct err *e)
{
	char key[STORE_KEY_HEX + 1];

	if (store_key(url, NULL, key, e) < 0)
		return -1;
	*path = store_path("remote", key);
	return 0;
}

/* a record of remote/: NULL when there is none that can be read; *url and *image may be */
static cJSON *read_remote(struct store *st, const char *path, const char **url, const char **image, struct err *e)
{
	auto_free char *text = NULL;
	size_t len;

	if (fd_read_file(st->cas_fd, path, REMOTE_MAX, &text, &len, e) < 0)
		return NULL;
	cJSON *j = json_parse_err(text, len, e);
	*url = j ? json_str(j, "url") : NULL;
	*image = j ? json_str(j, "image") : NULL;
	return j;
}

void store_remote_free(struct store_remote *r)
{
	free(r->etag);
	*r = (struct store_remote){ 0 };
}

bool store_remote_fresh(const struct store_remote *r, int64_t now_s)
{
	return r->max_age_s > 0 && r->fetched_s <= now_s && now_s - r->fetched_s < r->max_age_s;
}

/* records of older versions have no age, which is as good as 0 */
static int64_t seconds(const cJSON *j, const char *key)
{
	const char *s = json_str(j, key);
	struct err ignored;
	uint64_t n;

	return s && num_u64(s, INT64_MAX, &n, &ignored) == 0 ? (int64_t)n : 0;
}

int store_find_remote(struct store *st, const char *url, struct store_remote *out, struct err *e)
{
	struct store_path path;
	const char *of, *image;
	struct err why = { .code = EBADMSG };

	if (remote_path(url, &path, e) < 0)
		return -1;
	if (!store_has(st, "remote", path.s + strlen("remote/")))
		return err_set(e, ENOENT, "no image from \"%s\" in the store", url);
	auto_json cJSON *j = read_remote(st, path.s, &of, &image, &why);
	if (!j && why.code != EBADMSG && why.code != EINVAL) {
		*e = why;
		return -1;
	}
	if (!j || !of || strcmp(of, url) || !image || !store_is_id(image) || !store_has(st, "info", image))
		return err_set(e, ENOENT, "no image from \"%s\" in the store", url);
	*out = (struct store_remote){ .fetched_s = seconds(j, "downloadTime"), .max_age_s = seconds(j, "maxAge") };
	memcpy(out->id.s, image, sizeof(out->id.s)); /* that long, says store_is_id() */
	return json_str(j, "etag") ? appc_string_set(&out->etag, json_str(j, "etag"), e) : 0;
}

int store_find_url(struct store *st, const char *url, struct image_id *id, struct err *e)
{
	struct store_remote r;

	if (store_find_remote(st, url, &r, e) < 0)
		return -1;
	*id = r.id;
	store_remote_free(&r);
	return 0;
}

int store_each_url(struct store *st, const struct image_id *id, void (*fn)(void *ctx, const char *url), void *ctx,
		   struct err *e)
{
	auto_dir_reader struct dir d;
	const struct dirent *de;

	if (store_read_dir(st, "remote", &d) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read the store's remote");
	while ((de = dir_next(&d))) {
		const char *url, *image;
		struct err ignored;
		if (*de->d_name == '.')
			continue;
		auto_json cJSON *j = read_remote(st, store_path("remote", de->d_name).s, &url, &image, &ignored);
		if (j && url && image && !strcmp(image, id->s))
			fn(ctx, url);
	}
	return errno ? err_sys(e, "read the store's remote") : 0;
}

int store_set_url(struct store *st, const char *url, const struct image_id *id, const char *etag, int64_t max_age_s,
		  struct err *e)
{
	struct store_path path;
	struct timespec now;
	char when[24], age[24];
	auto_json cJSON *j = cJSON_CreateObject();
	auto_buf struct buf b = { 0 };

	if (remote_path(url, &path, e) < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(when, sizeof(when), "%lld", (long long)now.tv_sec);
	snprintf(age, sizeof(age), "%lld", (long long)max_age_s);
	bool all = cJSON_AddStringToObject(j, "url", url) && cJSON_AddStringToObject(j, "image", id->s) &&
		   cJSON_AddStringToObject(j, "downloadTime", when) && cJSON_AddStringToObject(j, "maxAge", age) &&
		   (!etag || cJSON_AddStringToObject(j, "etag", etag));
	json_print(j, true, &b);
	if (!all || b.failed)
		return err_set(e, ENOMEM, "record the URL of an image: out of memory");
	auto_close int lock = store_publish_lock(st, e);
	if (lock < 0)
		return -1;
	return fd_publish(st->cas_fd, path.s, b.data, b.len, store_file_mode(st), true, e);
}
