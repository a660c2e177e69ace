/* SPDX-License-Identifier: Apache-2.0
 * plan - the pod manifest, made ready: everything that PID 1 and the apps' last steps need, decided
 * before clone()
 *
 * The host side builds it with the heap; behind the clone it is only read. PID 1 has its own copy, with its notes. An
 * app's process may work in PID 1's memory until it executes something: what it writes here PID 1 takes back.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "core/appc/isolator.h"
#include "core/appc/manifest.h"
#include "core/base/err.h"
#include "core/pod/ids.h"
#include "core/pod/userns.h"
#include "core/pod/uuid.h"
#include "stage1-init/isolation.h"
#include "stage1-init/seccomp.h"

#define PLAN_GIDS_MAX   64
#define PLAN_ENV_SPARE \
	4 /* HOME, USER, LOGNAME, SHELL: known only once the image's passwd was read */
#define PLAN_CGROUPS_MAX 6 /* hierarchies that we use */
#define STOP_GRACE_MS   10000

/* exit statuses of stage 1 itself */
enum {
	STATUS_OWN_FAILURE = 254,
	STATUS_NO_SOURCE = 1,
	STATUS_NOT_FOUND = 127,
	STATUS_NOT_EXECUTABLE = 126
};

struct plan_mount {
	const char *volume, *path;
	int         fd;    /* a detached mount of the source, for this app alone */
	bool        dir;   /* the source is a directory */
	bool        host;  /* of the host: nothing is created on it */
	bool        masks; /* the image has files there, which the app will not see */
	bool        read_only;
	char        device; /* the source is a node: 'c' or 'b', for rdev; else 0 */
	dev_t       rdev;
	bool        ours;  /* no volume, but a file of /etc; see etc.h */
};

struct plan_run { char **argv; }; /* NULL-terminated */

/* a cgroup directory as the app sees it below /sys/fs/cgroup */
struct plan_cgroup {
	char name[32]; /* "memory"; "" for v2: /sys/fs/cgroup itself */
	int  mount_fd; /* detached, read-only */
	int  tasks_fd; /* v1: the file to join by; -1 */
};

struct plan_app {
	const char         *name;
	struct plan_run     main;
	struct plan_run    *pre_start, *post_stop;
	size_t              n_pre_start, n_post_stop;
	char              **env; /* NULL-terminated, with PLAN_ENV_SPARE more NULLs behind */
	size_t              n_env;
	const char         *user, *group, *working_dir;
	gid_t               gids[PLAN_GIDS_MAX];
	size_t              n_gids;
	struct pod_ids      ids; /* the pod's */
	struct appc_limits  limits; /* none above the pod's */
	struct isolation    isolation;
	bool                no_paths; /* nothing of /proc and /sys is masked or read-only, all devices can be used */
	bool                read_only;
	struct plan_mount  *mounts;
	size_t              n_mounts;
	struct plan_cgroup  cgroups[PLAN_CGROUPS_MAX];
	size_t              n_cgroups;
	int                 cgroup_fd; /* v2 directory to be born in; -1 */
	struct seccomp_prog filter;
	int                 out_fd, err_fd; /* what becomes 1 and 2; -1 with a terminal */

	/* PID 1's notes */
	pid_t               pid;   /* of the main process; 0: not running */
	bool                ended, post_stop_done;
	int                 status;
};

struct plan {
	char             uuid[UUID_LEN + 1];
	char             hostname[65];
	struct plan_app *apps;
	size_t           n_apps;
	struct appc_limits limits; /* the pod's */
	struct isolation_sysctls sysctls;
	bool             own_net;     /* false: the host's */
	int              netns_fd;    /* the pod's own; -1: it has the host's */
	struct pod_ids   ids;         /* of a pod with users of its own, on the host; count 0: it has the host's */
	struct userns_fds users;      /* its namespaces; all -1 without */
	bool             tty;         /* the app gets a terminal of its own */
	struct winsize   window;      /* of our terminal; all 0 if it does not say */
	bool             pass_stdin;  /* the app gets our stdin, which is no terminal */
	bool take_ns; /* the mount namespace that we were started in becomes the pod's */
	bool rootless;    /* we are root of a user namespace only: rootless.h */
	bool keep_groups; /* which lets nobody change supplementary groups */
	bool pivoted;     /* PID 1 has a root of its own */
	unsigned long n_uids, n_gids; /* that there are in it, from 0 on */
	bool one_ns;  /* one app and nothing else: it shares PID 1's mount namespace */
	int              event_fd;    /* the pod's end of the channel to the host side */
	int              failure;     /* exit status if setting up fails */

	struct pod_manifest manifest; /* owns the strings */
};

struct plan_opts {
	const char *uuid, *hostname, *learn;
	bool        debug, no_seccomp, no_caps, no_paths;
};

/** plan_read() - from the file "pod" in the pod directory; descriptors are all -1 */
int plan_read(int pod_fd, const struct plan_opts *o, struct plan *p, struct err *e);

/** plan_metadata_url() - into the environment of all apps, unless their manifests have one; until then it is empty, which
 * says that there is no metadata service */
int plan_metadata_url(struct plan *p, const char *url, struct err *e);

/** plan_app() - by name, or NULL */
struct plan_app *plan_app(struct plan *p, const char *name);
