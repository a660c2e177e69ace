/* SPDX-License-Identifier: Apache-2.0
 * service - see service.h: the answers
 */
#include "core/mds/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/constant_time.h>

#include "core/appc/manifest.h"
#include "core/appc/types.h"
#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/pod/uuid.h"

#define BASE "/acMetadata/v1/"

/* ---- what is known of a pod ---- */

/* it has an empty list where there are no annotations, as the reference has it: then the end point for these says the same */
static int load_manifest(struct mds_pod *p, int pod_fd, struct err *e)
{
	auto_free char *text = NULL;
	size_t len;

	if (fd_read_file(pod_fd, "pod", APPC_MANIFEST_MAX, &text, &len, e) < 0)
		return -1;
	p->manifest = json_parse_err(text, len, e);
	if (!p->manifest)
		return -1;
	if (!cJSON_GetObjectItemCaseSensitive(p->manifest, "annotations") &&
	    !cJSON_AddArrayToObject(p->manifest, "annotations"))
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

static const cJSON *apps_of(const struct mds_pod *p)
{
	return cJSON_GetObjectItemCaseSensitive(p->manifest, "apps");
}

static int load_images(struct mds_pod *p, int pod_fd, struct err *e)
{
	int n = cJSON_GetArraySize(apps_of(p));
	char path[512];

	p->images = calloc((size_t)n + 1, sizeof(*p->images));
	if (!p->images)
		return err_set(e, ENOMEM, "out of memory");
	for (int i = 0; i < n; i++) {
		const char *name = json_str(cJSON_GetArrayItem(apps_of(p), i), "name");
		if (!name || !ac_name_ok(name))
			return err_set(e, EINVAL, "an app without a name");
		if ((size_t)snprintf(path, sizeof(path), "appsinfo/%s/manifest", name) >= sizeof(path))
			return err_set(e, ENAMETOOLONG, "app %s", name);
		/* one that is not there is missed by who asks for it */
		struct err lacking;
		(void)fd_read_file(pod_fd, path, APPC_MANIFEST_MAX, &p->images[i].manifest, &p->images[i].len, &lacking);
	}
	return 0;
}

int mds_pod_load(struct mds_pod *p, int pod_fd, int data_fd, struct err *e)
{
	struct err no_key;

	p->has_key = mds_key_load(data_fd, p->key, &no_key) == 0;
	if (load_manifest(p, pod_fd, e) < 0 || load_images(p, pod_fd, e) < 0)
		return err_wrap(e, "pod %s: manifest", p->uuid);
	return 0;
}

void mds_pod_free(struct mds_pod *p)
{
	for (int i = 0; p->images && i < cJSON_GetArraySize(apps_of(p)); i++)
		free(p->images[i].manifest);
	free(p->images);
	cJSON_Delete(p->manifest);
	p->images = NULL;
	p->manifest = NULL;
}

bool mds_is_pod(const struct mds_pod *p, const char *path)
{
	size_t n = strlen(p->token);

	return n && strlen(path) > n && *path == '/' && (!DEFENCE("mds-token") || mbedtls_ct_memcmp(path + 1, p->token, n) == 0) &&
	       path[n + 1] == '/';
}

/* ---- end points ---- */

struct question {
	const struct mds_pod     *p;
	const struct mds_request *q;
	struct mds_reply         *r;
	const cJSON              *app;
	const struct mds_image   *image;
};

static void say_json(struct question *a, const cJSON *j)
{
	a->r->type = MDS_JSON;
	if (j)
		json_print(j, false, &a->r->body);
	else
		buf_str(&a->r->body, "[]");
}

static void pod_annotations(struct question *a)
{
	say_json(a, cJSON_GetObjectItemCaseSensitive(a->p->manifest, "annotations"));
}

static void pod_manifest_json(struct question *a)
{
	say_json(a, a->p->manifest);
}

static void pod_uuid(struct question *a)
{
	buf_str(&a->r->body, a->p->uuid);
}

/* the image's, and the pod's word counts where both have one */
static void app_annotations(struct question *a)
{
	auto_json cJSON *image = json_parse_err(a->image->manifest ? a->image->manifest : "", a->image->len, &(struct err){ 0 });
	auto_json cJSON *all = cJSON_DetachItemFromObjectCaseSensitive(image, "annotations");
	const cJSON *ours = cJSON_GetObjectItemCaseSensitive(a->app, "annotations"), *one;

	if (image && !all)
		all = cJSON_CreateArray();
	bool good = all != NULL;
	cJSON_ArrayForEach(one, ours) {
		const char *name = json_str(one, "name"), *other;
		cJSON *copy = cJSON_Duplicate(one, true);
		int i = 0, n = cJSON_GetArraySize(all);
		while (i < n && (!name || !(other = json_str(cJSON_GetArrayItem(all, i), "name")) || strcmp(other, name)))
			i++;
		if (i < n ? !cJSON_ReplaceItemInArray(all, i, copy) : !cJSON_AddItemToArray(all, copy)) {
			cJSON_Delete(copy);
			good = false;
		}
	}
	if (good)
		say_json(a, all);
	else
		a->r->status = 500;
}

static void image_manifest_json(struct question *a)
{
	a->r->type = MDS_JSON;
	a->r->status = a->image->manifest ? 200 : 500;
	buf_add(&a->r->body, a->image->manifest, a->image->len);
}

static void image_id(struct question *a)
{
	const char *id = json_str(cJSON_GetObjectItemCaseSensitive(a->app, "image"), "id");

	a->r->status = id ? 200 : 500;
	buf_str(&a->r->body, id ? id : "");
}

static void hmac_sign(struct question *a)
{
	char sig[MDS_SIG_LEN + 1];
	size_t len;
	auto_free char *content = mds_form_get(a->q, "content", &len);

	a->r->status = !content ? 400 : !a->p->has_key ? 500 : 200;
	if (a->r->status != 200)
		return;
	if (mds_sign(a->p->key, a->p->uuid, content, len, sig) == 0)
		buf_str(&a->r->body, sig);
	else
		a->r->status = 500;
}

static void hmac_verify(struct question *a)
{
	size_t len, uuid_len, sig_len;
	auto_free char *content = mds_form_get(a->q, "content", &len);
	auto_free char *uuid = mds_form_get(a->q, "uuid", &uuid_len);
	auto_free char *sig = mds_form_get(a->q, "signature", &sig_len);

	a->r->status = 400;
	if (!content || !uuid || !sig || uuid_len != UUID_LEN || strlen(sig) != sig_len)
		return;
	/* digits are hexadecimal in either case, and we write them small */
	for (char *c = uuid; *c; c++)
		*c |= *c >= 'A' && *c <= 'F' ? 0x20 : 0;
	if (!uuid_ok(uuid))
		return;
	int good = a->p->has_key ? mds_verify(a->p->key, uuid, content, len, sig) : -1;
	a->r->status = good < 0 ? 500 : good ? 200 : 403;
}

static const struct end_point {
	const char *path; /* of an app: behind its name */
	bool        app, post;
	void      (*answer)(struct question *a);
} end_points[] = {
	{ "pod/annotations", false, false, pod_annotations },
	{ "pod/manifest", false, false, pod_manifest_json },
	{ "pod/uuid", false, false, pod_uuid },
	{ "pod/hmac/sign", false, true, hmac_sign },
	{ "pod/hmac/verify", false, true, hmac_verify },
	{ "annotations", true, false, app_annotations },
	{ "image/manifest", true, false, image_manifest_json },
	{ "image/id", true, false, image_id },
};

/* apps/NAME/...: what is behind it; NULL: the pod has no such app */
static const char *find_app(struct question *a, const char *path)
{
	size_t n = strcspn(path, "/");
	int i = 0;

	cJSON_ArrayForEach(a->app, apps_of(a->p)) {
		const char *name = json_str(a->app, "name");
		if (strlen(name) == n && !memcmp(name, path, n) && path[n]) {
			a->image = &a->p->images[i];
			return path + n + 1;
		}
		i++;
	}
	return NULL;
}

static const struct end_point *find_end_point(struct question *a, const char *path)
{
	bool app = !strncmp(path, "apps/", 5);

	if (app)
		path = find_app(a, path + 5);
	for (size_t i = 0; path && i < sizeof(end_points) / sizeof(*end_points); i++)
		if (end_points[i].app == app && !strcmp(path, end_points[i].path))
			return &end_points[i];
	return NULL;
}

void mds_answer(const struct mds_pod *p, const struct mds_request *q, struct mds_reply *r)
{
	struct question a = { p, q, r, NULL, NULL };
	const char *path = p ? q->path + 1 + strlen(p->token) : NULL;
	const struct end_point *at = path && !strncmp(path, BASE, strlen(BASE)) ? find_end_point(&a, path + strlen(BASE)) : NULL;

	r->status = at ? 200 : 404;
	if (!at)
		return;
	if (at->post ? q->method != MDS_POST : q->method != MDS_GET && q->method != MDS_HEAD) {
		r->status = 405;
		r->allow = at->post ? "POST" : "GET, HEAD";
		return;
	}
	at->answer(&a);
	if (r->body.failed)
		r->status = 500;
	if (r->status != 200) {
		r->type = NULL;
		buf_free(&r->body);
	}
}
