/* SPDX-License-Identifier: Apache-2.0
 * Who an app runs as: numbers, names, paths; hostile passwd and group files.
 */
#include "stage1-init/user.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "testsuite/unit/unit.h"

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("passwd", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, text, len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static int find(const char *text, bool group, const char *name, uid_t id, struct passwd_line *l)
{
	auto_close int fd = file_of(text, strlen(text));

	return passwd_find(fd, group, name, id, l);
}

TEST(lines, "user: passwd and group lines are found by name and by number")
{
	struct passwd_line l;
	const char *passwd =
		"root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:Web,,:/var/www:/usr/sbin/nologin";

	CHECK_INT(find(passwd, false, "web", 0, &l), 1);
	CHECK_INT(l.id, 33);
	CHECK_INT(l.gid, 34);
	CHECK_STR(l.home, "/var/www");
	CHECK_STR(l.shell, "/usr/sbin/nologin");
	CHECK_INT(find(passwd, false, NULL, 0, &l), 1);
	CHECK_STR(l.name, "root");
	CHECK_INT(find(passwd, false, "we", 0, &l), 0);
	CHECK_INT(find(passwd, false, NULL, 34, &l), 0);
	CHECK_INT(find("a:x:7:b,c\nb:x:8:\nc:x:9", true, "b", 0, &l), 1);
	CHECK_INT(l.id, 8);
	CHECK_INT(find("a:x:7:b,c\nb:x:8:\nc:x:9", true, "c", 0, &l), 1);
	CHECK_INT(l.id, 9);
	CHECK_INT(find("", false, "root", 0, &l), 0);
}

TEST(bad_lines, "user: malformed lines are passed over, and the first good one counts")
{
	struct passwd_line l;

	CHECK_INT(find("u:x:4294967295:0::/:\nu:x:1e1:0::/:\nu:x:-1:0::/:\nu:x: "
		       "1:0::/:\nu:x::0::/:\nu:x:5:0::/:\n"
		       "u:x:6:0::/:\n",
			  false, "u", 0, &l),
		1);
	CHECK_INT(l.id, 5);
	CHECK_INT(find("u:x:5:0:::\n", false, "u", 0, &l), 1);
	CHECK_INT(find("u:x:5:0::\nu:x:5\n:x:5:0::/:\n", false, "u", 0, &l), 0);
	CHECK_INT(find(":x:5:0::/:\n", false, "", 0, &l), 0);
	CHECK_INT(find("u\033[2J:x:5:0::/:\n", false, NULL, 5, &l), 0);
	CHECK_INT(find("u:x:5:4294967296::/:\n", false, "u", 0, &l), 0);
}

TEST(long_lines, "user: a line that is too long hides nothing and is not cut into several")
{
	struct passwd_line l;
	size_t len = 100000;
	char *text = malloc(len + 100);

	REQUIRE(text);
	/* cut anywhere, its tail would be a line of its own */
	for (size_t i = 0; i + 16 <= len; i += 16)
		memcpy(text + i, "u:x:0:0::/:/bin:", 16);
	memcpy(text + len, "\nu:x:7:7::/h:/s\n", 17);
	CHECK_INT(find(text, false, "u", 0, &l), 1);
	CHECK_INT(l.id, 7);
	text[len] = 0;
	CHECK_INT(find(text, false, "u", 0, &l), 0);
	free(text);
}

TEST(nul, "user: a NUL in a line makes it no line")
{
	struct passwd_line l;
	static const char text[] = "u:x:0:0::/:/bin/sh\0junk\nu:x:9:9::/:/bin/sh\n";
	auto_close int fd = file_of(text, sizeof(text) - 1);

	CHECK_INT(passwd_find(fd, false, "u", 0, &l), 1);
	CHECK_INT(l.id, 9);
}

/* ---- a root directory ---- */

static char root_path[] = "/tmp/stage1-user.XXXXXX";

static int make_root(void)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/work:/bin/ash\n"
				     "1e3:x:0:0::/:\n00:x:0:0::/:\n+0:x:0:0::/:\n-1:x:0:0::/"
				     ":\n4294967295:x:0:0::/:\n4294967296:x:0:0::/:\n"
				     " 0:x:0:0::/:\n0x0:x:0:0::/:\n99999999999999999999:x:0:0::/"
				     ":\nrel:x:44:44::work:sh\n";
	static const char group[] = "root:x:0:\nweb:x:33:\n1e3:x:0:\n-1:x:0:\n";
	struct err e;

	memcpy(root_path + strlen(root_path) - 6, "XXXXXX", 6);
	if (!mkdtemp(root_path))
		abort();
	int fd = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mkdirat(fd, "etc", 0755) < 0 ||
	    fd_publish(fd, "etc/passwd", passwd, sizeof(passwd) - 1, 0644, false, &e) < 0 ||
	    fd_publish(fd, "etc/group", group, sizeof(group) - 1, 0644, false, &e) < 0)
		abort();
	return fd;
}

static void drop_root(int fd)
{
	struct err e;

	close(fd);
	fd_remove_tree(AT_FDCWD, root_path, &e);
}

TEST(names, "user: names, numbers and paths, with the environment that belongs to them")
{
	int root = make_root();
	struct user u;
	struct err e;

	CHECK_INT(user_resolve(root, "web", "root", NULL, &u, &e), 0);
	CHECK_INT(u.uid, 33);
	CHECK_INT(u.gid, 0);
	CHECK_STR(u.home, "/work");
	CHECK_STR(u.shell, "/bin/ash");
	CHECK_INT(user_resolve(root, "33", "77", NULL, &u, &e), 0);
	CHECK_STR(u.name, "web");
	CHECK_INT(u.gid, 77);
	CHECK_INT(user_resolve(root, "12345", "0", NULL, &u, &e), 0);
	CHECK_STR(u.name, "12345");
	CHECK_STR(u.home, "/");
	CHECK_STR(u.shell, "/bin/sh");
	/* a home or shell that is no path is not one */
	CHECK_INT(user_resolve(root, "rel", "0", NULL, &u, &e), 0);
	CHECK_STR(u.home, "/");
	CHECK_STR(u.shell, "/bin/sh");
	CHECK_INT(user_resolve(root, "/etc", "/etc/passwd", NULL, &u, &e), 0);
	CHECK_INT(u.uid, getuid());
	CHECK_INT(u.gid, getgid());
	/* of a pod with users of its own: numbers are its own, owners of files are to be mapped, if it has them */
	const struct pod_ids own = { getuid() + 1, 65536 }, from_here = { getuid() ? getuid() : 1, 10 };
	CHECK_INT(user_resolve(root, "33", "77", &own, &u, &e), 0);
	CHECK_INT(u.uid, 33);
	CHECK_INT(u.gid, 77);
	CHECK_INT(user_resolve(root, "/etc", "0", &own, &u, &e), -1);
	CHECK_INT(e.code, ERANGE);
	if (getuid() == from_here.first) {
		CHECK_INT(user_resolve(root, "/etc", "0", &from_here, &u, &e), 0);
		CHECK_INT(u.uid, 0);
	}
	CHECK_INT(user_resolve(root, "4294967294", "4294967294", NULL, &u, &e), 0);
	CHECK_INT(u.uid, 4294967294u);
	drop_root(root);
}

TEST(not_found, "user: who is not there is named, as scripts expect it")
{
	int root = make_root();
	struct user u;
	struct err e;

	CHECK_INT(user_resolve(root, "nobody", "0", NULL, &u, &e), -1);
	CHECK_STR(e.msg, "\"nobody\" user not found");
	CHECK_INT(user_resolve(root, "0", "staff", NULL, &u, &e), -1);
	CHECK_STR(e.msg, "\"staff\" group not found");
	CHECK_INT(user_resolve(root, "/nope", "0", NULL, &u, &e), -1);
	CHECK_INT(e.code, ENOENT);
	CHECK_INT(user_resolve(root, "", "0", NULL, &u, &e), -1);
	drop_root(root);
}

TEST(like_numbers,
	"user: what begins like a number is one or an error, though passwd has it as root's name")
{
	static const char *const bad[] = { "+0", "-1", "4294967295", "4294967296", "1e3", " 0",
		"0x0", "99999999999999999999", "\t0", "0 ", "1a" };
	int root = make_root();
	struct user u;
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_INT(user_resolve(root, bad[i], "0", NULL, &u, &e), -1);
		CHECK_INT(user_resolve(root, "0", bad[i], NULL, &u, &e), -1);
	}
	u.uid = 1;
	CHECK_INT(user_resolve(root, "00", "0", NULL, &u, &e), 0);
	CHECK_INT(u.uid, 0);
	drop_root(root);
}

/* /etc/passwd as something that it should not be; the name must not be found, and nothing may hang
 */
static int with_passwd(int (*make)(int etc_fd))
{
	int root = make_root(), etc = openat(root, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct user u;
	struct err e;

	if (etc < 0 || unlinkat(etc, "passwd", 0) < 0)
		abort();
	int made = make(etc);
	int r = made < 0 ? -2 : user_resolve(root, "root", "0", NULL, &u, &e);
	close(etc);
	drop_root(root);
	return r;
}

static int make_nothing(int etc) { return etc < 0 ? -1 : 0; }
static int make_fifo(int etc) { return mkfifoat(etc, "passwd", 0644); }
static int make_dir(int etc) { return mkdirat(etc, "passwd", 0755); }
static int make_loop(int etc) { return symlinkat("passwd", etc, "passwd"); }
static int make_dangling(int etc) { return symlinkat("/nope", etc, "passwd"); }
static int make_outside(int etc)
{
	return symlinkat("/../../../../../../etc/passwd", etc, "passwd");
}
static int make_magic(int etc) { return symlinkat("/proc/self/root/etc/passwd", etc, "passwd"); }

TEST(odd_passwd, "user: /etc/passwd as FIFO, directory, loop or way out of the root is no passwd")
{
	CHECK_INT(with_passwd(make_nothing), -1);
	CHECK_INT(with_passwd(make_fifo), -1);
	CHECK_INT(with_passwd(make_dir), -1);
	CHECK_INT(with_passwd(make_loop), -1);
	CHECK_INT(with_passwd(make_dangling), -1);
	CHECK_INT(with_passwd(make_outside), -1);
	CHECK_INT(with_passwd(make_magic), -1);
}

UNIT_MAIN(lines, bad_lines, long_lines, nul, names, not_found, like_numbers, odd_passwd)
