/* SPDX-License-Identifier: Apache-2.0
 * event - what the pod tells its host side, and an app's process its PID 1
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"
#include "stage1-init/seccomp.h"

/* app is an index into the plan */
enum event_type {
	EVENT_TERMINAL, /* with a descriptor: the master side of the app's terminal; sent by the
			   app's process */
	EVENT_PROCESS,  /* a process is about to become the app or a handler; value: its pid in the
			   pod; sent by it, so the  host side gets the pid as the host sees it;
			   perhaps with a descriptor: its seccomp listener */
	EVENT_ENDED,    /* value: exit status */
	EVENT_FAILED,   /* the pod could not be started; value: exit status; err.msg */
	EVENT_NOTE,     /* err.msg is something the user should know */
};

struct event {
	uint32_t   type;
	int32_t    app, value;
	uint32_t   main; /* EVENT_PROCESS: it is the app itself */
	uint32_t   uid, gid;
	struct err err;
};

/** event_send() - @pass_fd -1: none; -1/errno
 * event_send_past() - from a process on which that filter is already */
int event_send(int fd, const struct event *ev, int pass_fd);
int event_send_past(const struct seccomp_prog *filter, int fd, const struct event *ev, int pass_fd);

/** event_receive() - 1 and *ev; 0 nothing (yet); -1 the pod has closed its end. *passed_fd is the
 * caller's. */
int event_receive(int fd, struct event *ev, int *passed_fd, pid_t *sender);

/** fds_send(), fds_receive() - one message with up to FDS_MAX descriptors; receiving blocks;
 * -1/errno, 0 at the end */
#define FDS_MAX 16
int fds_send(int fd, const void *data, size_t len, const int *fds, size_t n_fds);
ssize_t fds_receive(int fd, void *data, size_t len, int *fds, size_t *n_fds);

/* What an app's process says to PID 1 before it becomes the app; nothing more comes when exec
 * worked. */
struct report {
	bool       failed;
	int        status; /* exit status when failed */
	struct err err;
};
_Static_assert(sizeof(struct report) <= PIPE_BUF, "a report must fit one pipe write");
