/* SPDX-License-Identifier: Apache-2.0
 * common - tables and rules that image and pod manifests share: versions, labels, annotations
 */
#include <stdlib.h>
#include <string.h>

#include "core/appc/schema.h"
#include "core/appc/types.h"

static void check_label_name(struct check *c, const char *s)
{
	check_identifier(c, RULE_LABEL_NAME, "label name", s);
	if (!strcmp(s, "name"))
		check_error(c, RULE_LABEL_NAME, "a label must not be called \"name\"");
}

/* The text says AC Name, but asks for names with a name space, and the reference schema takes
 * identifiers. */
static void check_annotation_name(struct check *c, const char *s)
{
	check_identifier(c, RULE_ANNOTATION, "annotation name", s);
}

static const struct field label_fields[] = {
	TEXT(struct appc_pair, "name", name, .required = true, .text = check_label_name),
	TEXT(struct appc_pair, "value", value, .required = true),
	FIELDS_END
};
const struct schema label_schema = { label_fields, offsetof(struct appc_pair, extra), NULL };

/* known names have values of a known form */
static void check_annotation(struct check *c, const void *s)
{
	const struct appc_pair *p = s;

	if (!p->name || !p->value)
		return;
	size_t mark = check_enter(c, "value");
	if (!strcmp(p->name, "created") && !ac_date_ok(p->value))
		check_error(c, RULE_CREATED,
			"created \"%.100s\" is not an RFC 3339 date (like 2015-05-18T13:49:28Z)",
			p->value);
	if ((!strcmp(p->name, "homepage") || !strcmp(p->name, "documentation")) &&
		!ac_url_ok(p->value))
		check_error(c, RULE_URL, "%s \"%.200s\" is not an http or https URL", p->name,
			p->value);
	check_leave(c, mark);
}

static const struct field annotation_fields[] = {
	TEXT(struct appc_pair, "name", name, .required = true, .text = check_annotation_name),
	TEXT(struct appc_pair, "value", value, .required = true),
	FIELDS_END
};
const struct schema annotation_schema = {
	annotation_fields, offsetof(struct appc_pair, extra), check_annotation
};

void check_unique(struct check *c, const void *list, size_t size, size_t name_at,
	enum finding_level level, enum rule rule, const char *what)
{
	struct names names = { 0 };
	struct any_list l;

	memcpy(&l, list, sizeof(l));
	for (size_t i = 0; i < l.n; i++)
		names_add(c, &names,
			*(char *const *)(const void *)((const char *)l.v + i * size + name_at), i,
			0);
	names_sort(&names);
	for (ptrdiff_t d = -1; (d = names_next_duplicate(&names, d)) >= 0;) {
		size_t mark = check_enter_index(c, names.v[d].i);
		if (level == FINDING_ERROR)
			check_error(c, rule, "duplicate %s \"%.200s\"", what, names.v[d].name);
		else
			check_warn(c, rule, "duplicate %s \"%.200s\"", what, names.v[d].name);
		check_leave(c, mark);
	}
	names_free(&names);
}

void check_annotations(struct check *c, const void *list)
{
	check_unique(c, list, sizeof(struct appc_pair), offsetof(struct appc_pair, name),
		FINDING_ERROR, RULE_ANNOTATION, "annotation");
}

static ptrdiff_t find_label(const struct appc_pairs *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].name && l->v[i].value && !strcmp(l->v[i].name, name))
			return (ptrdiff_t)i;
	return -1;
}

static size_t enter_value(struct check *c, ptrdiff_t i)
{
	size_t mark = check_enter_index(c, (size_t)i);

	check_enter(c, "value");
	return mark;
}

/* os and arch make sense only together; the messages are those that scripts know */
static void check_os_arch(struct check *c, const struct appc_pairs *l)
{
	ptrdiff_t os = find_label(l, "os"), arch = find_label(l, "arch");

	if (os >= 0 && !ac_os_ok(l->v[os].value)) {
		size_t mark = enter_value(c, os);
		check_error(c, RULE_LABEL_OS,
			"bad os \"%.100s\" (must be one of: darwin freebsd linux)", l->v[os].value);
		check_leave(c, mark);
	} else if (os >= 0 && arch >= 0 && !ac_os_arch_ok(l->v[os].value, l->v[arch].value)) {
		size_t mark = enter_value(c, arch);
		check_error(c, RULE_LABEL_OS, "bad arch \"%.100s\" for %s", l->v[arch].value,
			l->v[os].value);
		check_leave(c, mark);
	} else if (os < 0 && arch >= 0) {
		size_t mark = enter_value(c, arch);
		check_warn(c, RULE_LABEL_OS, "an arch label without an os label means nothing");
		check_leave(c, mark);
	}
}

void check_labels(struct check *c, const void *list)
{
	check_unique(c, list, sizeof(struct appc_pair), offsetof(struct appc_pair, name),
		FINDING_ERROR, RULE_LABEL_NAME, "label");
	check_os_arch(c, list);
}

void check_version(struct check *c, const char *s)
{
	uint64_t is[3], ours[3];

	if (!ac_version_ok(s, is)) {
		check_error(c, RULE_VERSION, "\"%.100s\" is not a semantic version (like %s)", s,
			APPC_VERSION);
		return;
	}
	if (!ac_version_ok(APPC_VERSION, ours))
		abort();
	if (!is[0] && !is[1] && !is[2])
		check_error(c, RULE_VERSION, "there is no version %.100s of the specification", s);
	if (is[0] > ours[0])
		check_error(c, RULE_VERSION,
			"version %.100s of the specification is not supported (at most %llu.x.y)",
			s, (unsigned long long)ours[0]);
}

void check_image_name(struct check *c, const char *s)
{
	check_identifier(c, RULE_IMAGE_NAME, "image name", s);
}

void check_image_id(struct check *c, const char *s)
{
	if (image_id_ok(s))
		return;
	if (image_id_ok_upper(s))
		check_warn(c, RULE_IMAGE_ID, "\"%.200s\" has capitals, by which no store will find an image", s);
	else
		check_error(c, RULE_IMAGE_ID,
			"\"%.200s\" is not an image ID (sha512- and 1 to 128 lower-case "
			"hexadecimal digits)",
			s);
}

void check_path_required(struct check *c, const char *s)
{
	if (*s)
		check_path(c, s);
	else
		check_error(c, RULE_REQUIRED, "path is empty");
}
