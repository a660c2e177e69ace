/* SPDX-License-Identifier: Apache-2.0
 * blob - see blob.h
 */
#include "core/store/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/store/internal.h"

/*
 * Write-back begins while the archive is still being read, so that the final fsync has little left to do. What
 * is written WRITE_BEHIND bytes before has probably reached the disk: it is waited for, so that a slow one is not
 * given more than it can take, and its pages are let go: whoever runs the image reads it through a mount that
 * caches on its own.
 */
#define START_EVERY  (8u << 20)
#define WRITE_BEHIND (32u << 20)

static void name_tmp(struct blob *b)
{
	uint64_t r = 0;

	/* all it must be is unlikely; O_EXCL does the rest */
	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = (uint64_t)(uintptr_t)b ^ b->bytes;
	snprintf(b->tmp, sizeof(b->tmp), STORE_TMP "%d.%016llx", (int)getpid(), (unsigned long long)r);
}

/* Between creating and locking, a collector may take the file for a leftover: then it has no name any more. */
static int create_named(struct blob *b, struct err *e)
{
	for (int tries = 0; tries < 100; tries++) {
		struct stat st;
		name_tmp(b);
		b->fd = openat(b->dir_fd, b->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
		if (b->fd < 0 && errno == EEXIST)
			continue;
		if (b->fd < 0)
			break;
		if (lock_wait(b->fd, LOCK_EXCLUSIVE, e) < 0)
			return -1;
		if (fstat(b->fd, &st) == 0 && st.st_nlink == 1)
			return 0;
		fd_cleanup(&b->fd);
	}
	b->tmp[0] = 0;
	return err_sys(e, "create a temporary file in the store");
}

/* whatever the umask has left of it */
static int set_mode(struct blob *b, struct err *e)
{
	return fchmod(b->fd, store_shared_dir(b->dir_fd) ? 0440 : 0400) < 0 ? err_sys(e, "create a temporary file in the store") : 0;
}

int blob_create(struct blob *b, int dir_fd, bool named, struct err *e)
{
	*b = (struct blob){ .dir_fd = dir_fd, .fd = -1 };
	if (!named)
		b->fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
	if (b->fd >= 0)
		return set_mode(b, e);
	/* what file systems and kernels without it say (overlayfs before 6.3, NFS, FAT) */
	if (!named && errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
		return err_sys(e, "create a temporary file in the store");
	return create_named(b, e) < 0 ? -1 : set_mode(b, e);
}

/* Waiting takes the disk's error away from fsync(), so it has to be told here; having no such call is none. */
static int let_go(struct blob *b, uint64_t end, struct err *e)
{
	off_t from = (off_t)b->dropped, len = (off_t)(end - b->dropped);

	if (sync_file_range(b->fd, from, len, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			    SYNC_FILE_RANGE_WAIT_AFTER) < 0 && errno != ENOSYS && errno != EINVAL && errno != EPERM)
		return err_sys(e, "write the image to disk");
	posix_fadvise(b->fd, from, len, POSIX_FADV_DONTNEED);
	b->dropped = end;
	return 0;
}

void blob_start(struct blob *b)
{
	sync_file_range(b->fd, (off_t)b->started, 0, SYNC_FILE_RANGE_WRITE);
	b->started = b->bytes;
}

int blob_write(struct blob *b, const void *data, size_t len, struct err *e)
{
	if (fd_write_all(b->fd, data, len) < 0)
		return err_sys(e, "write the image to the store");
	b->bytes += len;
	b->synced = false;
	if (b->bytes - b->started < START_EVERY)
		return 0;
	blob_start(b);
	return b->bytes - b->dropped > WRITE_BEHIND ? let_go(b, b->bytes - WRITE_BEHIND, e) : 0;
}

int blob_sync(struct blob *b, struct err *e)
{
	if (b->synced)
		return 0;
	if (fsync(b->fd) < 0)
		return err_sys(e, "write the image to disk");
	b->synced = true;
	if (!b->keep)
		posix_fadvise(b->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

/* by descriptor needs CAP_DAC_READ_SEARCH, by /proc needs /proc */
static int link_fd(int fd, int to_fd, const char *name)
{
	char self[64];

	if (linkat(fd, "", to_fd, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT && errno != EPERM)
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, to_fd, name, AT_SYMLINK_FOLLOW);
}

/*
 * fs-verity wants a file that nobody can write to any more, which takes a descriptor of its own; and ext4 wants
 * one with a name, or a power cut now would leave blocks that only fsck finds. The lock comes before the name, so
 * that store_gc() sees at any time that the file is in use.
 */
void blob_protect(struct blob *b)
{
	char self[64];
	struct err ignored;

	if (b->tmp[0] || !seal_can_protect(b->fd))
		return;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", b->fd);
	int fd = open(self, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	name_tmp(b);
	if (lock_wait(fd, LOCK_EXCLUSIVE, &ignored) < 0 || link_fd(b->fd, b->dir_fd, b->tmp) < 0) {
		b->tmp[0] = 0;
		close(fd);
		return;
	}
	fd_cleanup(&b->fd);
	b->fd = fd;
	b->synced = false;
	seal_protect(fd);
}

/* linkat() never replaces, so something of that name that is there makes it two steps */
static int publish_unnamed(struct blob *b, int to_fd, const char *name, struct err *e)
{
	if (link_fd(b->fd, to_fd, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "publish %s", name);
	name_tmp(b);
	int r = link_fd(b->fd, to_fd, b->tmp);
	if (r == 0 && renameat(to_fd, b->tmp, to_fd, name) < 0) {
		r = -1;
		err_sys(e, "publish %s", name);
		unlinkat(to_fd, b->tmp, 0);
	} else if (r < 0) {
		err_sys(e, "publish %s", name);
	}
	b->tmp[0] = 0;
	return r;
}

int blob_publish(struct blob *b, int to_fd, const char *name, struct err *e)
{
	if (!b->tmp[0])
		return publish_unnamed(b, to_fd, name, e);
	if (renameat(b->dir_fd, b->tmp, to_fd, name) < 0)
		return err_sys(e, "publish %s", name);
	b->tmp[0] = 0;
	return 0;
}

void blob_drop(struct blob *b)
{
	if (b->tmp[0])
		unlinkat(b->dir_fd, b->tmp, 0);
	b->tmp[0] = 0;
	/* a zeroed one does not own descriptor 0 */
	if (b->fd > 0)
		fd_cleanup(&b->fd);
}
