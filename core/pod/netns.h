/* SPDX-License-Identifier: Apache-2.0
 * netns - the network namespace of a pod, made while everything else of the pod is prepared
 *
 * Nothing in a start takes the kernel longer (0.4 ms), and it needs nothing that has to be found out first. So where
 * there is a second processor a thread makes it, beside the rest. That is only a head start: who gets none makes the
 * namespace when it is needed, and says what is wrong if that fails. What else takes the pod's network to make comes
 * with it: the socket on which its metadata service will listen.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "core/base/err.h"

struct netns {
	pthread_t  thread;
	bool       begun;
	int        fd, listen_fd;
	struct err why; /* there is none, when fd is -1 */
};

/** netns_begin() - starts making one, if that pays; netns_take() or netns_drop() must follow while @n is there */
void netns_begin(struct netns *n);

/**
 * netns_take() - waits for it: a namespace with loopback up, O_CLOEXEC, the caller's to close; -1: there is none
 * @listen_fd: receives the socket of the pod's metadata service in it, likewise; -1: there can be none
 */
int netns_take(struct netns *n, int *listen_fd);

/** netns_make() - all at once, for who was given none; the calling thread stays where it is */
int netns_make(int *listen_fd, struct err *e);

/**
 * netns_listen() - in a namespace that came without: *listen_fd, or -1 and *why
 * Returns -1 only when the way back to our own namespace is barred: then nothing can go on.
 */
int netns_listen(int netns_fd, int *listen_fd, struct err *why, struct err *e);

/** netns_drop() - when nobody will take it; harmless on one that was taken or never begun */
void netns_drop(struct netns *n);

/** netns_loopback_up() - in the caller's network namespace */
int netns_loopback_up(struct err *e);
