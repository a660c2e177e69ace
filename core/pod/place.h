/* SPDX-License-Identifier: Apache-2.0
 * place - where pod directories lie and how they move; for the files of core/pod only
 *
 * Pods only ever move forward through this list, so a search that goes through it in order meets a pod that
 * moves meanwhile at its old place or at its new one, or at both, but never misses it.
 */
#pragma once

#include <stdbool.h>

#include "core/pod/pod.h"

enum place {
	PLACE_EMBRYO,
	PLACE_PREPARE,
	PLACE_PREPARED,
	PLACE_RUN,
	PLACE_EXITED_GARBAGE,
	PLACE_GARBAGE,
	N_PLACES,
};

/*
 * For how long a lock may be in the way that nobody has for good. Who asks for a pod's state holds it for
 * microseconds, but on a crowded machine it may have to wait for a processor meanwhile.
 */
#define PLACE_PATIENCE_MS 2000

struct pods {
	int  dir_fd;      /* DIR/pods; -1: there is none */
	bool shared;      /* pods_open() was to create, and found it prepared for a group that may look at pods */
	int fd[N_PLACES]; /* opened when needed */
};

struct place_name {
	char       uuid[UUID_LEN + 1];
	enum place at;
};
struct place_names { struct place_name *v; size_t n, cap; };

/** place_fd() - the directory of a place, borrowed; -1 with ENOENT when it is not there and @create is false */
int place_fd(struct pods *ps, enum place at, bool create, struct err *e);

/** place_names() - the UUIDs at all places that begin with @prefix, each once, sorted; free v */
int place_names(struct pods *ps, const char *prefix, struct place_names *out, struct err *e);

/**
 * place_locate() - looks for @uuid from place @from on; 1: *p is opened and *at says where, 0: not there
 * Tries the pod's lock, but never through a descriptor that could hold it.
 */
int place_locate(struct pods *ps, const char *uuid, enum place from, struct pod *p, enum place *at, struct err *e);

/** place_of() - where the directory behind @p is now, its state in p->state; ENOENT: gone */
bool place_is(struct pod *p, enum place at); /* the directory that is open lies there now */
int place_of(struct pod *p, enum place *at, struct err *e);

/** place_move() - renames; ENOENT when somebody else moved it before */
int place_move(struct pod *p, enum place from, enum place to, struct err *e);

#define POD_LINE_MAX 256
/** pod_read_line() - one line into @text, without its newline; longer ones are EINVAL; @mtime_ns may be NULL */
int pod_read_line(const struct pod *p, const char *path, char text[POD_LINE_MAX], int64_t *mtime_ns, struct err *e);
/** pod_open_beneath() - O_NOFOLLOW, below the pod directory, no link on the way; -1/errno */
int pod_open_beneath(int dir_fd, const char *path, int flags);

/** pod_cgroups_remove() - kills what is left in the pod's own cgroups and removes them; for dead pods, locked */
int pod_cgroups_remove(const struct pod *p, struct err *e);
