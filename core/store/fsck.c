/* SPDX-License-Identifier: Apache-2.0
 * fsck - see fsck.h
 *
 * An image is looked at without a lock first. Only if something seems wrong it is looked at again under the publish lock,
 * when it can neither be half imported nor half removed; so a store that is sound keeps nobody waiting, and waits for
 * nobody. Blobs are hashed without it. What an image needs besides its blob is made from the blob, once that has been
 * hashed.
 */
#include "core/store/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/store/erofs.h"
#include "core/store/internal.h"
#include "core/store/partial.h"

#define FETCH_OR_RM "fetch it again, or remove it with rkt image rm"

/* the entries of name/ that an image has a right to; the second is "" when it has no version */
struct names {
	struct image_id id;
	char            keys[2][STORE_KEY_HEX + 1];
};

struct fsck {
	struct store           *st;
	const struct fsck_opts *o;
	struct names           *names; /* of the images that there are, sorted; an ID tells the name, so they stay right */
	size_t                  n_names;
};

static void tell(const struct fsck *f, const char *path, const char *what, bool repaired, const char *remedy)
{
	const struct fsck_finding found = { .path = path, .what = what, .remedy = remedy, .repaired = repaired };

	f->o->found(f->o->ctx, &found);
}

/* A disk that fails, or want of memory, says nothing about what was to be looked at: it is left as it is. */
static bool is_no_answer(const struct err *e)
{
	return e->code == EIO || e->code == ENOMEM || e->code == EMFILE || e->code == ENFILE || e->code == EACCES ||
	       e->code == EPERM;
}

static void tell_no_answer(const struct fsck *f, const char *path, const struct err *why)
{
	tell(f, path, why->msg, false, "cannot be told as long as it cannot be read");
}

/* @r: of the attempt to repair, made only if that is wanted; then @why says what hindered it */
static void tell_mended(const struct fsck *f, const char *path, const char *what, int r, const struct err *why,
			const char *done)
{
	if (!f->o->repair)
		tell(f, path, what, false, "--repair mends it");
	else
		tell(f, path, what, r == 0, r == 0 ? done : why->msg);
}

/* ---- modes ---- */

/* In a shared store members own what they fetched, and the group has its rights: share.h. */
static mode_t shared_mode(const char *path, mode_t want)
{
	return want == 0400 ? 0440 : !strcmp(path, "tree") ? 02700 :
	       !strcmp(path, ".") || !strcmp(path, "blob") ? 03770 : 02770;
}

static void check_mode(const struct fsck *f, const char *path, mode_t want)
{
	int cas_fd = f->st->cas_fd;
	bool shared = store_is_shared(f->st);
	struct stat sb;
	struct err why;
	int r = 0;

	if (shared)
		want = shared_mode(path, want);
	if (fstatat(cas_fd, path, &sb, AT_SYMLINK_NOFOLLOW) < 0) {
		err_sys(&why, "look at it");
		if (is_no_answer(&why))
			tell_no_answer(f, path, &why);
		return;
	}
	if (S_ISLNK(sb.st_mode) || ((sb.st_mode & 07777) == want && (shared || sb.st_uid == geteuid())))
		return;
	if (f->o->repair && (fchownat(cas_fd, path, shared ? (uid_t)-1 : geteuid(), (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 ||
			     fchmodat(cas_fd, path, want, 0) < 0))
		r = err_sys(&why, "change it");
	tell_mended(f, path, "has another mode or owner than it should", r, &why, "set");
}

static void check_dir(const struct fsck *f, const char *path)
{
	struct stat sb;
	struct err why;
	int r = 0;

	if (fstatat(f->st->cas_fd, path, &sb, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT) {
		check_mode(f, path, 0700);
		return;
	}
	if (f->o->repair && mkdirat(f->st->cas_fd, path, 0700) < 0)
		r = err_sys(&why, "make it");
	tell_mended(f, path, "is missing", r, &why, "made");
}

static void check_dirs(const struct fsck *f)
{
	static const char *const dirs[] = {
		".", "blob", "blob/sha512", "manifest", "info", "remote", "name", "used", "tree",
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		check_dir(f, dirs[i]);
	/* made by the first download */
	check_mode(f, PARTIAL_DIR, 0700);
}

/* changing the mode of a blob breaks its seal; one that was whole before is so afterwards */
static void check_blob_mode(const struct fsck *f, struct image_info *i)
{
	struct store_path path = store_path("blob", i->id.s);
	bool sealed = verify_unchanged(f->st, i);
	struct err ignored;

	check_mode(f, path.s, 0400);
	if (!sealed || verify_unchanged(f->st, i))
		return;
	auto_close int fd = store_open_file(f->st, path.s, O_RDONLY);
	if (fd >= 0 && seal_take(fd, &i->seal) == 0)
		info_write(f->st, i, &ignored); /* or it is hashed at the next start */
}

/* ---- from the blob ---- */

/* what the blob says of itself, after all of it was hashed; aci_result_free() it either way */
static int read_blob(const struct fsck *f, const struct image_id *id, struct image_seal *seal, struct aci_result *res,
		     struct err *e)
{
	struct findings list = { 0 };
	auto_close int fd = store_open_file(f->st, store_path("blob", id->s).s, O_RDONLY | O_NONBLOCK);

	if (fd < 0 || seal_take(fd, seal) < 0)
		return err_sys(e, "open its content");
	auto_source struct source *src = source_fd(fd, e);
	int r = src ? aci_read(src, &(struct aci_bounds){ 0 }, ACI_STRICT, &(struct aci_handler){ .ctx = NULL }, res,
			       &list, e) : -1;
	findings_free(&list);
	if (r < 0)
		return err_wrap(e, "its content");
	return verify_is_digest(id, res->digest) ? 0 : err_set(e, EBADMSG, "its content is damaged, too: "
							       "remove it with rkt image rm");
}

static int write_manifest(const struct fsck *f, const struct image_id *id, const struct aci_result *res, struct err *e)
{
	return fd_publish(f->st->cas_fd, store_path("manifest", id->s).s, res->manifest_text, res->manifest_len,
			  store_file_mode(f->st), true, e);
}

static int mend_manifest(const struct fsck *f, const struct image_id *id, struct err *e)
{
	struct aci_result res = { 0 };
	struct image_seal seal;

	int r = read_blob(f, id, &seal, &res, e);
	auto_close int lock = r < 0 ? -1 : store_publish_lock(f->st, e);
	r = lock < 0 ? -1 : write_manifest(f, id, &res, e);
	aci_result_free(&res);
	return r;
}

/* Who vouched for it, and where it came from, is lost: so nobody did. */
static int publish_info(const struct fsck *f, const struct image_id *id, const struct image_seal *seal,
			const struct aci_result *res, struct err *e)
{
	char insecure[] = "insecure";
	struct image_info i = {
		.id = *id, .name = res->manifest.name, .labels = res->manifest.labels, .tar_bytes = res->tar_bytes,
		.import_ns = (int64_t)seal->mtime_ns, .verified_by = insecure, .seal = *seal,
	};
	auto_close int lock = store_publish_lock(f->st, e);

	return lock < 0 || write_manifest(f, id, res, e) < 0 || store_index(f->st, &i, e) < 0 ||
	       store_index_sync(f->st, &i, e) < 0 || info_write(f->st, &i, e) < 0 ? -1 : 0;
}

static void check_record(const struct fsck *f, const struct image_id *id, const char *what)
{
	struct aci_result res = { 0 };
	struct image_seal seal;
	struct err why;
	int r = 0;

	if (f->o->repair)
		r = read_blob(f, id, &seal, &res, &why) < 0 || publish_info(f, id, &seal, &res, &why) < 0 ? -1 : 0;
	aci_result_free(&res);
	tell_mended(f, store_path("info", id->s).s, what, r, &why,
		    "written anew from the image; that it was verified, and where it is from, is lost");
}

/* ---- an image ---- */

static int names_of(const struct image_info *i, struct names *out, struct err *e)
{
	const char *version = appc_pair_find(&i->labels, "version");

	*out = (struct names){ .id = i->id };
	return store_key(i->name, NULL, out->keys[0], e) < 0 ||
	       (version && store_key(i->name, version, out->keys[1], e) < 0) ? -1 : 0;
}

static bool has_name(const struct fsck *f, const struct image_id *id, const char *key)
{
	return !*key || store_has(f->st, store_path("name", key).s, id->s);
}

static void check_entries(const struct fsck *f, const struct image_info *i, struct names *n)
{
	struct err why;

	if (names_of(i, n, &why) == 0 && has_name(f, &i->id, n->keys[0]) && has_name(f, &i->id, n->keys[1]) &&
	    store_has(f->st, "used", i->id.s))
		return;
	int r = f->o->repair && (store_index(f->st, i, &why) < 0 || store_index_sync(f->st, i, &why) < 0) ? -1 : 0;
	tell_mended(f, store_path("info", i->id.s).s, "entries in name or used are missing, so it is not found by its name", r,
		    &why, "made");
}

static void check_blob(const struct fsck *f, struct image_info *i)
{
	struct store_path path = store_path("blob", i->id.s);
	struct err why;

	if (i->damaged) {
		if (!f->o->full) /* else we shall see */
			tell(f, path.s, i->damaged, false, "marked as damaged: " FETCH_OR_RM);
		return;
	}
	auto_close int fd = store_blob(f->st, &i->id, &why);
	if (fd >= 0) {
		check_blob_mode(f, i);
		return;
	}
	if (is_no_answer(&why)) {
		tell_no_answer(f, path.s, &why);
		return;
	}
	const char *what = "is missing, or is not as large as what was imported";
	/* the lock of info/ is ours: so not through verify_damage() */
	i->damaged = f->o->repair ? strdup(what) : NULL;
	bool marked = i->damaged && info_write(f->st, i, &why) == 0;
	tell(f, path.s, what, false, marked ? "marked as damaged: " FETCH_OR_RM : FETCH_OR_RM);
}

/* A cache, but one that is trusted when it is mounted by somebody else's hand. One of another version is not wrong. */
static void check_index(const struct fsck *f, const struct image_id *id)
{
	struct store_path path = store_path("index", id->s);
	struct erofs_info info;
	struct err what, why;
	int r = 0;

	auto_close int fd = store_open_file(f->st, path.s, O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		err_sys(&what, "open");
		if (what.code != ENOENT)
			tell_no_answer(f, path.s, &what);
		return;
	}
	if (f->o->full ? erofs_check(fd, &what) == 0 : erofs_open(fd, &info, &what) == 0) {
		if (!f->o->full)
			erofs_info_free(&info);
		return;
	}
	if (what.code == ESTALE)
		return;
	if (is_no_answer(&what)) {
		tell_no_answer(f, path.s, &what);
		return;
	}
	if (f->o->repair && unlinkat(f->st->cas_fd, path.s, 0) < 0)
		r = err_sys(&why, "remove it");
	tell_mended(f, path.s, what.msg, r, &why, "removed; the next start makes it anew");
}

/* 1: its manifest is to be mended, which takes the lock again; 2: its info; 0. *names: "" as ID if they cannot be told */
static int check_parts(const struct fsck *f, const struct image_id *id, struct names *names, struct err *why)
{
	struct image_info i;
	struct image_manifest m;

	*names = (struct names){ .id.s = "" };
	if (info_read(f->st, id, &i, why) < 0) {
		if (!is_no_answer(why))
			return why->code == ENOENT ? 0 : 2; /* removed a moment ago, or damaged */
		tell_no_answer(f, store_path("info", id->s).s, why);
		return 0;
	}
	check_mode(f, store_path("info", id->s).s, 0400);
	check_mode(f, store_path("manifest", id->s).s, 0400);
	check_entries(f, &i, names);
	check_blob(f, &i);
	check_index(f, id);
	bool damaged = i.damaged;
	image_info_free(&i);
	if (damaged)
		return 0;
	if (store_manifest(f->st, id, &m, why) < 0)
		return 1;
	image_manifest_free(&m);
	return 0;
}

static void check_manifest(const struct fsck *f, const struct image_id *id, const char *what)
{
	struct err why;
	int r = f->o->repair ? mend_manifest(f, id, &why) : 0;

	tell_mended(f, store_path("manifest", id->s).s, what, r, &why, "written anew from the image");
}

/* all bytes; a manifest that is not the image's is the one thing that can be mended */
static void check_content(const struct fsck *f, const struct image_id *id)
{
	struct err what, why;

	if (store_verify(f->st, id, &what) == 0 || what.code == ENOENT)
		return;
	if (f->o->repair && mend_manifest(f, id, &why) == 0 && store_verify(f->st, id, &why) == 0)
		tell(f, store_path("manifest", id->s).s, what.msg, true, "written anew from the image");
	else
		tell(f, store_path("blob", id->s).s, what.msg, false, FETCH_OR_RM);
}

static void note(void *found, const struct fsck_finding *f)
{
	(void)f;
	*(bool *)found = true;
}

static bool seems_sound(const struct fsck *f, const struct image_id *id, struct names *names)
{
	bool found = false;
	const struct fsck_opts o = { .full = f->o->full, .ctx = &found, .found = note };
	const struct fsck look = { .st = f->st, .o = &o };
	struct err ignored;

	return check_parts(&look, id, names, &ignored) == 0 && !found && *names->id.s;
}

static int check_locked(const struct fsck *f, const struct image_id *id, struct names *names, struct err *what,
			struct err *e)
{
	auto_close int lock = store_publish_lock(f->st, e);

	return lock < 0 ? -1 : check_parts(f, id, names, what);
}

static int check_image(const struct fsck *f, const struct image_id *id, struct names *names, struct err *e)
{
	struct err what;
	int next = seems_sound(f, id, names) ? 0 : check_locked(f, id, names, &what, e);
	bool content = f->o->full;

	if (next == 2) {
		check_record(f, id, what.msg); /* which reads all of the image */
		content = false;
		/* with a record again there are names, and more to look at */
		next = seems_sound(f, id, names) || !f->o->repair ? 0 : check_locked(f, id, names, &what, e);
	}
	if (next == 1)
		check_manifest(f, id, what.msg);
	if (next >= 0 && next < 2 && content)
		check_content(f, id);
	return next < 0 ? -1 : 0;
}

static int check_images(struct fsck *f, const struct image_ids *all, struct err *e)
{
	f->names = malloc((all->n + 1) * sizeof(*f->names));
	if (!f->names)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < all->n; i++) {
		struct names *n = &f->names[f->n_names];
		if (check_image(f, &all->v[i], n, e) < 0)
			return -1;
		f->n_names += *n->id.s != 0;
	}
	return 0;
}

/* ---- what leads to images ---- */

static int compare_id(const void *id, const void *names)
{
	return strcmp(id, ((const struct names *)names)->id.s);
}

/* an entry of name/KEY/: of an image that is there, but does not bear that name */
static void check_name(const struct fsck *f, const char *key, const char *id)
{
	struct store_path path = store_path(store_path("name", key).s, id);
	const struct names *n = f->n_names ? bsearch(id, f->names, f->n_names, sizeof(*n), compare_id) : NULL;
	struct err why;

	/* not there: a leftover, or told of already */
	if (!n || !strcmp(key, n->keys[0]) || !strcmp(key, n->keys[1]))
		return;
	int r = f->o->repair && unlinkat(f->st->cas_fd, path.s, 0) < 0 ? err_sys(&why, "remove it") : 0;
	tell_mended(f, path.s, "is an entry under a name that the image does not have", r, &why, "removed");
}

static void check_remote(const struct fsck *f, const char *dir, const char *name)
{
	struct store_path path = store_path(dir, name);
	char key[STORE_KEY_HEX + 1];
	auto_free char *text = NULL;
	struct err why;
	size_t len;

	auto_json cJSON *j = fd_read_file(f->st->cas_fd, path.s, 1u << 16, &text, &len, &why) < 0 ? NULL :
		json_parse_err(text, len, &why);
	const char *url = j ? json_str(j, "url") : NULL;
	if (url && store_key(url, NULL, key, &why) == 0 && !strcmp(key, name))
		return;
	int r = f->o->repair && unlinkat(f->st->cas_fd, path.s, 0) < 0 ? err_sys(&why, "remove it") : 0;
	tell_mended(f, path.s, "is not the record of the URL that its name stands for", r, &why, "removed");
}

static void each(const struct fsck *f, const char *dir,
		 void (*fn)(const struct fsck *f, const char *dir, const char *name))
{
	auto_dir_reader struct dir d;
	const struct dirent *de;

	if (store_read_dir(f->st, dir, &d) < 0)
		return;
	while ((de = dir_next(&d)))
		if (*de->d_name != '.')
			fn(f, dir, de->d_name);
}

static void check_name_entry(const struct fsck *f, const char *dir, const char *name)
{
	if (store_is_id(name))
		check_name(f, strrchr(dir, '/') + 1, name);
}

static void check_name_dir(const struct fsck *f, const char *dir, const char *name)
{
	each(f, store_path(dir, name).s, check_name_entry);
}

/* What is wrong here is wrong whatever the others do meanwhile: an ID is that of a name for ever, and so is a key. */
static void check_ways(const struct fsck *f)
{
	each(f, "name", check_name_dir);
	each(f, "remote", check_remote);
}

int store_fsck(struct store *st, const struct fsck_opts *o, uint64_t *n_images, struct err *e)
{
	struct fsck f = { .st = st, .o = o };
	struct image_ids all;

	*n_images = 0;
	if (st->cas_fd < 0)
		return 0;
	check_dirs(&f);
	if (store_ids(st, &all, e) < 0)
		return -1;
	int r = check_images(&f, &all, e);
	if (r == 0)
		check_ways(&f);
	*n_images = all.n;
	image_ids_free(&all);
	free(f.names);
	return r;
}
