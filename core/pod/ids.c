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

/* Of a pod without a record, or one that a power cut has left half of: that one cannot run. */
static int take_record(struct taken *t, int place_fd, const char *uuid, struct err *e)
{
	char path[UUID_LEN + sizeof("/" POD_IDS_RECORD)], text[POD_IDS_TEXT_MAX + 1];
	struct pod_ids ids;
	struct err none;

	snprintf(path, sizeof(path), "%.*s/" POD_IDS_RECORD, UUID_LEN, uuid);
	auto_close int fd = openat(place_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);
	if (n < 0)
		return err_sys(e, "ids of pod %s", uuid);
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	if (pod_ids_parse(text, &ids, &none) == 0)
		take(t, ids.first, ids.count);
	return 0;
}

/* A pod that moves on meanwhile is met at the next place. Nobody is locked: thousands of pods are looked at. */
static int take_place(struct taken *t, struct pods *ps, enum place at, struct err *e)
{
	struct err why;
	const struct dirent *de;
	int fd = place_fd(ps, at, false, &why);

	if (fd < 0 && why.code == ENOENT)
		return 0;
	auto_dir DIR *d = fd < 0 ? NULL : fd_list(fd);
	if (!d)
		return err_sys(e, "read the directories of pods");
	while ((de = readdir(d)))
		if (uuid_ok(de->d_name) && take_record(t, fd, de->d_name, e) < 0)
			return -1;
	return 0;
}

static int look_around(struct taken *t, struct pods *ps, struct err *e)
{
	if (pod_ids_host("/etc", take, t, e) < 0)
		return -1;
	for (enum place at = PLACE_EMBRYO; at < N_PLACES; at++)
		if (take_place(t, ps, at, e) < 0)
			return -1;
	return 0;
}

/* ---- taking one ---- */

static int record(const struct pod *p, const struct pod_ids *ids, struct err *e)
{
	char range[POD_IDS_TEXT_MAX], text[POD_IDS_TEXT_MAX + 1];

	pod_ids_text(ids, range);
	snprintf(text, sizeof(text), "%s\n", range);
	auto_close int fd = openat(p->dir_fd, POD_IDS_RECORD, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fd_close(&fd) < 0)
		return err_sys(e, "write " POD_IDS_RECORD);
	return 0;
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
	/* a description of its own: the lock goes with it */
	auto_close int lock = openat(p->pods->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0 || lock_wait(lock, LOCK_EXCLUSIVE, e) < 0)
		return lock < 0 ? err_sys(e, "lock the pods' ids") : err_wrap(e, "the pods' ids");
	if (look_around(&t, p->pods, e) < 0)
		return -1;
	for (unsigned i = 0, at = begin_at(p); i < N; i++, at = (at + 1) % N) {
		if (t.range[at])
			continue;
		*out = (struct pod_ids){ FIRST + at * POD_IDS_COUNT, POD_IDS_COUNT };
		return record(p, out, e);
	}
	return err_set(e, ENOSPC,
		"--private-users: each of the %u ranges of %u ids from %u on is in use by a pod, or by the host "
		"(/etc/passwd, group, subuid, subgid): rkt gc gives back those of pods that ended",
		N, POD_IDS_COUNT, FIRST);
}
