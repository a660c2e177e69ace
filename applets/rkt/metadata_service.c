/* SPDX-License-Identifier: Apache-2.0
 * rkt metadata-service - one metadata service for the pods that share the host's network
 *
 * Pods with a network of their own do without it: theirs is built in. This one listens on the host's loopback address
 * only; who is asked about is told by the token, and a pod's counts as long as its directory is locked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/base/num.h"
#include "core/mds/register.h"

#define PODS_MAX 16384
#define OTHER_FDS (MDS_CONNECTIONS + 64)
#define FIRST_FD 3 /* of those that a service manager passes; sd_listen_fds(3) */

struct service_opts {
	struct rkt_globals g;
	uint64_t           port;
};

static const struct opt service_opts[] = {
	OPT_NUM(0, "listen-port", "PORT", struct service_opts, port, "port on 127.0.0.1 (default 18112)"),
	OPT_PART("Global options", rkt_globals_opts, struct service_opts, g),
	OPT_END
};

struct known { struct mds_pod pod; int dir_fd; };

struct service {
	struct known *v;
	size_t        n, cap, max;
	unsigned      port;
	int           tcp_fd, socket_fd, sig_fd;
	bool          ours; /* the socket's file, which goes with us */
};

/* ---- pods ---- */

static bool has_ended(const struct known *k)
{
	struct err ignored;

	if (lock_try(k->dir_fd, LOCK_SHARED, &ignored) != 1)
		return false;
	lock_drop(k->dir_fd);
	return true;
}

static void forget(struct service *s, size_t i)
{
	ui_debug("pod %s has ended", s->v[i].pod.uuid);
	mds_pod_free(&s->v[i].pod);
	close(s->v[i].dir_fd);
	s->v[i] = s->v[--s->n];
}

static const struct mds_pod *find(void *ctx, const char *path)
{
	struct service *s = ctx;

	for (size_t i = 0; i < s->n; i++) {
		if (!mds_is_pod(&s->v[i].pod, path))
			continue;
		if (!has_ended(&s->v[i]))
			return &s->v[i].pod;
		forget(s, i);
		return NULL;
	}
	return NULL;
}

static int add(struct service *s, struct mds_registration *r, struct err *e)
{
	struct known k = { .dir_fd = -1 };
	auto_close int data_fd = openat(r->pod_fd, "../../..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = s->n; i--;)
		if (has_ended(&s->v[i]))
			forget(s, i);
	if (s->n >= s->max)
		return err_set(e, ENOSPC, "there are %zu pods already, for more the limit of open files is too low", s->n);
	if (data_fd < 0)
		return err_sys(e, "open the data directory");
	memcpy(k.pod.uuid, r->uuid, sizeof(r->uuid));
	memcpy(k.pod.token, r->token, sizeof(r->token));
	if (mds_pod_load(&k.pod, r->pod_fd, data_fd, e) < 0) {
		mds_pod_free(&k.pod);
		return -1;
	}
	if (!k.pod.has_key)
		ui_warn("pod %s: there is no key in its data directory: it can neither sign nor verify", r->uuid);
	if (s->n == s->cap)
		s->v = xrealloc(s->v, (s->cap = s->cap ? 2 * s->cap : 16) * sizeof(*s->v));
	k.dir_fd = take_fd(&r->pod_fd);
	s->v[s->n++] = k;
	ui_debug("pod %s is registered", r->uuid);
	return 0;
}

/* what is ready beside connections: a registration, or a signal, which ends us */
static int take_other(void *ctx, int fd)
{
	struct service *s = ctx;
	struct mds_registration r;
	struct err e;

	if (fd == s->sig_fd)
		return 1;
	if (mds_registration_take(fd, &r, &e) < 0) {
		ui_warn("registration: %s", e.msg);
		return 0;
	}
	int bad = add(s, &r, &e);
	if (bad < 0)
		ui_warn("registration: %s", e.msg);
	mds_registration_reply(&r, s->port, bad < 0 ? &e : NULL);
	return 0;
}

/* ---- sockets ---- */

static int take_passed(struct service *s, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	uint64_t n;

	if (!pid || !count || strtoul(pid, NULL, 10) != (unsigned long)getpid())
		return 0;
	if (num_u64(count, 16, &n, e) < 0)
		return err_wrap(e, "LISTEN_FDS");
	for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
		struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(at);
		int *to = getsockname(fd, (struct sockaddr *)&at, &len) < 0 ? NULL :
			  at.ss_family == AF_UNIX ? &s->socket_fd : at.ss_family == AF_INET ? &s->tcp_fd : NULL;
		if (!to || *to >= 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
			return err_set(e, EINVAL, "descriptor %d of the service manager: want at most one socket "
				       "of AF_UNIX (" MDS_SOCKET ") and one of AF_INET", fd);
		*to = fd;
		if (at.ss_family == AF_INET)
			s->port = ntohs(((struct sockaddr_in *)&at)->sin_port);
	}
	return 0;
}

static int bind_socket(int fd, struct err *e)
{
	const struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = MDS_SOCKET };
	mode_t old = umask(0177);
	int r = bind(fd, (const struct sockaddr *)&at, sizeof(at));

	/* that of one that was killed; nobody else has our port, or we would not be here */
	if (r < 0 && errno == EADDRINUSE && connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 && errno == ECONNREFUSED &&
	    unlink(MDS_SOCKET) == 0)
		r = bind(fd, (const struct sockaddr *)&at, sizeof(at));
	umask(old);
	return r < 0 ? err_sys(e, "listen on " MDS_SOCKET) : 0;
}

static int listen_for_pods(struct service *s, struct err *e)
{
	if (s->socket_fd >= 0)
		return 0;
	if (fd_mkdirs(AT_FDCWD, "/run/rkt", 0755, e) < 0)
		return -1;
	s->socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->socket_fd < 0)
		return err_sys(e, "socket");
	if (bind_socket(s->socket_fd, e) < 0)
		return -1;
	s->ours = true;
	return listen(s->socket_fd, 128) < 0 ? err_sys(e, "listen on " MDS_SOCKET) : 0;
}

/* each pod takes a descriptor, and others have to be left */
static size_t pods_max(void)
{
	struct rlimit l = { 0, 0 };

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
		getrlimit(RLIMIT_NOFILE, &l);
	}
	return l.rlim_cur <= OTHER_FDS ? 0 : l.rlim_cur - OTHER_FDS < PODS_MAX ? l.rlim_cur - OTHER_FDS : PODS_MAX;
}

static int open_all(struct service *s, struct err *e)
{
	sigset_t set;

	s->max = pods_max();

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->sig_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (s->sig_fd < 0)
		return err_sys(e, "signalfd");
	/* the host's keys are in our memory */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (take_passed(s, e) < 0)
		return -1;
	if (s->tcp_fd < 0)
		s->tcp_fd = mds_listen(s->port, e);
	return s->tcp_fd < 0 ? -1 : listen_for_pods(s, e);
}

static int serve(struct service *s, struct err *e)
{
	if (open_all(s, e) < 0)
		return -1;
	const struct mds_server m = { .listen_fd = s->tcp_fd, .idle_ms = -1, .find = find, .others = { s->socket_fd, s->sig_fd },
				      .other = take_other, .ctx = s };

	ui_info("listening on " MDS_ADDRESS ":%u", s->port);
	return mds_serve(&m, e) < 0 ? -1 : 0;
}

static int service_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct service_opts *o = opts;
	struct service s = { .port = (unsigned)o->port, .tcp_fd = -1, .socket_fd = -1, .sig_fd = -1 };

	if (argc)
		return err_set(e, EINVAL, "%s: no arguments are expected", argv[0]), CMD_USAGE;
	if (!o->port || o->port > 65535)
		return err_set(e, EINVAL, "--listen-port: want 1 to 65535"), CMD_USAGE;
	if (globals_need_root(e) < 0)
		return -1;
	int r = serve(&s, e);
	if (s.ours)
		unlink(MDS_SOCKET);
	return r;
}

static void service_init(void *opts)
{
	((struct service_opts *)opts)->port = MDS_PORT;
}

const struct cmd rkt_metadata_service_cmd = {
	.name = "metadata-service",
	.summary = "Answer pods with the host's network that ask about themselves.",
	.more = "Such pods register with rkt run --net=host --mds-register. Pods with a network of their\n"
		"own need no service: theirs is built in.\n",
	.opts = service_opts, .opts_size = sizeof(struct service_opts), .inherits = true, .init = service_init, .run = service_run,
};
