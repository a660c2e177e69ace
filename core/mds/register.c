/* SPDX-License-Identifier: Apache-2.0
 * register - see register.h
 */
#include "core/mds/register.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/pod/uuid.h"

#define MAGIC "rktmds1"

struct hello { char magic[8], uuid[37], token[MDS_TOKEN_LEN + 1]; };
struct welcome { unsigned port; struct err err; };

union control { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; };

static int nobody_listens(struct err *e)
{
	return err_set(e, ECONNREFUSED, "nobody listens at " MDS_SOCKET ": start rkt metadata-service");
}

int mds_register_check(struct err *e)
{
	return access(MDS_SOCKET, F_OK) < 0 && errno == ENOENT ? nobody_listens(e) : 0;
}

static int dial(struct err *e)
{
	const struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = MDS_SOCKET };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return take_fd(&fd);
	if (errno == ENOENT || errno == ECONNREFUSED)
		return nobody_listens(e);
	return err_sys(e, "connect to " MDS_SOCKET);
}

static int send_hello(int fd, struct hello *h, int pod_fd, struct err *e)
{
	struct iovec iov = { .iov_base = h, .iov_len = sizeof(*h) };
	union control ctl = { .room = { 0 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.room, .msg_controllen = sizeof(ctl.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pod_fd, sizeof(int));
	return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(*h) ? 0 : err_sys(e, "send");
}

int mds_register(const char *uuid, const char *token, int pod_fd, unsigned *port, struct err *e)
{
	struct hello h = { .magic = MAGIC };
	struct welcome w;
	/* opened anew: a descriptor that holds the pod's lock would hold it in the service as well */
	auto_close int dir_fd = fd_open_dir(pod_fd, ".", e);
	auto_close int fd = dir_fd < 0 ? -1 : dial(e);

	if (fd < 0)
		return -1;
	memcpy(h.uuid, uuid, sizeof(h.uuid));
	memcpy(h.token, token, sizeof(h.token));
	if (send_hello(fd, &h, dir_fd, e) < 0)
		return -1;
	if (fd_read_full(fd, &w, sizeof(w)) != (ssize_t)sizeof(w))
		return err_set(e, EPROTO, "what listens at " MDS_SOCKET " is no rkt metadata-service of ours");
	w.err.msg[sizeof(w.err.msg) - 1] = 0;
	if (w.err.code)
		return err_set(e, w.err.code, "%s", w.err.msg);
	*port = w.port;
	return 0;
}

/* ---- the service's end ---- */

static int receive(struct mds_registration *r, struct err *e)
{
	struct hello h;
	struct iovec iov = { .iov_base = &h, .iov_len = sizeof(h) };
	union control ctl;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.room, .msg_controllen = sizeof(ctl.room) };

	ssize_t n = recvmsg(r->conn_fd, &m, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	const struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&r->pod_fd, CMSG_DATA(c), sizeof(int));
	if (n != (ssize_t)sizeof(h) || r->pod_fd < 0 || memcmp(h.magic, MAGIC, sizeof(h.magic)))
		return err_set(e, EPROTO, "no registration of ours");
	h.uuid[sizeof(h.uuid) - 1] = h.token[sizeof(h.token) - 1] = 0;
	if (!uuid_ok(h.uuid) || strlen(h.token) != MDS_TOKEN_LEN || !mds_token_ok(h.token))
		return err_set(e, EINVAL, "not a UUID and a token");
	memcpy(r->uuid, h.uuid, sizeof(h.uuid));
	memcpy(r->token, h.token, sizeof(h.token));
	return 0;
}

int mds_registration_take(int socket_fd, struct mds_registration *r, struct err *e)
{
	/* whoever is allowed to register does not let us wait, but may be stopped */
	const struct timeval patience = { .tv_sec = 2 };
	struct ucred who;
	socklen_t len = sizeof(who);

	*r = (struct mds_registration){ .pod_fd = -1 };
	r->conn_fd = accept4(socket_fd, NULL, NULL, SOCK_CLOEXEC);
	if (r->conn_fd < 0)
		return err_sys(e, "accept");
	int bad = 0;
	if (DEFENCE("mds-peer") &&
	    (getsockopt(r->conn_fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || (who.uid && who.uid != geteuid())))
		bad = err_set(e, EPERM, "only root registers pods");
	setsockopt(r->conn_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bad < 0 || receive(r, e) < 0) {
		mds_registration_reply(r, 0, e);
		return -1;
	}
	return 0;
}

void mds_registration_reply(struct mds_registration *r, unsigned port, const struct err *why)
{
	struct welcome w = { .port = port };

	if (why)
		w.err = *why;
	/* who does not wait for it is not registered for long */
	(void)send(r->conn_fd, &w, sizeof(w), MSG_NOSIGNAL | MSG_DONTWAIT);
	fd_cleanup(&r->conn_fd);
	fd_cleanup(&r->pod_fd);
}
