/* SPDX-License-Identifier: Apache-2.0
 * verify - see verify.h
 *
 * Hashing takes no lock: the blob may be replaced meanwhile by an import, or the image may go. So a finding is only
 * written to info/ while the blob still bears the seal that it bore when it was read.
 */
#include "core/store/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/store/internal.h"

#define CHUNK (128u << 10)
#define WHAT_MAX 256 /* of what is wrong with a blob */

int verify_policy_parse(const char *s, enum verify_policy *out, struct err *e)
{
	static const char *const names[] = {
		[VERIFY_CHANGED] = "changed", [VERIFY_ALWAYS] = "always", [VERIFY_NEVER] = "never",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], s)) {
			*out = (enum verify_policy)i;
			return 0;
		}
	return err_set(e, EINVAL, "want always, never or changed, got \"%s\"", s);
}

/* ---- what info/ says ---- */

/* the seal of what lies there now; none when nothing does */
static struct image_seal seal_now(const struct store *st, const struct image_id *id)
{
	struct image_seal s = { .ino = 0 };
	auto_close int fd = store_open_file(st, store_path("blob", id->s).s, O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		seal_take(fd, &s);
	return s;
}

/* @damaged NULL: the blob with the seal @seen is right; else what is wrong with it */
static int record(struct store *st, const struct image_id *id, const struct image_seal *seen, const char *damaged,
		  struct err *e)
{
	struct image_info i;

	auto_close int lock = store_publish_lock(st, e);
	if (lock < 0 || info_read(st, id, &i, e) < 0)
		return -1;
	struct image_seal now = seal_now(st, id);
	int r = 0;
	if (seal_same(&now, seen)) {
		free(i.damaged);
		i.damaged = damaged ? strdup(damaged) : NULL;
		if (!damaged)
			i.seal = *seen;
		r = damaged && !i.damaged ? err_set(e, ENOMEM, "out of memory") : info_write(st, &i, e);
	}
	image_info_free(&i);
	return r;
}

static int refuse(const struct image_id *id, const char *what, struct err *e)
{
	return err_set(e, EBADMSG, "image %.*s is damaged: cas/%s %s; fetch it again, or remove it with rkt image rm",
		       (int)strlen(IMAGE_ID_PREFIX) + IMAGE_KEY_HEX, id->s, store_path("blob", id->s).s, what);
}

/* a mark that cannot be written changes nothing for this caller, so it is only told */
static int damage(struct store *st, const struct image_id *id, const struct image_seal *seen, const char *what,
		  struct err *e)
{
	struct err why;

	if (record(st, id, seen, what, &why) < 0 && why.code != ENOENT)
		store_warn(st, "cannot mark image %.19s as damaged: %s", id->s, why.msg);
	return refuse(id, what, e);
}

int verify_damage(struct store *st, const struct image_id *id, const char *what, struct err *e)
{
	struct image_seal now = seal_now(st, id);

	return damage(st, id, &now, what, e);
}

/* ---- the blob ---- */

/* open, if it is a file of the size that it had; damage otherwise */
static int open_blob(struct store *st, const struct image_info *i, struct image_seal *seal, struct err *e)
{
	char what[WHAT_MAX];
	struct stat sb;

	*seal = (struct image_seal){ .ino = 0 };
	auto_close int fd = store_open_file(st, store_path("blob", i->id.s).s, O_RDONLY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return damage(st, &i->id, seal, "is missing", e);
	if (fd < 0 || fstat(fd, &sb) < 0 || seal_take(fd, seal) < 0)
		return err_sys(e, "open image %s", i->id.s);
	if (S_ISREG(sb.st_mode) && (uint64_t)sb.st_size == i->tar_bytes)
		return take_fd(&fd);
	snprintf(what, sizeof(what), "has %lld bytes, %llu were imported", (long long)sb.st_size,
		 (unsigned long long)i->tar_bytes);
	return damage(st, &i->id, seal, what, e);
}

bool verify_unchanged(struct store *st, const struct image_info *i)
{
	struct image_seal now;
	struct stat sb;
	auto_close int fd = store_open_file(st, store_path("blob", i->id.s).s, O_RDONLY | O_NONBLOCK);

	return fd >= 0 && !i->damaged && fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) &&
	       (uint64_t)sb.st_size == i->tar_bytes && seal_take(fd, &now) == 0 && seal_trusted(&i->seal, &now);
}

bool verify_index_unchanged(struct store *st, const struct image_id *id, int index_fd)
{
	struct image_seal now;
	struct image_info i;
	struct err ignored;

	if (st->verify.policy == VERIFY_ALWAYS || info_read(st, id, &i, &ignored) < 0)
		return false;
	bool same = seal_take(index_fd, &now) == 0 && seal_trusted(&i.index_seal, &now);
	image_info_free(&i);
	return same;
}

bool verify_is_digest(const struct image_id *id, const uint8_t digest[64])
{
	char hex[HASH_SHA512_HEX + 1];

	hash_hex(digest, HASH_SHA512_LEN, hex);
	return !strcmp(hex, id->s + strlen(IMAGE_ID_PREFIX));
}

static void tell(const struct store *st, uint64_t done, uint64_t total)
{
	if (st->verify.progress)
		st->verify.progress(st->verify.ctx, done, total);
}

/* -1/errno when it cannot be read to the end */
static int feed(struct store *st, int fd, uint64_t total, struct hash *h)
{
	auto_free uint8_t *buf = malloc(CHUNK);
	uint64_t done = 0;
	ssize_t n = -1;

	tell(st, 0, total);
	while (buf && (n = fd_read_full(fd, buf, CHUNK)) > 0) {
		hash_feed(h, buf, (size_t)n);
		done += (uint64_t)n;
		if (done < total)
			tell(st, done, total);
	}
	int why = errno;
	tell(st, total, total); /* whatever it led to: it is over */
	errno = why;
	return n < 0 ? -1 : 0;
}

/* 0: @fd holds what the ID says; EBADMSG and the mark when it does not */
static int hash_blob(struct store *st, const struct image_info *i, int fd, const struct image_seal *seal,
		     struct err *e)
{
	uint8_t digest[HASH_SHA512_LEN];
	char hex[HASH_SHA512_HEX + 1], what[WHAT_MAX];
	struct hash *h = hash_new(e);

	if (!h)
		return -1;
	int r = feed(st, fd, i->tar_bytes, h), why = errno;
	hash_final(h, digest);
	/* that is how fs-verity says that the disk's bytes are not the file's */
	if (r < 0 && why == EIO && *seal->verity)
		return damage(st, &i->id, seal, "cannot be read: fs-verity finds other bytes on the disk", e);
	errno = why;
	if (r < 0)
		return err_sys(e, "read image %s", i->id.s);
	hash_hex(digest, sizeof(digest), hex);
	if (!strcmp(hex, i->id.s + strlen(IMAGE_ID_PREFIX)))
		return 0;
	snprintf(what, sizeof(what), "hashes to sha512-%.32s...", hex);
	return damage(st, &i->id, seal, what, e);
}

/* a read-only store cannot keep the seal, and hashes again the next time */
static void reseal(struct store *st, const struct image_info *i, const struct image_seal *seal)
{
	struct err why;

	if ((i->damaged || !seal_same(&i->seal, seal)) && record(st, &i->id, seal, NULL, &why) < 0 &&
	    why.code != EROFS && why.code != ENOENT)
		store_warn(st, "cannot record that image %.19s is whole: %s", i->id.s, why.msg);
}

/* ---- before it is used ---- */

static int check(struct store *st, const struct image_info *i, struct err *e)
{
	struct image_seal seal;

	if (i->damaged)
		return refuse(&i->id, i->damaged, e);
	if (st->verify.policy == VERIFY_NEVER)
		return 0;
	auto_close int fd = open_blob(st, i, &seal, e);
	if (fd < 0)
		return -1;
	if (st->verify.policy == VERIFY_CHANGED && seal_trusted(&i->seal, &seal))
		return 0;
	if (hash_blob(st, i, fd, &seal, e) < 0)
		return -1;
	reseal(st, i, &seal);
	return 0;
}

int verify_image(struct store *st, const struct image_id *id, struct err *e)
{
	struct image_info i = { .id = *id, .tar_bytes = st->seen.tar_bytes, .seal = st->seen.seal };

	if (!strcmp(st->verified.s, id->s))
		return 0;
	if (strcmp(st->seen.id.s, id->s) != 0 && info_read(st, id, &i, e) < 0)
		return -1;
	int r = check(st, &i, e);
	image_info_free(&i);
	if (r == 0)
		st->verified = *id;
	return r;
}

/* ---- on demand ---- */

static int compare_manifest(struct store *st, const struct image_id *id, int fd, const struct image_seal *seal,
			    struct err *e)
{
	auto_free char *text = NULL;
	struct aci_result res = { 0 };
	struct findings f = { 0 };
	size_t len;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read image %s", id->s);
	auto_source struct source *src = source_fd(fd, e);
	int r = !src || aci_read_manifest(src, &res, &f, e) < 0 || store_manifest_text(st, id, &text, &len, e) < 0 ?
		-1 : 0;
	if (r == 0 && (len != res.manifest_len || memcmp(text, res.manifest_text, len)))
		r = damage(st, id, seal, "is whole, but the store's manifest differs from the one in it", e);
	findings_free(&f);
	aci_result_free(&res);
	return r;
}

int store_verify(struct store *st, const struct image_id *id, struct err *e)
{
	struct image_info i;
	struct image_seal seal;

	if (info_read(st, id, &i, e) < 0)
		return -1;
	auto_close int fd = open_blob(st, &i, &seal, e);
	int r = fd < 0 || hash_blob(st, &i, fd, &seal, e) < 0 || compare_manifest(st, id, fd, &seal, e) < 0 ? -1 : 0;
	if (r == 0)
		reseal(st, &i, &seal);
	image_info_free(&i);
	return r;
}
