/* SPDX-License-Identifier: Apache-2.0
 * userns - a pod's ids made real: the user namespace that has them, and mounts that show files as theirs
 *
 * Nothing on disk changes its owner. What belongs to user 0 there belongs to user 0 of the pod, as long as it is looked
 * at through such a mount, and what the pod's user 0 makes there belongs to user 0 on disk.
 * Source: user_namespaces(7); mount_setattr(2), "ID-mapped mounts".
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/pod/ids.h"

/*
 * Being made: a process is born into it and makes what else shall belong to it, which takes the kernel a while and needs
 * no ids. So that can begin before anything is known of the pod, beside everything else.
 */
struct userns {
	pid_t pid; /* 0: none */
	pid_t parent;
	int   flags, fd, child_fd;
};

/* descriptors of namespaces, O_CLOEXEC, the caller's to close; -1: there is none */
struct userns_fds { int user, ipc, uts, net; };
#define USERNS_FDS_NONE { -1, -1, -1, -1 }
void userns_fds_close(struct userns_fds *fds);

/**
 * userns_begin() - @flags: CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET (with its loopback up), or 0
 *
 * userns_drop() must follow. @u stays where it is until then, and no other one is begun.
 */
int userns_begin(struct userns *u, int flags, struct err *e);

/** userns_map() - gives it the ids; the user namespace's descriptor, O_CLOEXEC */
int userns_map(struct userns *u, const struct pod_ids *ids, struct err *e);

/** userns_take() - after userns_map(): waits for the others, and fills them in; those that were not asked for are left */
int userns_take(struct userns *u, struct userns_fds *out, struct err *e);

/** userns_drop() - nobody is in the namespaces after that; harmless on one that was never begun */
void userns_drop(struct userns *u);

/** userns_make() - all at once, without others: the user namespace's descriptor */
int userns_make(const struct pod_ids *ids, struct err *e);

/**
 * userns_map_mount() - a detached mount, never placed anywhere so far: owners are as the pod has them; -1/errno
 * @depth: SYS_AT_RECURSIVE or 0
 */
int userns_map_mount(int userns_fd, int mount_fd, unsigned depth);

/**
 * userns_cannot_map() - the error for one that cannot, of the errno that userns_map_mount() failed with: which file
 * system, why, what to do
 * @at_fd: the mount, or the place that it was made of
 * @what: "the image", "volume NAME: /srv/data"
 */
#define userns_cannot_map(...) (userns_cannot_map_text(__VA_ARGS__), err_failed())
void userns_cannot_map_text(struct err *e, int at_fd, const char *what);

/**
 * userns_act_as() - what the calling process makes from now on belongs to @id of the host, with which a mapped mount
 * takes it; 0: to root again. All that it may do it still may. No heap; -1/errno
 */
int userns_act_as(uint32_t id);
