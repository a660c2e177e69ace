/* SPDX-License-Identifier: Apache-2.0
 * pod - pod directories and their life cycle: state = place + flock, moved by rename(2)
 *
 * DIR/pods/{embryo,prepare,prepared,run,exited-garbage,garbage}/UUID (0750; of a group, if rkt install prepared that, whose
 * members read what is not closed to them: no app's files, for these may be set-user-ID). In a pod directory:
 *   pod                                 the pod manifest, JSON
 *   created                             empty; its mtime is when `rkt run` or `rkt prepare` made the pod
 *   pid | ppid                          decimal, host's view: PID 1 of the pod | its parent
 *   stage1/manifest                     manifest of the stage 1 image (also for the built-in one)
 *   stage1/rootfs/                      stage 1's root; for the built-in one an almost empty tree
 *   stage1/rootfs/opt/stage2/APP/rootfs where the app's root is mounted while the pod runs
 *   stage1/rootfs/rkt/status/APP        exit status, decimal, once the app has ended
 *   stage1/rootfs/rkt/status/APP.signal is not used: a signal is 128 + number in the status
 *   appsinfo/APP/manifest               the app's image manifest
 *   appsinfo/APP/treeStoreID            render ID of the app's lower directory: its image's ID, or "deps-..."
 *   appsinfo/APP/{upper,work}           the app's own changes
 *   volumes/NAME                        empty volumes
 *   logs/APP, logs/APP.1                what the app wrote, if it did; .1 is older
 *   private-users-prepared              ids of a pod with users of its own, see ids.h
 *   cgroup                              cgroup directories that the pod has or had, one path a line, for gc
 * A pod is running if and only if its directory in run/ is locked.
 * Source: rkt Documentation/devel/pod-lifecycle.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/appc/manifest.h"
#include "core/base/err.h"
#include "core/pod/uuid.h"

enum pod_state {
	POD_EMBRYO,          /* "embryo" */
	POD_PREPARING,       /* "preparing" */
	POD_ABORTED_PREPARE, /* "aborted prepare" */
	POD_PREPARED,        /* "prepared" */
	POD_RUNNING,         /* "running" */
	POD_DELETING,        /* "deleting" */
	POD_EXITED,          /* "exited" */
	POD_EXITED_GARBAGE,  /* "exited garbage" */
	POD_GARBAGE,         /* "garbage" */
};
const char *pod_state_name(enum pod_state s);

struct pods; /* DIR/pods, opened */
/* what those hear who may not look at them */
#define PODS_REMEDY "they are root's and, once root has run rkt install, members of the group rkt may look at them"
/** pods_open() - @create false: a directory that is not there holds no pods */
struct pods *pods_open(const char *dir, bool create, struct err *e);
void pods_close(struct pods *p);
bool pods_exist(const struct pods *p); /* the directory: pods have been made here */

struct pod {
	char           uuid[UUID_LEN + 1];
	enum pod_state state;  /* as it was when looked at */
	int            dir_fd; /* O_RDONLY directory; holds the lock, if we took one */
	struct pods   *pods;
};
void pod_close(struct pod *p); /* also drops a lock of ours; dir_fd -1 afterwards */
#define auto_pod __attribute__((cleanup(pod_close)))

/**
 * pod_new() - embryo, locked exclusively, moved to prepare; dir_fd keeps the lock; `created` is there
 * When it fails, on a full disk say, no directory is left behind.
 */
int pod_new(struct pods *ps, struct pod *p, struct err *e);
/** pod_to_prepared() - prepare -> prepared, and unlocks */
int pod_to_prepared(struct pod *p, struct err *e);
/**
 * pod_to_run() - prepare -> run keeping the lock; prepared -> run taking it (EBUSY: somebody else was faster), and on
 * disk before it returns
 */
int pod_to_run(struct pod *p, struct err *e);

/**
 * pod_find() - by unique UUID prefix (whole UUID: one look-up per state directory)
 * Errors, as scripts expect: EINVAL `UUID cannot be empty`; ENOENT `no matches found for "X"`; ENOTUNIQ
 * `ambiguous UUID: N matches found for "X"`
 */
int pod_find(struct pods *ps, const char *prefix, struct pod *p, struct err *e);
/** pod_refresh() - looks at the state again; follows the pod to where it was renamed */
int pod_refresh(struct pod *p, struct err *e);
/** pod_wait_exit() - blocks until the pod is not running any more; ENOENT: it was removed meanwhile */
int pod_wait_exit(struct pod *p, struct err *e);

/** pods_each() - calls @fn for each pod in no order; stops at non-zero and returns that; pods that vanish meanwhile are skipped */
int pods_each(struct pods *ps, int (*fn)(void *ctx, struct pod *p, struct err *e), void *ctx, struct err *e);

/* ---- what is in a pod directory ---- */
int pod_manifest(const struct pod *p, struct pod_manifest *m, struct err *e);
int pod_pid(const struct pod *p, pid_t *pid, struct err *e); /* of PID 1, from pid or ppid; ESRCH: not there (yet) */
/** pod_is_init() - whether it is PID 1 of a namespace below ours, as a pod's is while it runs, and what a pid file
 * names after that hardly ever; pod_not_init() says that it is not: -1 */
bool pod_is_init(pid_t pid);
int pod_not_init(const char *uuid, pid_t pid, struct err *e);

/**
 * pod_file() - opens a regular file below the pod directory, O_RDONLY, the caller's to close
 * For what a stranger may have put there: no symlink is followed, nothing but a regular file is opened (EINVAL).
 */
int pod_file(const struct pod *p, const char *path, struct err *e);
int64_t pod_created_ns(const struct pod *p); /* 0: not known */
int64_t pod_started_ns(const struct pod *p); /* 0: never; mtime of pid/ppid */
/** pod_app_status() - 1: ended with *status at *ended_ns (may be NULL); 0: not (yet); -1 */
int pod_app_status(const struct pod *p, const char *app, int *status, int64_t *ended_ns, struct err *e);

/* ---- removal ---- */
/** pod_remove() - deletes for good: exited, prepared or aborted pods; EBUSY: running (or deleting by somebody else) */
struct pod_remove_opts {
	/* called with the pod's directory locked, before it goes: stage 1's gc entry point; may be NULL */
	int (*stage1_gc)(void *ctx, struct pod *p, struct err *e);
	void *ctx;
};
int pod_remove(struct pod *p, const struct pod_remove_opts *o, struct err *e);

/**
 * pods_gc() - mark and sweep as pod-lifecycle.md says; told of each pod that is moved, removed, or cannot be
 * A pod that cannot be removed does not stop the others. Without failed(): -1 and the first error, at the end.
 */
struct pods_gc_opts {
	int64_t grace_ns, expire_prepared_ns; /* since marked; since prepared */
	bool    mark_only, dry_run;
	void  (*marked)(void *ctx, const char *uuid, enum pod_state was); /* moved to garbage; these may be NULL */
	void  (*removed)(void *ctx, const char *uuid);
	void  (*kept)(void *ctx, const char *uuid); /* still within its grace period */
	void  (*failed)(void *ctx, const char *uuid, const struct err *why);
	struct pod_remove_opts remove;
	void   *ctx;
};
int pods_gc(struct pods *ps, const struct pods_gc_opts *o, struct err *e);

/**
 * pods_trees() - which trees the pods stand on, in one pass over them, for callers with more than one question
 *
 * Of all pods that may still run, or be exported; of those in the garbage only their stage 1, for its gc.
 */
struct pods_tree {
	char id[256], uuid[UUID_LEN + 1];
	bool part; /* the pod stands on it only as a part of another one, see pods_trees_also() */
};
struct pods_trees {
	struct pods_tree *v; /* sorted by id, then uuid; each pair once */
	size_t            n, cap;
	bool              unknown; /* of some pod it cannot be told: every tree may be in use */
};
int pods_trees(struct pods *ps, struct pods_trees *out, struct err *e);
/** pods_trees_find() - the first of the entries with that ID, *n the number of them */
const struct pods_tree *pods_trees_find(const struct pods_trees *t, const char *id, size_t *n);
bool pods_trees_used(const struct pods_trees *t, const char *id);
/** pods_trees_root() - the same, but not as a part */
bool pods_trees_root(const struct pods_trees *t, const char *id);
void pods_trees_free(struct pods_trees *t);
/** pods_trees_run() - how many entries from @first on, and before @end, have the same ID */
size_t pods_trees_run(const struct pods_trees *t, size_t first, size_t end);
/**
 * pods_trees_also() - @id beside @n entries from @first on: a part of what they name, that the pods stand on as well
 * Added at the end; after the last one pods_trees_sort() the table before anything else is asked of it.
 */
int pods_trees_also(struct pods_trees *t, size_t first, size_t n, const char *id, struct err *e);
void pods_trees_sort(struct pods_trees *t);

/** pod_each_tree() - calls @fn for the ID of each tree a pod stands on, NULL: for one that cannot be told; stops at non-zero */
int pod_each_tree(const struct pod *p, int (*fn)(void *ctx, const char *id), void *ctx);
