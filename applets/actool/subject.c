/* SPDX-License-Identifier: Apache-2.0
 * subject - see subject.h
 *
 * Bytes come through one source from their begin to their end, and what they are is told from the first block: so a
 * pipe is as good as a file.
 */
#include "applets/actool/subject.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/ui.h"
#include "core/archive/aci.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/trust/decrypt.h"

static const char *const type_names[] = { "", "appimage", "layout", "manifest" };

const char *subject_type_name(enum subject_type t)
{
	return type_names[t];
}

enum subject_type subject_type_find(const char *name)
{
	for (enum subject_type t = SUBJECT_IMAGE; t <= SUBJECT_MANIFEST; t++)
		if (!strcmp(name, type_names[t]))
			return t;
	return SUBJECT_UNKNOWN;
}

/* trouble with the file itself, in the same words as the other findings */
static void bad_file(struct subject *s, const char *rule, const char *why)
{
	const struct appc_rule *r = policy_find(rule);

	findings_add(&s->f, FINDING_ERROR, r->id, r->section, "", FINDING_NO_OFFSET, "%s", why);
}

static void unread(struct subject *s, const struct err *e)
{
	s->unread = true;
	bad_file(s, "file-read", e->msg);
}

/* likewise, or it is encrypted, and damaged or not as images are: then what could be read was read */
static void unread_bytes(struct subject *s, const struct err *e)
{
	bool its_fault = s->encrypted && (e->code == EBADMSG || e->code == ENOTSUP);

	if (!s->encrypted || (!its_fault && e->code != EACCES)) {
		unread(s, e);
		return;
	}
	s->unread = !its_fault;
	bad_file(s, "aci-encryption", e->msg);
}

/* ---- the three types ---- */

/* the one kind of compression that we have and the spec has not */
static void check_compression(struct subject *s, enum inflate_format format)
{
	const struct appc_rule *r = policy_find("aci-compression");

	if (format == INFLATE_ZSTD)
		findings_add(&s->f, FINDING_WARNING, r->id, r->section, "", FINDING_NO_OFFSET,
			     "is compressed with zstd");
}

static void check_image(struct subject *s, struct source *in, const struct subject_how *how, uint64_t size)
{
	const struct aci_bounds bounds = {
		.threads = how->threads,
		/* what the spec asks for has no such bound; and memory has one anyway */
		.max_ratio = how->policy->profile == POLICY_APPC ? UINT64_MAX : 0,
	};
	struct ui_progress progress;
	const struct aci_handler h = { .ctx = &progress, .progress = how->progress ? ui_progress_at : NULL,
					 .undigested = !how->digest, .no_files = !strcmp(s->file, SUBJECT_STDIN) };
	struct aci_result r = { 0 };
	struct err e;

	s->valid_as = "app container image";
	if (how->progress)
		ui_progress_start(&progress, s->file, size);
	int status = aci_read(in, &bounds, ACI_ALL, &h, &r, &s->f, &e);
	if (how->progress)
		ui_progress_end(&progress);
	s->plain = r.format == INFLATE_NONE && !s->encrypted;
	check_compression(s, r.format);
	if (r.unread)
		unread_bytes(s, &e);
	if (status == 0 && how->digest) {
		strcpy(s->id, "sha512-");
		hash_hex(r.digest, sizeof(r.digest), s->id + strlen(s->id));
	}
	aci_result_free(&r);
}

static void check_layout(struct subject *s, int dir_fd)
{
	struct image_manifest m = { 0 };
	struct err e;

	s->valid_as = "image layout";
	s->plain = true;
	if ((aci_check_layout(dir_fd, &m, &s->f, &e) < 0 && !s->f.errors) || aci_audit_layout(dir_fd, &s->f, &e) < 0)
		unread(s, &e);
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
	manifest_locate(text, len, &s->f, 0, 0);
	pod_manifest_free(&pod);
	image_manifest_free(&image);
}

/* at most a block more than there may be */
static int read_text(struct source *in, struct buf *text, struct err *e)
{
	const uint8_t *p;
	size_t len;
	int r = 0;

	while (text->len <= APPC_MANIFEST_MAX && (r = in->next(in, &p, &len, e)) > 0)
		buf_add(text, p, len);
	if (r >= 0 && text->failed)
		return err_set(e, ENOMEM, "out of memory");
	return r < 0 ? -1 : 0;
}

static void check_manifest(struct subject *s, struct source *in)
{
	auto_buf struct buf text = { 0 };
	struct err e;

	s->plain = !s->encrypted;
	if (read_text(in, &text, &e) < 0)
		unread_bytes(s, &e);
	else
		check_text(s, text.data ? text.data : "", text.len);
}

/* ---- one file ---- */

/* Manifests begin with a brace; whatever has the magic of a compressed file or of a tar is an image. */
static enum subject_type detect(const uint8_t *p, size_t len)
{
	static const char *const magic[] = { "\x1f\x8b", "BZh", "\xfd\x37zXZ", "\x28\xb5\x2f\xfd" };
	const char *head = (const char *)p;
	size_t at = 0;

	while (at < len && strchr(" \t\r\n", head[at]) && head[at])
		at++;
	if (at < len && head[at] == '{')
		return SUBJECT_MANIFEST;
	for (size_t i = 0; i < sizeof(magic) / sizeof(*magic); i++)
		if (len >= strlen(magic[i]) && !memcmp(head, magic[i], strlen(magic[i])))
			return SUBJECT_IMAGE;
	return len >= 512 && !memcmp(head + 257, "ustar", 5) ? SUBJECT_IMAGE : SUBJECT_UNKNOWN;
}

static struct source *open_bytes(struct subject *s, int fd, const struct subject_how *how, const uint8_t **p, size_t *len)
{
	struct err e;
	struct source *in = source_fd(fd, &e);

	if (in)
		in = source_peek(in, p, len, &e);
	s->encrypted = in && decrypt_wanted(*p, *len);
	if (s->encrypted)
		in = passphrase_source(in, how->passphrase, &e);
	if (in && s->encrypted)
		in = source_peek(in, p, len, &e);
	if (!in)
		unread_bytes(s, &e);
	return in;
}

static void check_bytes(struct subject *s, int fd, const struct subject_how *how, uint64_t size)
{
	const uint8_t *p;
	size_t len;
	auto_source struct source *in = open_bytes(s, fd, how, &p, &len);

	if (!in)
		return;
	if (s->type == SUBJECT_UNKNOWN)
		s->type = detect(p, len);
	if (s->type == SUBJECT_IMAGE)
		check_image(s, in, how, size);
	else if (s->type == SUBJECT_MANIFEST)
		check_manifest(s, in);
	else
		bad_file(s, "file-type", "unable to detect filetype (try --type)");
}

static void check_open(struct subject *s, int fd, const struct stat *st, const struct subject_how *how)
{
	bool dir = S_ISDIR(st->st_mode);

	if (s->type == SUBJECT_UNKNOWN && dir)
		s->type = SUBJECT_LAYOUT;
	if (dir != (s->type == SUBJECT_LAYOUT))
		bad_file(s, "file-type", dir ? "is a directory (wrong --type?)" : "is not a directory (wrong --type?)");
	else if (dir)
		check_layout(s, fd);
	else
		check_bytes(s, fd, how, (uint64_t)st->st_size);
}

void subject_check(struct subject *s, const struct subject_how *how)
{
	bool input = !strcmp(s->file, SUBJECT_STDIN);
	struct stat st;
	struct err e;

	s->type = how->type;
	s->f.policy = &how->policy->base;
	auto_close int opened = input ? -1 : fd_open_input(s->file, &st, &e);
	if (!input && opened < 0) {
		err_wrap(&e, "unable to open");
		unread(s, &e);
	} else if (input && fstat(0, &st) < 0) {
		err_sys(&e, "standard input");
		unread(s, &e);
	} else {
		check_open(s, input ? 0 : opened, &st, how);
	}
}

void subject_free(struct subject *s)
{
	findings_free(&s->f);
}

bool subject_ok(const struct subject *s, bool strict)
{
	return !s->unread && !s->f.errors && !(strict && s->f.warnings);
}
