/* SPDX-License-Identifier: Apache-2.0
 * change_files - content and attributes of files of the image, by all calls that change them, and what had them open before
 */
#include "change.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ---- what was open before ---- */

static void overwrite(const char *path)
{
	int fd = open(path, O_WRONLY);

	must(fd >= 0 && pwrite(fd, "X", 1, 0) == 1 && close(fd) == 0, path);
}

static void open_before(void)
{
	struct stat st;
	int fd = open("f/read-first", O_RDONLY);

	overwrite("f/read-first");
	first_byte("opened before it was written to, reads", fd);
	close(fd);
	fd = open("f/read-first", O_RDONLY);
	first_byte("opened after it was written to, reads", fd);
	close(fd);
	fd = open("f/map-first", O_RDONLY);
	const char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED && p[1] == '1', "map");
	overwrite("f/map-first");
	printf("mapped before it was written to, shows: %s\n", *p == '0' ? "as it was" : "as it is");
	close(fd);
	fd = open("f/chmod-first", O_RDONLY);
	said("mode by a descriptor for reading", fchmod(fd, 0604));
	overwrite("f/chmod-first");
	must(fstat(fd, &st) == 0, "fstat");
	printf("opened before mode and content changed, has mode: %o\n", st.st_mode & 07777);
	close(fd);
}

static void locks(void)
{
	int a = open("f/locked", O_RDONLY), b = open("f/locked", O_RDWR);
	struct flock l = { .l_type = F_WRLCK };

	said("lock by who reads", flock(a, LOCK_EX | LOCK_NB));
	said("lock by who writes", flock(b, LOCK_EX | LOCK_NB));
	said("record lock by who writes", fcntl(b, F_OFD_SETLK, &l));
	l.l_type = F_RDLCK;
	said("record lock by who reads", fcntl(a, F_OFD_SETLK, &l));
	close(a);
	close(b);
}

static void watches(void)
{
	char buf[4096];
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	said("watch", inotify_add_watch(fd, "f/watched", IN_MODIFY | IN_ATTRIB));
	overwrite("f/watched");
	said("watch: written to, bytes of events", read(fd, buf, sizeof(buf)));
	must(chmod("f/watched", 0600) == 0, "chmod");
	said("watch: mode changed, bytes of events", read(fd, buf, sizeof(buf)));
	close(fd);
}

/* ---- copying up ---- */

static int do_cut(const char *path)
{
	return truncate(path, 10);
}

static int do_grow(const char *path)
{
	return truncate(path, 1 << 20);
}

static int do_trunc(const char *path)
{
	return close(open(path, O_WRONLY | O_TRUNC));
}

static int do_chmod(const char *path)
{
	return chmod(path, 04711);
}

static int do_chown(const char *path)
{
	return chown(path, 1234, 5678);
}

static int do_attr(const char *path)
{
	return setxattr(path, "user.new", "new", 3, XATTR_CREATE) < 0 ? -1 : removexattr(path, "user.old");
}

static int do_exec_attr(const char *path)
{
	return setxattr(path, "security.capability", CAP, CAP_LEN, 0);
}

static int do_acl(const char *path)
{
	return setxattr(path, "system.posix_acl_access", ACL, ACL_LEN, 0);
}

/* what a kernel cannot do with files of some file systems, until they are changed */
static int may_differ(const char *what, int r)
{
	printf("may differ: ");
	said(what, r);
	return r;
}

static int do_first_acl(const char *path)
{
	return may_differ("an ACL for what nobody changed yet", do_acl(path)) < 0 && (chmod(path, 0600) < 0 || do_acl(path) < 0) ? -1 : 0;
}

static int do_time(const char *path)
{
	const struct timespec t[2] = { { 5, 6 }, { 7, 8 } };

	return utimensat(AT_FDCWD, path, t, 0);
}

static int do_map(const char *path)
{
	int fd = open(path, O_RDWR);
	char *p = fd < 0 ? MAP_FAILED : mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	if (p == MAP_FAILED)
		return -1;
	memcpy(p + 4090, "mapped", 6);
	return msync(p, 8192, MS_SYNC) < 0 ? -1 : munmap(p, 8192);
}

static int do_punch(const char *path)
{
	int fd = open(path, O_RDWR);
	int r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 8192);

	close(fd);
	return r;
}

static int do_range(const char *path)
{
	int from = open(path, O_RDONLY), to = open("f/range-copy", O_WRONLY | O_CREAT, 0644);
	int r = may_differ("copy_file_range", (int)copy_file_range(from, NULL, to, NULL, 1 << 20, 0));

	if (r < 0)
		r = (int)sendfile(to, from, NULL, 1 << 20);
	close(from);
	close(to);
	return r;
}

static int do_send(const char *path)
{
	int from = open(path, O_RDONLY), to = open("f/sent-copy", O_WRONLY | O_CREAT, 0644);
	int r = (int)sendfile(to, from, NULL, 1 << 20);

	close(from);
	close(to);
	return r;
}

static int do_nothing(const char *path)
{
	int fd = open(path, O_RDWR);
	int r = (int)write(fd, "", 0);

	close(fd);
	return r;
}

static int do_direct(const char *path)
{
	void *p = NULL;
	int fd = open(path, O_RDONLY | O_DIRECT), r = -1;

	if (fd < 0)
		return -1;
	if (posix_memalign(&p, 4096, 8192) == 0)
		r = (int)pread(fd, p, 8192, 4096);
	free(p);
	close(fd);
	return r;
}

static int do_first_direct(const char *path)
{
	may_differ("O_DIRECT of what nobody changed yet", do_direct(path));
	return 0;
}

static long blocks(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? -1 : (long)st.st_blocks;
}

static void change_files(void)
{
	may_differ("blocks of a sparse file", (int)blocks("f/sparse"));
	change("f/append", append);
	change("f/setuid", append); /* by root with all capabilities the bits stay, otherwise not */
	change("f/capable", append);
	change("f/with-acl", append);
	change("f/cut", do_cut);
	change("f/grow", do_grow);
	change("f/truncated", do_trunc);
	change("f/chmod", do_chmod);
	change("f/chown", do_chown);
	change("f/attr", do_attr);
	change("f/exec-attr", do_exec_attr);
	change("f/acl", do_first_acl);
	change("f/time", do_time);
	change("f/mapped", do_map);
	change("f/alloc", do_punch);
	change("f/range", do_range);
	change("f/sent", do_send);
	change("f/empty-write", do_nothing);
	change("f/direct", do_first_direct);
	change("f/direct", append);
	change("f/direct", do_direct);
	change("f/sparse", append);
	change("d", do_chmod);
	change("d/acl", do_chown);
	change("l/fifo", do_chown);
	change("l/null", do_chown);
}

/* ---- all of it ---- */

void do_files(void)
{
	open_before();
	locks();
	watches();
	change_files();
}
