/* SPDX-License-Identifier: Apache-2.0
 * netns - see netns.h
 */
#include "core/pod/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/base/fd.h"
#include "core/base/thread.h"
#include "core/mds/service.h"

/* mapping one takes as long as starting the thread, and a process makes one namespace */
_Alignas(16) static char stack[16 << 10];

int netns_loopback_up(struct err *e)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* a kernel without IPv4 has nothing to bring up */
	if (fd < 0 && errno == EAFNOSUPPORT)
		return 0;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		return err_needs(e, "ns-net caps", "failed to setup network: loopback");
	return 0;
}

/* of a thread, so nobody else is moved into the new namespace */
static void *make(void *arg)
{
	struct netns *n = arg;
	struct err ignored;

	/* the directory no longer shared: a thread that has been joined may still be on its way out, and until then whoever
	 * shares one with it can enter no mount namespace */
	if (unshare(CLONE_NEWNET | CLONE_FS) < 0)
		err_needs(&n->why, "ns-net", "new network namespace");
	else if (netns_loopback_up(&n->why) == 0) {
		n->fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		if (n->fd < 0)
			err_needs(&n->why, "proc", "open the new network namespace");
		else
			n->listen_fd = mds_listen(MDS_PORT, &ignored);
	}
	return NULL;
}

static bool begin(struct netns *n)
{
	n->fd = n->listen_fd = -1;
	int why = thread_start(&n->thread, stack, sizeof(stack), make, n);
	n->begun = why == 0;
	if (why)
		err_set(&n->why, why, "new network namespace: cannot start a thread");
	return n->begun;
}

void netns_begin(struct netns *n)
{
	n->begun = false;
	if (thread_processors() > 1)
		begin(n);
}

int netns_take(struct netns *n, int *listen_fd)
{
	*listen_fd = -1;
	if (!n->begun)
		return -1;
	pthread_join(n->thread, NULL);
	n->begun = false;
	*listen_fd = take_fd(&n->listen_fd);
	return take_fd(&n->fd);
}

void netns_drop(struct netns *n)
{
	int listen_fd, fd = netns_take(n, &listen_fd);

	fd_cleanup(&fd);
	fd_cleanup(&listen_fd);
}

int netns_make(int *listen_fd, struct err *e)
{
	struct netns n;
	int fd = begin(&n) ? netns_take(&n, listen_fd) : -1;

	if (fd < 0)
		*e = n.why;
	return fd;
}

int netns_listen(int netns_fd, int *listen_fd, struct err *why, struct err *e)
{
	auto_close int own_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	*listen_fd = -1;
	if (own_fd < 0 || setns(netns_fd, CLONE_NEWNET) < 0) {
		err_sys(why, "enter the pod's network namespace");
		return 0;
	}
	*listen_fd = mds_listen(MDS_PORT, why);
	return setns(own_fd, CLONE_NEWNET) < 0 ? err_needs(e, "ns-net", "return to the host's network namespace") : 0;
}
