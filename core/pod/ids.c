/* SPDX-License-Identifier: Apache-2.0
 * ids - see ids.h
 *
 * Ranges lie from 0x70000000 on. Who shares out ids on Linux leaves these alone: login users and dynamic ones are far
 * below, containers of systemd end there, and from 0x7ffe0000 on are its foreign ids; ids with the highest bit set
 * meet programs that take them for negative numbers.
 * Source: systemd, "Users, Groups, UIDs and GIDs on systemd Systems".
 */
#include "core/pod/ids.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/base/num.h"
#include "core/pod/place.h"

#define FIRST 0x70000000u
#define END   0x7ffe0000u
#define N     ((END - FIRST) / POD_IDS_COUNT)

_Static_assert((END - FIRST) % POD_IDS_COUNT == 0, "whole ranges");

/* ---- as text ---- */

int pod_ids_parse(const char *text, struct pod_ids *out, struct err *e)
{
	char first[12];
	uint64_t f, n;
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (!colon || len >= sizeof(first))
		return err_set(e, EINVAL, "\"%.40s\" is no range of ids (FIRST:COUNT)", text);
	memcpy(first, text, len);
	first[len] = 0;
	if (num_u64(first, UINT32_MAX - 1, &f, e) < 0 || num_u64(colon + 1, UINT32_MAX - 1, &n, e) < 0)
		return err_wrap(e, "range of ids");
	/* its user 0 would be root of the host */
	if (!f || !n || n > UINT32_MAX - f)
		return err_set(e, ERANGE, "\"%.40s\" is no range of ids that a pod can have", text);
	*out = (struct pod_ids){ (uint32_t)f, (uint32_t)n };
	return 0;
}

void pod_ids_text(const struct pod_ids *ids, char out[POD_IDS_TEXT_MAX])
{
	snprintf(out, POD_IDS_TEXT_MAX, "%lu:%lu", (unsigned long)ids->first, (unsigned long)ids->count);
}

int pod_ids_of(const struct pod_manifest *m, struct pod_ids *out, struct err *e)
{
	const char *text = appc_pair_find(&m->annotations, POD_IDS_ANNOTATION);

	*out = (struct pod_ids){ 0, 0 };
	if (!text)
		return 0;
	return pod_ids_parse(text, out, e) < 0 ? err_wrap(e, "annotation " POD_IDS_ANNOTATION) : 0;
}

/* ---- what is taken ---- */

struct taken { bool range[N]; };

/* all that the ids touch */
static void take(void *ctx, uint64_t first, uint64_t count)
{
	struct taken *t = ctx;
	uint64_t end = first + count;

	if (first < FIRST)
		first = FIRST;
	if (end > END)
		end = END;
	for (; first < end; first += POD_IDS_COUNT - (first - FIRST) % POD_IDS_COUNT)
		t->range[(first - FIRST) / POD_IDS_COUNT] = true;
}

/* ---- claims ---- */

/*
 * A range is a pod's as long as its record has two names: that in the pod directory, and one here, which is the first
 * id. With the pod directory the first name goes, wherever a power cut or a kill comes, and nobody has to give anything
 * back; one look tells whether a range is free, however many pods there are.
 */
#define CLAIMS     "ids" /* beside the places of pods */
#define CLAIM_TEXT 12

static void claim_name(unsigned range, char out[CLAIM_TEXT])
{
	snprintf(out, CLAIM_TEXT, "%u", FIRST + range * POD_IDS_COUNT);
}

/* the directory; *lock is held until it is closed: a description of its own */
static int open_claims(struct pods *ps, int *lock, struct err *e)
{
	if (mkdirat(ps->dir_fd, CLAIMS, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make " CLAIMS " in the pods' directory");
	*lock = openat(ps->dir_fd, CLAIMS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*lock < 0)
		return err_sys(e, "open " CLAIMS " in the pods' directory");
	return lock_wait(*lock, LOCK_EXCLUSIVE, e) < 0 ? err_wrap(e, "the pods' ids") : 0;
}

/* 1: yes, and nothing has its name any more; 0: a pod has it; -1 */
static int claim_free(int claims_fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(claims_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 1 : err_sys(e, "look for ids %s", name);
	if (st.st_nlink > 1)
		return 0;
	return unlinkat(claims_fd, name, 0) < 0 ? err_sys(e, "give back ids %s", name) : 1;
}

int pod_ids_sweep(struct pods *ps, struct err *e)
{
	struct stat st;
	const struct dirent *de;
	auto_close int lock = -1;

	if (ps->dir_fd < 0 || fstatat(ps->dir_fd, CLAIMS, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (open_claims(ps, &lock, e) < 0)
		return -1;
	auto_dir DIR *d = fd_list(lock);
	if (!d)
		return err_sys(e, "read " CLAIMS " in the pods' directory");
	while ((de = readdir(d)))
		if (*de->d_name != '.' && claim_free(lock, de->d_name, e) < 0)
			return -1;
	return 0;
}

/* ---- taking one ---- */

static int record(const struct pod *p, const struct pod_ids *ids, int claims_fd, const char *name, struct err *e)
{
	char range[POD_IDS_TEXT_MAX], text[POD_IDS_TEXT_MAX + 1];

	pod_ids_text(ids, range);
	snprintf(text, sizeof(text), "%s\n", range);
	auto_close int fd = openat(p->dir_fd, POD_IDS_RECORD, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fd_close(&fd) < 0)
		return err_sys(e, "write " POD_IDS_RECORD);
	if (linkat(p->dir_fd, POD_IDS_RECORD, claims_fd, name, 0) == 0)
		return 0;
	return err_sys(e, "claim ids %s%s", range,
		       errno == EPERM ? " (a hard link, which the file system of the data directory must have)" : "");
}

/* Not the lowest: what has just been given back is used again last, and pods of another data directory, of which we
 * know nothing, are hardly ever met. */
static unsigned begin_at(const struct pod *p)
{
	char digits[9];

	snprintf(digits, sizeof(digits), "%.8s", p->uuid);
	return (unsigned)(strtoul(digits, NULL, 16) % N);
}

int pod_ids_reserve(struct pod *p, struct pod_ids *out, struct err *e)
{
	struct taken t = { .range = { false } };
	auto_close int claims = -1;

	if (pod_ids_host("/etc", take, &t, e) < 0 || open_claims(p->pods, &claims, e) < 0)
		return -1;
	for (unsigned i = 0, at = begin_at(p); i < N; i++, at = (at + 1) % N) {
		char name[CLAIM_TEXT];
		claim_name(at, name);
		int r = t.range[at] ? 0 : claim_free(claims, name, e);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		*out = (struct pod_ids){ FIRST + at * POD_IDS_COUNT, POD_IDS_COUNT };
		return record(p, out, claims, name, e);
	}
	return err_set(e, ENOSPC,
		"--private-users: each of the %u ranges of %u ids from %u on is in use by a pod, or by the host "
		"(/etc/passwd, group, subuid, subgid): rkt gc gives back those of pods that ended",
		N, POD_IDS_COUNT, FIRST);
}
