/* SPDX-License-Identifier: Apache-2.0
 * pump - see pump.h
 */
#include "stage1-init/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>

#include "core/base/fd.h"

#define CHUNK    4096 /* PIPE_BUF: what a pipe that is ready takes without blocking */
#define SINK_MAX 32768
#define LINE_MAX_ 2048 /* a longer line without end is cut when prefixed */

/* our stdout or stderr */
struct sink {
	int    fd;
	bool   file;     /* a regular file: always ready */
	bool   dead;     /* nobody reads any more: what comes is dropped (and still logged) */
	size_t at, len;
	char   buf[SINK_MAX];
};

struct log {
	int    fd;       /* -1: nothing has been written yet, or it could not be opened */
	size_t size;
};

/* one pipe, or the master side of the terminal */
struct stream {
	int    fd;       /* -1: done */
	size_t app;
	struct sink *to;
	size_t line_len;
	char   line[LINE_MAX_];
};

struct pump {
	const struct plan *p;
	int            pod_fd, logs_fd; /* -1: nothing is logged; not open yet */
	bool           prefix, pod_ended;
	struct sink    out, err;
	struct log    *logs;
	pid_t         *pids;
	struct stream *streams;
	size_t         n_streams, n_apps;
	/* the terminal */
	int            master;
	bool           raw, in_eof;
	struct termios saved;
	size_t         in_len;
	char           in[512];
};

/* ---- log files ---- */

static bool logs_ready(struct pump *m)
{
	if (m->logs_fd < 0 && m->pod_fd >= 0 && (mkdirat(m->pod_fd, "logs", 0755) == 0 || errno == EEXIST))
		m->logs_fd = openat(m->pod_fd, "logs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return m->logs_fd >= 0;
}

static void log_open(struct pump *m, size_t app)
{
	struct log *l = &m->logs[app];
	struct stat st;

	l->fd = -1;
	if (!logs_ready(m))
		return;
	l->fd = openat(m->logs_fd, m->p->apps[app].name,
		O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
	l->size = l->fd >= 0 && fstat(l->fd, &st) == 0 ? (size_t)st.st_size : 0;
}

static void log_rotate(struct pump *m, size_t app)
{
	const char *name = m->p->apps[app].name;
	char older[300];
	int n = snprintf(older, sizeof(older), "%s.1", name);

	if (n < 0 || (size_t)n >= sizeof(older) ||
		renameat(m->logs_fd, name, m->logs_fd, older) < 0)
		return;
	close(m->logs[app].fd);
	log_open(m, app);
}

static void log_write(struct pump *m, size_t app, const char *data, size_t len)
{
	struct log *l = &m->logs[app];

	/* many apps never write anything, and files take time to make */
	if (l->fd < 0)
		log_open(m, app);
	if (l->fd >= 0 && l->size + len > LOG_MAX)
		log_rotate(m, app);
	/* a full disk must not stop the app */
	if (l->fd >= 0 && fd_write_all(l->fd, data, len) == 0)
		l->size += len;
}

/* ---- sinks ---- */

static void sink_open(struct sink *k, int fd)
{
	struct stat st;

	k->fd = fd;
	k->dead = fstat(fd, &st) < 0;
	k->file = !k->dead && S_ISREG(st.st_mode);
}

static bool sink_ready(const struct sink *k)
{
	struct pollfd p = { .fd = k->fd, .events = POLLOUT };

	return k->file || poll(&p, 1, 0) != 0;
}

/* writes as much as goes without waiting */
static void sink_flush(struct sink *k)
{
	while (k->at < k->len && !k->dead && sink_ready(k)) {
		size_t n = k->len - k->at;
		ssize_t w = write(k->fd, k->buf + k->at, n > CHUNK && !k->file ? CHUNK : n);
		if (w < 0 && errno == EAGAIN)
			return;
		if (w < 0 && errno != EINTR)
			k->dead = true;
		if (w > 0)
			k->at += (size_t)w;
	}
	if (k->dead || k->at == k->len)
		k->at = k->len = 0;
}

static void sink_add(struct sink *k, const char *data, size_t len)
{
	if (k->dead || len > sizeof(k->buf) - k->len)
		return;
	memcpy(k->buf + k->len, data, len);
	k->len += len;
}

/* ---- streams ---- */

static size_t prefix_text(const struct pump *m, size_t app, char *out, size_t size)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	int n = snprintf(out, size, "[%5lld.%06ld] %.64s[%d]: ", (long long)t.tv_sec,
		t.tv_nsec / 1000, m->p->apps[app].name, (int)m->pids[app]);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

#define PREFIX_MAX 128

static void emit_line(struct pump *m, struct stream *s)
{
	char prefix[PREFIX_MAX];
	size_t n = prefix_text(m, s->app, prefix, sizeof(prefix));

	if (!s->line_len)
		return;
	sink_add(s->to, prefix, n);
	sink_add(s->to, s->line, s->line_len);
	if (s->line[s->line_len - 1] != '\n')
		sink_add(s->to, "\n", 1);
	s->line_len = 0;
}

static void add_lines(struct pump *m, struct stream *s, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		s->line[s->line_len++] = data[i];
		if (data[i] == '\n' || s->line_len == sizeof(s->line))
			emit_line(m, s);
	}
}

static void stream_end(struct pump *m, struct stream *s)
{
	if (m->prefix)
		emit_line(m, s);
	sink_flush(s->to);
	close(s->fd);
	s->fd = -1;
}

/* one piece; only called when the sink is empty, so whatever the piece becomes fits into it */
static void stream_read(struct pump *m, struct stream *s)
{
	char data[CHUNK];
	/* the worst are lines of one byte, each with its prefix */
	size_t want =
		m->prefix ? (SINK_MAX - LINE_MAX_ - PREFIX_MAX) / (PREFIX_MAX + 2) : sizeof(data);
	ssize_t n = read(s->fd, data, want);

	if (n < 0 && (errno == EINTR || (errno == EAGAIN && !m->pod_ended)))
		return;
	if (n <= 0) {
		stream_end(m, s);
		return;
	}
	log_write(m, s->app, data, (size_t)n);
	if (m->prefix)
		add_lines(m, s, data, (size_t)n);
	else
		sink_add(s->to, data, (size_t)n);
	sink_flush(s->to);
}

/* ---- the terminal ---- */

void pump_restore(struct pump *m)
{
	if (m->raw)
		tcsetattr(0, TCSADRAIN, &m->saved);
	m->raw = false;
}

void pump_resized(struct pump *m)
{
	struct winsize w;

	if (m->master >= 0 && ioctl(0, TIOCGWINSZ, &w) == 0)
		ioctl(m->master, TIOCSWINSZ, &w);
}

void pump_terminal(struct pump *m, int master)
{
	struct termios t;
	struct stream *s = &m->streams[m->n_streams - 1];

	if (m->master >= 0 || !m->p->tty) {
		close(master);
		return;
	}
	m->master = master;
	fcntl(master, F_SETFL, O_NONBLOCK);
	s->fd = fcntl(master, F_DUPFD_CLOEXEC, 3);
	pump_resized(m);
	if (tcgetattr(0, &m->saved) < 0)
		return;
	t = m->saved;
	cfmakeraw(&t);
	m->raw = tcsetattr(0, TCSADRAIN, &t) == 0;
}

static void read_input(struct pump *m)
{
	ssize_t n = read(0, m->in, sizeof(m->in));

	if (n > 0) {
		m->in_len = (size_t)n;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		m->in_eof = true;
		m->in[0] = 4; /* what a terminal says for "end of file" */
		m->in_len = 1;
	}
}

static void write_input(struct pump *m)
{
	ssize_t n = m->in_len ? write(m->master, m->in, m->in_len) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		n = (ssize_t)m->in_len;
	m->in_len -= (size_t)n;
	memmove(m->in, m->in + n, m->in_len);
}

/* ---- waiting ---- */

size_t pump_n_polls(const struct pump *m)
{
	return m->n_streams + 4;
}

size_t pump_polls(struct pump *m, struct pollfd *p)
{
	size_t n = 0;
	bool in = m->master >= 0 && !m->pod_ended;

	for (size_t i = 0; i < m->n_streams; i++) {
		const struct stream *s = &m->streams[i];
		p[n++] = (struct pollfd){ .fd = s->to->len ? -1 : s->fd, .events = POLLIN };
	}
	p[n++] = (struct pollfd){ .fd = m->out.len ? m->out.fd : -1, .events = POLLOUT };
	p[n++] = (struct pollfd){ .fd = m->err.len ? m->err.fd : -1, .events = POLLOUT };
	p[n++] = (struct pollfd){ .fd = in && !m->in_len && !m->in_eof ? 0 : -1, .events = POLLIN };
	p[n++] = (struct pollfd){ .fd = in && m->in_len ? m->master : -1, .events = POLLOUT };
	return n;
}

void pump_handle(struct pump *m, const struct pollfd *p, size_t n)
{
	for (size_t i = 0; i < m->n_streams && i < n; i++) {
		struct stream *s = &m->streams[i];
		/* two streams may share a sink, and the first may have filled it */
		if (s->fd >= 0 && !s->to->len && (p[i].revents || m->pod_ended))
			stream_read(m, s);
	}
	sink_flush(&m->out);
	sink_flush(&m->err);
	p += m->n_streams;
	if (p[2].revents)
		read_input(m);
	if (m->master >= 0 && m->in_len)
		write_input(m);
}

void pump_pod_ended(struct pump *m)
{
	m->pod_ended = true;
	for (size_t i = 0; i < m->n_streams; i++)
		if (m->streams[i].fd >= 0)
			fcntl(m->streams[i].fd, F_SETFL, O_NONBLOCK);
}

bool pump_done(const struct pump *m)
{
	for (size_t i = 0; i < m->n_streams; i++)
		if (m->streams[i].fd >= 0)
			return false;
	return !m->out.len && !m->err.len;
}

void pump_started(struct pump *m, size_t app, pid_t pid)
{
	m->pids[app] = pid;
}

/* ---- making ---- */

static int open_pipe(struct stream *s, int *write_end, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	s->fd = fds[0];
	*write_end = fds[1];
	return 0;
}

static int open_streams(struct pump *m, struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_apps; i++) {
		struct stream *s = &m->streams[2 * i];
		s[0].app = s[1].app = i;
		s[0].to = &m->out;
		/* prefixed lines are a log; rkt has them on stdout, whichever stream they came by
		 */
		s[1].to = m->prefix ? &m->out : &m->err;
		s[0].fd = s[1].fd = -1;
		if (!p->tty && (open_pipe(&s[0], &p->apps[i].out_fd, e) < 0 ||
				       open_pipe(&s[1], &p->apps[i].err_fd, e) < 0))
			return -1;
	}
	return 0;
}

struct pump *pump_new(struct plan *p, int pod_fd, bool prefix, struct err *e)
{
	struct pump *m = calloc(1, sizeof(*m));

	if (m) {
		m->logs = calloc(p->n_apps, sizeof(*m->logs));
		m->pids = calloc(p->n_apps, sizeof(*m->pids));
		m->streams = calloc(2 * p->n_apps, sizeof(*m->streams));
	}
	if (!m || !m->logs || !m->pids || !m->streams) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	m->p = p;
	m->pod_fd = pod_fd;
	m->logs_fd = -1;
	for (size_t i = 0; i < p->n_apps; i++)
		m->logs[i].fd = -1;
	m->prefix = prefix;
	m->master = -1;
	m->n_apps = p->n_apps;
	m->n_streams = 2 * p->n_apps;
	sink_open(&m->out, 1);
	sink_open(&m->err, 2);
	return open_streams(m, p, e) < 0 ? NULL : m;
}

void pump_child(struct pump *m)
{
	for (size_t i = 0; i < m->n_streams; i++)
		fd_cleanup(&m->streams[i].fd);
}

void pump_parent(struct pump *m, struct plan *p)
{
	for (size_t i = 0; i < p->n_apps; i++) {
		fd_cleanup(&p->apps[i].out_fd);
		fd_cleanup(&p->apps[i].err_fd);
	}
}
