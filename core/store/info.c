/* SPDX-License-Identifier: Apache-2.0
 * info - what the store knows about an image, as JSON in info/; its being there makes the image exist
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/num.h"
#include "core/store/internal.h"

#define INFO_MAX (1u << 20)

void image_info_free(struct image_info *i)
{
	free(i->name);
	free(i->verified_by);
	free(i->verified_prefix);
	free(i->origin);
	free(i->damaged);
	for (size_t k = 0; k < i->labels.n; k++) {
		free(i->labels.v[k].name);
		free(i->labels.v[k].value);
		cJSON_Delete(i->labels.v[k].extra);
	}
	free(i->labels.v);
	*i = (struct image_info){ 0 };
}

void image_infos_free(struct image_infos *l)
{
	for (size_t i = 0; i < l->n; i++)
		image_info_free(&l->v[i]);
	free(l->v);
	*l = (struct image_infos){ 0 };
}

/* ---- reading ---- */

/* Integers beyond 2^53 are not safe in JSON, and nanoseconds since 1970 are: so numbers are strings. */
static int read_number(const cJSON *j, const char *key, uint64_t max, uint64_t *out, struct err *e)
{
	const char *s = json_str(j, key);

	if (!s)
		return err_set(e, EBADMSG, "\"%s\" is missing or not a string", key);
	return num_u64(s, max, out, e) < 0 ? err_wrap(e, "\"%s\"", key) : 0;
}

static int read_string(const cJSON *j, const char *key, char **out, struct err *e)
{
	const char *s = json_str(j, key);

	if (!s)
		return err_set(e, EBADMSG, "\"%s\" is missing or not a string", key);
	return appc_string_set(out, s, e);
}

static int read_labels(const cJSON *j, struct appc_pairs *out, struct err *e)
{
	const cJSON *label;

	cJSON_ArrayForEach(label, cJSON_GetObjectItemCaseSensitive(j, "labels")) {
		const char *name = json_str(label, "name"), *value = json_str(label, "value");
		if (!name || !value)
			return err_set(e, EBADMSG, "\"labels\" is not a list of names and values");
		if (appc_pairs_set(out, name, value, e) < 0)
			return -1;
	}
	return 0;
}

/* records of older versions lack it */
static int read_archive_size(const cJSON *j, struct image_info *i, struct err *e)
{
	return json_str(j, "archiveSize") ? read_number(j, "archiveSize", INT64_MAX, &i->archive_bytes, e) : 0;
}

/* stores of older versions have none */
static int read_seal(const cJSON *j, struct image_seal *s, struct err *e)
{
	const char *verity = json_str(j, "verity");

	if (!cJSON_HasObjectItem(j, "inode"))
		return 0;
	if (read_number(j, "inode", UINT64_MAX, &s->ino, e) < 0 ||
	    read_number(j, "changeTime", UINT64_MAX, &s->ctime_ns, e) < 0 ||
	    read_number(j, "modifyTime", UINT64_MAX, &s->mtime_ns, e) < 0)
		return -1;
	if (verity && (size_t)snprintf(s->verity, sizeof(s->verity), "%s", verity) >= sizeof(s->verity))
		return err_set(e, EBADMSG, "\"verity\" is too long");
	return 0;
}

static int fill(const cJSON *j, struct image_info *i, struct err *e)
{
	const cJSON *index = cJSON_GetObjectItemCaseSensitive(j, "index");
	uint64_t import_ns;

	if (read_string(j, "name", &i->name, e) < 0 || read_labels(j, &i->labels, e) < 0 ||
	    read_number(j, "size", INT64_MAX, &i->tar_bytes, e) < 0 || read_archive_size(j, i, e) < 0 ||
	    read_number(j, "importTime", INT64_MAX, &import_ns, e) < 0 ||
	    read_string(j, "verifiedBy", &i->verified_by, e) < 0 || read_seal(j, &i->seal, e) < 0 ||
	    (index && read_seal(index, &i->index_seal, e) < 0) ||
	    (json_str(j, "verifiedPrefix") && read_string(j, "verifiedPrefix", &i->verified_prefix, e) < 0) ||
	    (json_str(j, "origin") && read_string(j, "origin", &i->origin, e) < 0) ||
	    (json_str(j, "damaged") && read_string(j, "damaged", &i->damaged, e) < 0))
		return -1;
	i->import_ns = (int64_t)import_ns;
	i->latest = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j, "latest"));
	i->devices = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j, "devices"));
	return 0;
}

static void fill_last_used(const struct store *st, struct image_info *i)
{
	struct stat sb;

	i->last_used_ns = i->import_ns;
	if (fstatat(st->cas_fd, store_path("used", i->id.s).s, &sb, AT_SYMLINK_NOFOLLOW) == 0)
		i->last_used_ns = sb.st_mtim.tv_sec * 1000000000LL + sb.st_mtim.tv_nsec;
	/* the clock of file times runs some milliseconds behind */
	if (i->last_used_ns < i->import_ns && i->import_ns - i->last_used_ns < 100000000)
		i->last_used_ns = i->import_ns;
}

int info_read(const struct store *st, const struct image_id *id, struct image_info *out, struct err *e)
{
	struct store_path path = store_path("info", id->s);
	auto_free char *text = NULL;
	size_t len;

	if (st->cas_fd < 0)
		return err_set(e, ENOENT, "image %s is not in the store", id->s);
	if (fd_read_file(st->cas_fd, path.s, INFO_MAX, &text, &len, e) < 0) {
		if (e->code == ENOENT)
			err_set(e, ENOENT, "image %s is not in the store", id->s);
		return -1;
	}
	auto_json cJSON *j = json_parse_err(text, len, e);
	*out = (struct image_info){ .id = *id };
	if (!j || fill(j, out, e) < 0) {
		image_info_free(out);
		e->code = EBADMSG;
		return err_wrap(e, "the store's %s is damaged", path.s);
	}
	fill_last_used(st, out);
	return 0;
}

/* ---- writing ---- */

static void add_number(cJSON *j, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	cJSON_AddStringToObject(j, key, text);
}

static void add_labels(cJSON *j, const struct appc_pairs *labels)
{
	cJSON *list = cJSON_AddArrayToObject(j, "labels");

	for (size_t i = 0; i < labels->n; i++) {
		cJSON *label = cJSON_CreateObject();
		cJSON_AddStringToObject(label, "name", labels->v[i].name);
		cJSON_AddStringToObject(label, "value", labels->v[i].value);
		cJSON_AddItemToArray(list, label);
	}
}

static void add_seal(cJSON *j, const struct image_seal *s)
{
	if (!s->ino)
		return;
	add_number(j, "inode", s->ino);
	add_number(j, "changeTime", s->ctime_ns);
	add_number(j, "modifyTime", s->mtime_ns);
	if (*s->verity)
		cJSON_AddStringToObject(j, "verity", s->verity);
}

int info_write(struct store *st, const struct image_info *i, struct err *e)
{
	auto_json cJSON *j = cJSON_CreateObject();
	auto_buf struct buf b = { 0 };
	struct image_info back = { .id = i->id };

	st->seen.id.s[0] = 0;
	cJSON_AddStringToObject(j, "name", i->name);
	add_labels(j, &i->labels);
	add_number(j, "size", i->tar_bytes);
	if (i->archive_bytes)
		add_number(j, "archiveSize", i->archive_bytes);
	add_number(j, "importTime", (uint64_t)i->import_ns);
	cJSON_AddBoolToObject(j, "latest", i->latest);
	cJSON_AddBoolToObject(j, "devices", i->devices);
	cJSON_AddStringToObject(j, "verifiedBy", i->verified_by);
	if (i->verified_prefix)
		cJSON_AddStringToObject(j, "verifiedPrefix", i->verified_prefix);
	if (i->origin)
		cJSON_AddStringToObject(j, "origin", i->origin);
	add_seal(j, &i->seal);
	if (i->index_seal.ino)
		add_seal(cJSON_AddObjectToObject(j, "index"), &i->index_seal);
	if (i->damaged)
		cJSON_AddStringToObject(j, "damaged", i->damaged);
	json_print(j, true, &b);
	/* cJSON's builders drop what they have no memory for; reading it back is the check */
	int lost = !j || b.failed ? -1 : fill(j, &back, e);
	lost |= back.devices != i->devices || back.labels.n != i->labels.n || (i->origin && !back.origin) || (i->damaged && !back.damaged) ||
		(i->verified_prefix && !back.verified_prefix) ||
		!seal_same(&i->seal, &back.seal) || !seal_same(&i->index_seal, &back.index_seal);
	image_info_free(&back);
	if (lost)
		return err_set(e, ENOMEM, "write the store's info: out of memory");
	return fd_publish(st->cas_fd, store_path("info", i->id.s).s, b.data, b.len, store_file_mode(st), true, e);
}
