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

	if (unshare(CLONE_NEWNET) == 0 && netns_loopback_up(&ignored) == 0)
		n->fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return NULL;
}

void netns_begin(struct netns *n)
{
	n->fd = -1;
	n->begun = thread_processors() > 1 && thread_start(&n->thread, stack, sizeof(stack), make, n) == 0;
}

int netns_take(struct netns *n)
{
	if (!n->begun)
		return -1;
	pthread_join(n->thread, NULL);
	n->begun = false;
	return take_fd(&n->fd);
}

void netns_drop(struct netns *n)
{
	int fd = netns_take(n);

	fd_cleanup(&fd);
}
