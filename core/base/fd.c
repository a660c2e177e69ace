/* SPDX-License-Identifier: Apache-2.0
 * fd - see fd.h
 */
#include "core/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "core/base/sys.h"

#define COPY_PIECE 16384u

void fd_cleanup(int *fd)
{
	int keep = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = keep;
}

void mem_cleanup(void *p)
{
	void **pp = p;
	int keep = errno;

	free(*pp);
	*pp = NULL;
	errno = keep;
}

void dir_cleanup(DIR **d)
{
	int keep = errno;

	if (*d)
		closedir(*d);
	*d = NULL;
	errno = keep;
}

int fd_close(int *fd)
{
	int r = *fd < 0 ? 0 : close(*fd);

	*fd = -1;
	return r;
}

/* smaller ones are gone in less time than a fork takes */
#define UNLINK_BESIDE (64 << 20)

/* the last reference, perhaps, to what has no name any more */
static void release_beside(int fd)
{
	if (fork() == 0) {
		/* locks and pipes of the caller must not stay as long as this takes */
		sys_close_range((unsigned)fd + 1, ~0u);
		if (fd)
			sys_close_range(0, (unsigned)fd - 1);
		_exit(0);
	}
	close(fd);
}

int fd_unlink(int dir_fd, const char *name)
{
	struct stat st;
	bool large = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		     st.st_size >= UNLINK_BESIDE;
	int keep = large ? openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
	int r = unlinkat(dir_fd, name, 0), why = errno;

	if (keep >= 0)
		release_beside(keep);
	errno = why;
	return r;
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* up to @len bytes, but @enough of them are enough */
static ssize_t read_enough(int fd, void *buf, size_t len, size_t enough)
{
	size_t got = 0;

	while (got < enough) {
		ssize_t n = read(fd, (char *)buf + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

ssize_t fd_read_full(int fd, void *buf, size_t len)
{
	return read_enough(fd, buf, len, len);
}

/* by hand: between these two the kernel does not, or it is not worth asking */
static ssize_t copy_piece(int from, off_t from_at, int to, off_t to_at, uint64_t len)
{
	char buf[COPY_PIECE];
	ssize_t n;

	do {
		n = pread(from, buf, len < sizeof(buf) ? (size_t)len : sizeof(buf), from_at);
	} while (n < 0 && errno == EINTR);
	for (ssize_t done = 0; done < n;) {
		ssize_t w = pwrite(to, buf + done, (size_t)(n - done), to_at + done);
		if (w < 0 && errno != EINTR)
			return -1;
		done += w > 0 ? w : 0;
	}
	return n;
}

int64_t fd_copy(int from, off_t from_at, int to, off_t to_at, uint64_t len)
{
	bool by_kernel = len > COPY_PIECE;
	uint64_t done = 0;

	while (done < len) {
		loff_t in = from_at + (off_t)done, out = to_at + (off_t)done;
		size_t want = len - done < SSIZE_MAX ? (size_t)(len - done) : SSIZE_MAX;
		ssize_t n = by_kernel ? copy_file_range(from, &in, to, &out, want, 0) : -1;
		if (n < 0) {
			by_kernel = false;
			n = copy_piece(from, from_at + (off_t)done, to, to_at + (off_t)done, len - done);
		}
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += (uint64_t)n;
	}
	return (int64_t)done;
}

/*
 * To the end, however long that is; bytes beyond @max are looked for, not kept. A read that ends where fstat()
 * had said that the file ends has asked for more, so it needs no second one to find the end.
 */
static int read_to_end(int fd, const char *name, size_t size, size_t max, char **out, size_t *len, struct err *e)
{
	auto_free char *p = NULL;
	/* files in /proc and /sys say 0 whatever they hold */
	size_t got = 0, want = size ? size : max < 4096 ? max : 4096;

	for (;;) {
		char *more = realloc(p, want + 1);
		if (!more)
			return err_set(e, ENOMEM, "%s: out of memory", name);
		p = more;
		size_t left = want - got;
		ssize_t n = read_enough(fd, p + got, left + 1, size && want == size ? left : left + 1);
		if (n < 0)
			return err_sys(e, "read %s", name);
		got += (size_t)n;
		if (got <= want)
			break;
		if (want >= max)
			return err_set(e, EFBIG, "%s: more than the %zu bytes allowed", name, max);
		want = want < max / 2 ? want * 2 : max;
	}
	p[got] = 0;
	if (len)
		*len = got;
	*out = take_ptr(p);
	return 0;
}

int fd_read_file(int dir_fd, const char *name, size_t max, char **out, size_t *len, struct err *e)
{
	struct stat st;
	auto_close int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", name);
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return err_set(e, EFBIG, "%s: %lld bytes, more than the %zu allowed", name,
			       (long long)st.st_size, max);
	return read_to_end(fd, name, (size_t)st.st_size, max, out, len, e);
}

#define PIPEFS_MAGIC 0x50495045 /* <linux/magic.h>: pipes without a name */

/* then there is, or was, a writer: a pipe without a name, or what the shell opened for us */
static bool pipe_is_open(int fd, const struct stat *st)
{
	struct statfs fs;
	struct stat in;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC)
		return true;
	return fstat(0, &in) == 0 && in.st_dev == st->st_dev && in.st_ino == st->st_ino;
}

static const char *kind(mode_t mode)
{
	return S_ISFIFO(mode) ? "FIFO" : S_ISSOCK(mode) ? "socket" : S_ISCHR(mode) ? "character device" :
	       S_ISBLK(mode) ? "block device" : "special file";
}

int fd_open_input(const char *path, struct stat *st, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int why = errno;

	/* a socket cannot be opened, and "No such device or address" tells nobody why */
	if (fd < 0 && stat(path, st) == 0 && S_ISSOCK(st->st_mode))
		return err_set(e, EINVAL, "is a socket, not a file");
	if (fd < 0)
		return err_set(e, why, "%s", strerror(why));
	if (fstat(fd, st) < 0)
		return err_set(e, errno, "%s", strerror(errno));
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode) && !(S_ISFIFO(st->st_mode) && pipe_is_open(fd, st)))
		return err_set(e, EINVAL, "is a %s, not a file", kind(st->st_mode));
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return err_set(e, errno, "%s", strerror(errno));
	return take_fd(&fd);
}

static int write_tmp(int dir_fd, const char *tmp, const void *data, size_t len, mode_t mode, bool durable)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	auto_close int fd = openat(dir_fd, tmp, flags, mode);

	/* from a process of the same pid that died here */
	if (fd < 0 && errno == EEXIST && unlinkat(dir_fd, tmp, 0) == 0)
		fd = openat(dir_fd, tmp, flags, mode);
	if (fd < 0)
		return -1;
	if (fd_write_all(fd, data, len) < 0 || fchmod(fd, mode) < 0 || (durable && fsync(fd) < 0) ||
	    fd_close(&fd) < 0) {
		int keep = errno;
		unlinkat(dir_fd, tmp, 0);
		errno = keep;
		return -1;
	}
	return 0;
}

int fd_publish(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable,
	       struct err *e)
{
	char tmp[NAME_MAX + 1];
	const char *slash = strrchr(name, '/');
	int dir_len = slash ? (int)(slash - name) + 1 : 0;

	/* ".tmp." marks what gc may remove; the pid keeps concurrent writers apart */
	int n = snprintf(tmp, sizeof(tmp), "%.*s.tmp.%d.%s", dir_len, name, (int)getpid(), name + dir_len);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return err_set(e, ENAMETOOLONG, "%s: name too long", name);
	if (write_tmp(dir_fd, tmp, data, len, mode, durable) < 0)
		return err_sys(e, "write %s", name);
	if (renameat(dir_fd, tmp, dir_fd, name) < 0) {
		err_sys(e, "rename to %s", name);
		unlinkat(dir_fd, tmp, 0);
		return -1;
	}
	if (!durable)
		return 0;
	tmp[dir_len] = 0;
	auto_close int d = openat(dir_fd, dir_len ? tmp : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d < 0 || fsync(d) < 0)
		return err_sys(e, "sync directory of %s", name);
	return 0;
}

int fd_proc_ready(struct err *e)
{
	/* of another PID namespace it has no "self" for us */
	if (access("/proc/self", F_OK) < 0 && errno == ENOENT)
		return err_set(e, ENODEV, "/proc does not show this process; is it mounted? (mount -t proc proc /proc)");
	return 0;
}

int fd_open_dir(int dir_fd, const char *name, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open directory %s", name) : fd;
}

DIR *fd_list(int dir_fd)
{
	auto_close int own = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);

	if (d)
		take_fd(&own);
	return d;
}

int fd_mkdirs(int dir_fd, const char *path, mode_t mode, struct err *e)
{
	/* nearly always it is there; a kernel without openat2 goes the long way */
	auto_close int at = sys_open_in(dir_fd, path, O_PATH | O_DIRECTORY, *path == '/' ? 0 : SYS_NO_SYMLINKS);
	const char *p = path;

	if (at >= 0)
		return 0;
	if (*p == '/') {
		at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (at < 0)
			return err_sys(e, "open /");
	}
	for (;;) {
		char part[NAME_MAX + 1];
		while (*p == '/')
			p++;
		size_t n = strcspn(p, "/");
		if (!n)
			return 0;
		if (n > NAME_MAX)
			return err_set(e, ENAMETOOLONG, "create directory %s: name too long", path);
		memcpy(part, p, n);
		part[n] = 0;
		int base = at >= 0 ? at : dir_fd;
		if (mkdirat(base, part, mode) < 0 && errno != EEXIST)
			return err_sys(e, "create directory %s", path);
		/* the administrator may have made /var/lib/rkt a symlink; only the last steps are ours */
		int next = openat(base, part, O_PATH | O_DIRECTORY | O_CLOEXEC | (*path == '/' ? 0 : O_NOFOLLOW));
		if (next < 0)
			return err_sys(e, "open directory %s", path);
		fd_cleanup(&at);
		at = next;
		p += n;
	}
}
