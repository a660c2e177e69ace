/* SPDX-License-Identifier: Apache-2.0
 * build_how - see build_how.h
 */
#include "applets/actool/build_how.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/appc/types.h"
#include "core/base/num.h"

const struct opt build_how_opts[] = {
	OPT_TEXT(0, "compression", "FORMAT", struct build_how, compression, "gzip (default), xz, zstd or none"),
	OPT_TEXT(0, "level", "N", struct build_how, level,
		 "how hard to compress: gzip 1-9 (default 1), xz 0-9 (default 6), zstd 1-4 (default 3)"),
	OPT_BOOL(0, "no-compression", struct build_how, no_compression, "the same as --compression=none"),
	OPT_TEXT(0, "mtime", "TIME", struct build_how, mtime,
		 "the time of everything: seconds since 1970, or like 2026-01-31T12:00:00Z"),
	OPT_TEXT(0, "owner", "UID:GID", struct build_how, owner, "let everything belong to these numbers"),
	OPT_BOOL(0, "owner-root", struct build_how, owner_root, "let everything belong to root, 0:0"),
	OPT_TEXT(0, "mode-mask", "OCTAL", struct build_how, mode_mask, "take these bits away from all modes"),
	OPT_LIST(0, "exclude", "GLOB", struct build_how, exclude,
		 "leave out what matches, and all below it; may be repeated"),
	OPT_END
};

/* ---- compression ---- */

static int read_level(const char *text, struct write_opts *o, struct err *e)
{
	const struct encoder *c = o->compression;
	uint64_t n;

	if (!text) {
		o->level = c ? c->level_default : 0;
		return 0;
	}
	if (!c)
		return err_set(e, EINVAL, "--level: nothing is compressed; leave it out, or choose --compression=gzip, xz or zstd");
	if (num_u64(text, INT32_MAX, &n, e) < 0)
		return err_wrap(e, "--level");
	if ((int)n < c->level_min || (int)n > c->level_max)
		return err_set(e, EINVAL, "--level: %s has levels from %d to %d, not %s", c->name, c->level_min,
			       c->level_max, text);
	o->level = (int)n;
	return 0;
}

static int read_compression(const struct build_how *h, struct write_opts *o, struct err *e)
{
	const char *name = h->compression ? h->compression : h->no_compression ? "none" : "gzip";

	if (compress_choose(name, &o->compression, e) < 0)
		return err_wrap(e, "--compression");
	if (h->no_compression && o->compression)
		return err_set(e, EINVAL, "--no-compression and --compression=%s: want one of them", name);
	return read_level(h->level, o, e);
}

/* ---- time ---- */

static int two_digits(const char *s)
{
	return (s[0] - '0') * 10 + s[1] - '0';
}

/* RFC 3339; what is not whole seconds would not be exactly the time that was asked for */
static int read_date(const char *text, int64_t *s, struct err *e)
{
	if (!ac_date_ok(text) || strchr(text, '.'))
		return err_set(e, EINVAL, "\"%s\": want whole seconds since 1970, or a date like 2026-01-31T12:00:00Z or "
			"2026-01-31T13:00:00+01:00", text);
	struct tm tm = {
		.tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900, .tm_mon = two_digits(text + 5) - 1,
		.tm_mday = two_digits(text + 8), .tm_hour = two_digits(text + 11), .tm_min = two_digits(text + 14),
		.tm_sec = two_digits(text + 17),
	};
	const char *zone = text + 19;
	*s = (int64_t)timegm(&tm);
	if (*zone != 'Z')
		*s -= (*zone == '-' ? -60 : 60) * (two_digits(zone + 1) * 60 + two_digits(zone + 4));
	return 0;
}

static int read_seconds(const char *text, int64_t *s, struct err *e)
{
	bool before = *text == '-';
	uint64_t n;

	if (num_u64(text + before, INT64_MAX, &n, e) < 0)
		return -1;
	*s = before ? -(int64_t)n : (int64_t)n;
	return 0;
}

static int read_mtime(const char *text, struct write_opts *o, struct err *e)
{
	bool date = strpbrk(text, "T:") != NULL;

	o->mtime = WRITE_MTIME_ALL;
	return (date ? read_date : read_seconds)(text, &o->mtime_s, e) < 0 ? err_wrap(e, "--mtime") : 0;
}

static int read_epoch(struct write_opts *o, struct err *e)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t s;

	if (!epoch || !*epoch)
		return 0;
	if (num_u64(epoch, INT64_MAX, &s, e) < 0)
		return err_wrap(e, "SOURCE_DATE_EPOCH");
	o->mtime = WRITE_MTIME_CLAMP;
	o->mtime_s = (int64_t)s;
	return 0;
}

/* ---- owner ---- */

static int read_owner(const struct build_how *h, struct write_opts *o, struct err *e)
{
	char uid[16];
	size_t n = h->owner ? strcspn(h->owner, ":") : 0;

	o->owner = h->owner || h->owner_root;
	if (!h->owner)
		return 0;
	if (h->owner_root)
		return err_set(e, EINVAL, "--owner and --owner-root: want one of them");
	if (n >= sizeof(uid) || !h->owner[n])
		return err_set(e, EINVAL, "--owner: \"%s\": want two numbers, such as 1000:1000", h->owner);
	memcpy(uid, h->owner, n);
	uid[n] = 0;
	return num_id(uid, &o->uid, e) < 0 || num_id(h->owner + n + 1, &o->gid, e) < 0 ? err_wrap(e, "--owner") : 0;
}

int build_how_read(const struct build_how *h, struct write_opts *o, struct exclude *x, struct err *e)
{
	if (read_compression(h, o, e) < 0 || read_owner(h, o, e) < 0 ||
	    (h->mtime ? read_mtime(h->mtime, o, e) : read_epoch(o, e)) < 0)
		return -1;
	if (h->mode_mask && num_mode(h->mode_mask, &o->mode_mask, e) < 0)
		return err_wrap(e, "--mode-mask");
	for (size_t i = 0; i < h->exclude.n; i++)
		if (exclude_add(x, h->exclude.v[i], e) < 0)
			return err_wrap(e, "--exclude");
	o->exclude = x->n ? x : NULL;
	return 0;
}
