/* SPDX-License-Identifier: Apache-2.0
 * event - see event.h
 *
 * Runs in PID 1 and in the apps' last steps too: no heap.
 */
#include "stage1-init/event.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* room for descriptors and the sender's credentials */
union control {
	char           room[CMSG_SPACE(FDS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr align;
};

static const struct seccomp_prog no_filter;

static int send_past(const struct seccomp_prog *filter, int fd, const void *data, size_t len, const int *fds,
		     size_t n_fds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control ctl;
	ssize_t n;

	if (n_fds) {
		memset(&ctl, 0, sizeof(ctl));
		m.msg_control = ctl.room;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		n = seccomp_call(filter, SYS_sendmsg, fd, (long)&m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

int fds_send(int fd, const void *data, size_t len, const int *fds, size_t n_fds)
{
	return send_past(&no_filter, fd, data, len, fds, n_fds);
}

static void take_control(struct msghdr *m, int *fds, size_t *n_fds, pid_t *sender)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct ucred who;
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS) {
			*n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), *n_fds * sizeof(int));
		}
		if (c->cmsg_type == SCM_CREDENTIALS && sender) {
			memcpy(&who, CMSG_DATA(c), sizeof(who));
			*sender = who.pid;
		}
	}
}

static ssize_t receive(
	int fd, void *data, size_t len, int *fds, size_t *n_fds, pid_t *sender, int flags)
{
	struct iovec iov = { .iov_base = data, .iov_len = len };
	union control ctl;
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.room,
		.msg_controllen = sizeof(ctl) };
	ssize_t n;

	*n_fds = 0;
	do
		n = recvmsg(fd, &m, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		take_control(&m, fds, n_fds, sender);
	return n;
}

ssize_t fds_receive(int fd, void *data, size_t len, int *fds, size_t *n_fds)
{
	return receive(fd, data, len, fds, n_fds, NULL, 0);
}

int event_send(int fd, const struct event *ev, int pass_fd)
{
	return event_send_past(&no_filter, fd, ev, pass_fd);
}

int event_send_past(const struct seccomp_prog *filter, int fd, const struct event *ev, int pass_fd)
{
	return send_past(filter, fd, ev, sizeof(*ev), &pass_fd, pass_fd >= 0);
}

int event_receive(int fd, struct event *ev, int *passed_fd, pid_t *sender)
{
	int fds[FDS_MAX];
	size_t n_fds;

	*passed_fd = -1;
	*sender = 0;
	ssize_t n = receive(fd, ev, sizeof(*ev), fds, &n_fds, sender, MSG_DONTWAIT);
	/* once, and before what it sent: it ended without having read all that we sent */
	if (n < 0 && errno == ECONNRESET)
		n = receive(fd, ev, sizeof(*ev), fds, &n_fds, sender, MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	/* the pod sends whole events with at most one descriptor */
	while (n_fds > (size_t)((size_t)n == sizeof(*ev)))
		close(fds[--n_fds]);
	if ((size_t)n < sizeof(*ev))
		return 0;
	if (n_fds)
		*passed_fd = fds[0];
	ev->err.msg[sizeof(ev->err.msg) - 1] = 0;
	return 1;
}
