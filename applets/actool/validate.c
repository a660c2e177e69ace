/* SPDX-License-Identifier: Apache-2.0
 * actool validate - checks images, unpacked layouts and manifests, and tells everything that is wrong with them
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/actool/actool.h"
#include "applets/actool/report.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/archive/aci.h"
#include "core/base/fd.h"
#include "core/base/json.h"

struct validate_opts {
	struct actool_globals g;
	const char           *type, *format;
};

static const struct opt validate_opts[] = {
	OPT_TEXT(0, "type", "TYPE", struct validate_opts, type,
		 "appimage, layout or manifest; without it, what the file looks like"),
	OPT_TEXT(0, "format", "FORMAT", struct validate_opts, format,
		 "json or json-pretty: all findings on stdout"),
	OPT_PART("Global options", actool_globals_opts, struct validate_opts, g),
	OPT_END
};

enum type { UNKNOWN, APPIMAGE, LAYOUT, MANIFEST };
static const char *const type_names[] = { "", "appimage", "layout", "manifest" };

/* one file under test */
struct subject {
	const char     *file, *valid_as; /* "app container image" */
	enum type       type;
	int             fd;
	struct stat     st;
	struct findings f;
	char            id[sizeof("sha512-") + HASH_SHA512_HEX]; /* of an image, when it was read to its end */
};

static enum type find_type(const char *name)
{
	for (enum type t = APPIMAGE; t <= MANIFEST; t++)
		if (!strcmp(name, type_names[t]))
			return t;
	return UNKNOWN;
}

/* trouble with the file itself, in the same words as the other findings */
static void bad_file(struct subject *s, const char *why)
{
	findings_add(&s->f, FINDING_ERROR, "file", "", "", FINDING_NO_OFFSET, "%s", why);
}

/* ---- the three types ---- */

static void check_image(struct subject *s, struct err *e)
{
	static const struct aci_bounds bounds = { 0 };
	struct ui_progress progress;
	const struct aci_handler h = { .ctx = &progress, .progress = ui_progress_at };
	struct aci_result r = { 0 };
	auto_source struct source *in = source_fd(s->fd, e);

	s->valid_as = "app container image";
	if (!in) {
		bad_file(s, e->msg);
		return;
	}
	ui_progress_start(&progress, s->file, (uint64_t)s->st.st_size);
	int status = aci_read(in, &bounds, ACI_ALL, &h, &r, &s->f, e);
	ui_progress_end(&progress);
	if (status < 0 && !s->f.errors)
		bad_file(s, e->msg);
	if (!s->f.errors) {
		strcpy(s->id, "sha512-");
		hash_hex(r.digest, sizeof(r.digest), s->id + strlen(s->id));
	}
	aci_result_free(&r);
}

static void check_layout(struct subject *s, struct err *e)
{
	struct image_manifest m = { 0 };

	s->valid_as = "image layout";
	if (aci_check_layout(s->fd, &m, &s->f, e) < 0 && !s->f.errors)
		bad_file(s, e->msg);
	image_manifest_free(&m);
}

static bool is_pod(const char *text, size_t len)
{
	struct json_error ignored;
	auto_json cJSON *j = json_parse(text, len, &ignored);
	const char *kind = j ? json_str(j, "acKind") : NULL;

	return kind && !strcmp(kind, "PodManifest");
}

static void check_text(struct subject *s, const char *text, size_t len)
{
	struct pod_manifest pod = { 0 };
	struct image_manifest image = { 0 };
	bool a_pod = is_pod(text, len);

	s->valid_as = a_pod ? "PodManifest" : "ImageManifest";
	if (a_pod)
		pod_manifest_parse(text, len, &pod, &s->f);
	else
		image_manifest_parse(text, len, &image, &s->f);
	pod_manifest_free(&pod);
	image_manifest_free(&image);
}

static void check_manifest(struct subject *s, struct err *e)
{
	auto_free char *text = xmalloc(APPC_MANIFEST_MAX + 1);
	ssize_t n = fd_read_full(s->fd, text, APPC_MANIFEST_MAX + 1);

	if (n < 0) {
		err_sys(e, "read");
		bad_file(s, e->msg);
	} else if (n > (ssize_t)APPC_MANIFEST_MAX) {
		bad_file(s, "more than the 4 MiB that a manifest may have");
	} else {
		check_text(s, text, (size_t)n);
	}
}

/* ---- one file ---- */

/* Manifests begin with a brace; whatever has the magic of a compressed file or of a tar is an image. */
static enum type detect(int fd)
{
	static const char *const magic[] = { "\x1f\x8b", "BZh", "\xfd\x37zXZ", "\x28\xb5\x2f\xfd" };
	char head[512] = "";
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n <= 0)
		return UNKNOWN;
	if (head[strspn(head, " \t\r\n")] == '{')
		return MANIFEST;
	for (size_t i = 0; i < sizeof(magic) / sizeof(*magic); i++)
		if (!strncmp(head, magic[i], strlen(magic[i])))
			return APPIMAGE;
	return !memcmp(head + 257, "ustar", 5) ? APPIMAGE : UNKNOWN;
}

static bool open_subject(struct subject *s, struct err *e)
{
	s->fd = fd_open_input(s->file, &s->st, e);
	if (s->fd < 0) {
		err_wrap(e, "unable to open");
		bad_file(s, e->msg);
		return false;
	}
	bool dir = S_ISDIR(s->st.st_mode);
	if (s->type == UNKNOWN)
		s->type = dir ? LAYOUT : detect(s->fd);
	if (s->type == UNKNOWN)
		bad_file(s, "unable to detect filetype (try --type)");
	else if (dir != (s->type == LAYOUT))
		bad_file(s, dir ? "is a directory (wrong --type?)" : "is not a directory (wrong --type?)");
	return !s->f.errors;
}

static void check(struct subject *s)
{
	struct err e;

	if (!open_subject(s, &e))
		return;
	if (s->type == APPIMAGE)
		check_image(s, &e);
	else if (s->type == LAYOUT)
		check_layout(s, &e);
	else
		check_manifest(s, &e);
}

/* ---- output ---- */

static void print_text(const struct subject *s, bool debug)
{
	actool_report(s->file, &s->f);
	if (s->f.errors || !debug)
		return;
	auto_free char *text = xasprintf("valid %s", s->valid_as);
	actool_say(s->file, text);
}

static void add_finding(cJSON *list, const struct finding *v)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "level", v->level == FINDING_ERROR ? "error" : "warning");
	cJSON_AddStringToObject(o, "rule", v->rule);
	cJSON_AddStringToObject(o, "section", v->section);
	cJSON_AddStringToObject(o, "where", v->where);
	cJSON_AddStringToObject(o, "text", v->text);
	if (v->offset != FINDING_NO_OFFSET)
		cJSON_AddNumberToObject(o, "offset", (double)v->offset);
	cJSON_AddItemToArray(list, o);
}

static void add_json(cJSON *all, const struct subject *s)
{
	struct buf name = { 0 };
	cJSON *o = cJSON_CreateObject();

	buf_clean(&name, s->file, strlen(s->file));
	cJSON_AddStringToObject(o, "file", name.data ? name.data : "");
	buf_free(&name);
	cJSON_AddStringToObject(o, "type", type_names[s->type]);
	cJSON_AddBoolToObject(o, "valid", !s->f.errors);
	if (*s->id)
		cJSON_AddStringToObject(o, "imageID", s->id);
	cJSON_AddNumberToObject(o, "errors", (double)s->f.errors);
	cJSON_AddNumberToObject(o, "warnings", (double)s->f.warnings);
	cJSON *list = cJSON_AddArrayToObject(o, "findings");
	for (size_t i = 0; i < s->f.n; i++)
		add_finding(list, &s->f.v[i]);
	cJSON_AddItemToArray(all, o);
}

static int validate_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct validate_opts *o = opts;
	enum type type = o->type ? find_type(o->type) : UNKNOWN;
	enum ui_format format;
	int status = 0;

	if (o->type && type == UNKNOWN)
		return err_set(e, EINVAL, "--type: want appimage, layout or manifest, got \"%s\"", o->type);
	if (!argc)
		return err_set(e, EINVAL, "must pass one or more files (see --help)");
	if (ui_format(o->format, &format, e) < 0)
		return -1;
	cJSON *all = format == UI_TEXT ? NULL : cJSON_CreateArray();
	for (int i = 0; i < argc; i++) {
		struct subject s = { .file = argv[i], .type = type, .fd = -1 };
		check(&s);
		if (all)
			add_json(all, &s);
		else
			print_text(&s, o->g.debug);
		if (s.f.errors)
			status = 1;
		findings_free(&s.f);
		fd_cleanup(&s.fd);
	}
	return all && ui_json(all, format, e) < 0 ? -1 : status;
}

const struct cmd actool_validate_cmd = {
	.name = "validate", .args = "FILE...", .summary = "Check images, image layouts and manifests.",
	.more = "Says nothing and exits with 0 when all is well. Each finding is a line on stderr:\n"
		"FILE: error: WHERE: TEXT [RULE]. Warnings do not change the exit status.\n",
	.opts = validate_opts, .opts_size = sizeof(struct validate_opts), .inherits = true, .run = validate_run,
};
