/* SPDX-License-Identifier: Apache-2.0
 * image - the image manifest; see manifest.h
 *
 * Source: appc spec, spec/aci.md, "Image Manifest Schema".
 */
#include <string.h>

#include "core/appc/schema.h"

static void check_size(struct check *c, int64_t v)
{
	if (v < 0)
		check_error(c, RULE_DEPENDENCY, "size %lld is negative", (long long)v);
}

static const struct field dependency_fields[] = {
	TEXT(struct appc_dependency, "imageName", image_name, .required = true,
		.text = check_image_name),
	TEXT(struct appc_dependency, "imageID", image_id, .text = check_image_id),
	LIST(struct appc_dependency, "labels", labels, &label_schema, .list = check_labels),
	INT(struct appc_dependency, "size", size, 0, .number = check_size),
	FIELDS_END
};
static const struct schema dependency_schema = {
	dependency_fields, offsetof(struct appc_dependency, extra), NULL
};

static void check_whitelist(struct check *c, const void *list)
{
	const struct appc_strings *l = list;

	for (size_t i = 0; i < l->n; i++) {
		size_t mark = check_enter_index(c, i);
		if (l->v[i][0] != '/')
			check_error(
				c, RULE_WHITELIST, "\"%.200s\" is not an absolute path", l->v[i]);
		else
			check_path(c, l->v[i]);
		check_leave(c, mark);
	}
}

static void check_kind(struct check *c, const char *s)
{
	if (strcmp(s, "ImageManifest"))
		check_error(c, RULE_KIND, "acKind is \"%.100s\", not \"ImageManifest\"", s);
}

static const struct field image_fields[] = {
	TEXT(struct image_manifest, "acKind", ac_kind,
						     .required = true, .text = check_kind),
	TEXT(struct image_manifest, "acVersion", ac_version, .required = true,
		.text = check_version),
	TEXT(struct image_manifest, "name", name, .required = true, .text = check_image_name),
	LIST(struct image_manifest, "labels", labels, &label_schema, .list = check_labels),
	STRUCT(struct image_manifest, "app", app, &app_schema),
	LIST(struct image_manifest, "dependencies", dependencies, &dependency_schema),
	TEXTS(struct image_manifest, "pathWhitelist", path_whitelist, .list = check_whitelist),
	LIST(struct image_manifest, "annotations", annotations, &annotation_schema,
		.list = check_annotations),
	FIELDS_END };
const struct schema image_schema = { image_fields, offsetof(struct image_manifest, extra), NULL };

bool image_manifest_parse(
	const char *text, size_t len, struct image_manifest *m, struct findings *f)
{
	return schema_parse(&image_schema, m, sizeof(*m), text, len, f);
}

bool image_manifest_check(const struct image_manifest *m, struct findings *f)
{
	return schema_check_all(&image_schema, m, f);
}

void image_manifest_print(const struct image_manifest *m, bool pretty, struct buf *b)
{
	schema_print(&image_schema, m, pretty, b);
}

void image_manifest_free(struct image_manifest *m)
{
	schema_free(&image_schema, m);
	*m = (struct image_manifest){ 0 };
}

bool image_manifest_check_labels(const struct image_manifest *m, struct findings *f)
{
	static const char *const wanted[] = { "os", "arch" };
	size_t before = f->errors;
	struct check c;

	check_begin(&c, f);
	check_enter(&c, "labels");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!appc_pair_find(&m->labels, wanted[i]))
			check_error(&c, RULE_LABEL_MISSING,
				"missing %s label in the image manifest", wanted[i]);
	return check_end(&c, before);
}
