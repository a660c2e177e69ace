/* SPDX-License-Identifier: Apache-2.0
 * change_names - what becomes of names: renaming, removing, links, new things in directories of the image
 */
#include "change.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- names ---- */

static void moved(const char *from, const char *to, unsigned flags)
{
	struct stat before, after;

	must(lstat(from, &before) == 0, from);
	printf("rename %.20s to %.20s, ", from, to);
	int r = renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
	said(flags == RENAME_EXCHANGE ? "exchange" : flags ? "not over another" : "plain", r);
	if (r == 0 && (lstat(to, &after) < 0 || before.st_ino != after.st_ino))
		printf("%.20s: is another inode now\n", to);
}

static void move_files(void)
{
	puts_in("m", 9);
	moved("f/same", "f/renamed", 0);
	moved("f/renamed", "m/0", 0);
	moved("m/1", "f/cut", 0);
	moved("f/time", "f/attr", RENAME_NOREPLACE);
	moved("f/time", "f/time2", RENAME_NOREPLACE);
	moved("f/grow", "f/attr", RENAME_EXCHANGE);
	moved("f/mapped", "d/x3", RENAME_EXCHANGE);
	moved("d/x1", "d/x2", RENAME_EXCHANGE);
	moved("f/acl", "d/full", 0);
	moved("d/full", "f/acl", 0);
	moved("l/symlink", "l/symlink2", 0);
	moved("l/fifo", "m/fifo", 0);
	moved("l/same-a", "l/same-b", 0);
	moved("l/move-a", "m/move-a", 0);
}

static void move_dirs(void)
{
	char from[600] = "d/", name[251];

	moved("d/moved", "d/moved2", 0);
	moved("d/into", "m/into", 0);
	moved("m/into/sub", "d/sub", 0);
	moved("d/twice", "d/twice2", 0);
	moved("d/twice2", "m/twice", 0);
	must(append("d/changed/1") == 5 && unlink("d/changed/2") == 0, "d/changed");
	moved("d/changed", "m/changed", 0);
	must(append("m/changed/0") == 5 && append("m/into/0") == 5 && unlink("m/twice/0") == 0, "moved");
	moved("d/over", "d/empty", 0);
	moved("d/self", "d/self/sub/x", 0);
	moved("d/target", "d/full", 0);
	moved("d/empty2", "d/moved", RENAME_NOREPLACE);
	memset(name, 'n', 250);
	name[250] = 0;
	snprintf(from, sizeof(from), "d/%s/long", name);
	moved(from, "m/long", 0);
}

/* ---- removing, making anew ---- */

static long count(const char *path)
{
	long n = 0;
	DIR *d = opendir(path);

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return d ? n - 2 : -1;
}

/* while it is being read */
static long remove_as_read(const char *path)
{
	long n = 0;
	struct dirent *e;
	DIR *d = opendir(path);

	while (d && (e = readdir(d)))
		n += unlinkat(dirfd(d), e->d_name, 0) == 0;
	closedir(d);
	return n;
}

static void remove_files(void)
{
	struct stat st;
	int fd = open("f/range", O_RDONLY);

	said("unlink", unlink("f/range"));
	said("stat what is gone", stat("f/range", &st));
	said("unlink again", unlink("f/range"));
	first_byte("removed, by a descriptor", fd);
	must(fstat(fd, &st) == 0, "fstat");
	printf("removed, links: %u\n", (unsigned)st.st_nlink);
	close(fd);
	put("f/range", 0640, 1);
	opened("make a file anew", open("f/sent", O_CREAT | O_EXCL | O_WRONLY, 0600));
	said("unlink a file for a directory", unlink("f/sent"));
	puts_in("f/sent", 1);
	said("unlink for a link", unlink("f/alloc") < 0 ? -1 : symlink("range", "f/alloc"));
}

static void remove_dirs(void)
{
	said("rmdir of what is not empty", rmdir("d/full"));
	said("remove a tree", remove_all("d/gone"));
	said("stat it", access("d/gone", F_OK));
	said("remove a tree and make it anew", remove_all("d/again") < 0 ? -1 : mkdir("d/again", 0711));
	said("in it", count("d/again"));
	put("d/again/0", 0600, 1);
	said("in it", count("d/again"));
	said("remove it again", remove_all("d/again"));
	said("and a file in its place", symlink("no", "d/again"));
	said("names in a directory", count("d/many"));
	said("removed while reading", remove_as_read("d/many"));
	said("names left", count("d/many"));
	said("rmdir with a directory in it", rmdir("d/many"));
	said("rmdir", remove_all("d/many/sub") < 0 ? -1 : rmdir("d/many"));
	must(mkdir("d/many", 0755) == 0, "d/many");
	said("names in the new one", count("d/many"));
}

/* ---- links ---- */

static void group(const char *when, const char *name)
{
	char path[100];
	struct stat st;

	printf("%s:", when);
	for (char c = 'a'; c <= 'd'; c++) {
		snprintf(path, sizeof(path), "l/%s-%c", name, c);
		if (lstat(path, &st) == 0)
			printf(" %c: %u links, %u bytes, mode %o", c, (unsigned)st.st_nlink, (unsigned)st.st_size, st.st_mode & 07777);
	}
	putchar('\n');
}

static void change_links(void)
{
	group("three names", "write");
	change("l/write-a", append);
	group("three names, one written to", "write");
	must(chmod("l/chmod-b", 0600) == 0, "chmod");
	group("three names, mode of one changed", "chmod");
	must(unlink("l/drop-a") == 0, "unlink");
	group("three names, one removed", "drop");
	group("three names, one renamed", "move");
	group("three names, one renamed to another", "same");
	said("link", link("l/add-a", "l/add-d"));
	group("three names and another", "add");
	change("l/add-d", append);
	group("three names and another, written to", "add");
	said("link a file of one name", link("f/chown", "l/one"));
	change("l/one", append);
	said("link a link", linkat(AT_FDCWD, "l/symlink2", AT_FDCWD, "l/symlink3", 0));
	said("link a pipe", link("m/fifo", "l/fifo2"));
	said("link a directory", link("d/full", "l/full"));
}

/* ---- new things ---- */

static int temporary(void)
{
	char path[40];
	int fd = open("l", O_TMPFILE | O_RDWR, 0640);

	if (fd < 0 || write(fd, LINE, 17) != 17)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int r = linkat(AT_FDCWD, path, AT_FDCWD, "l/temporary", AT_SYMLINK_FOLLOW);
	close(fd);
	return r;
}

static int socket_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	int r = bind(fd, (struct sockaddr *)&a, sizeof(a));
	if (r == 0 && listen(fd, 1) == 0) {
		int client = socket(AF_UNIX, SOCK_STREAM, 0);
		said("connect", connect(client, (struct sockaddr *)&a, sizeof(a)));
		close(client);
	}
	close(fd);
	return r;
}

static void make_new(void)
{
	said("O_TMPFILE and a name for it", temporary());
	said("pipe", mkfifo("l/pipe", 0600));
	said("socket", socket_at("l/socket"));
	opened("in a directory with a default ACL", open("d/acl/new", O_CREAT | O_WRONLY, 0666));
	said("directory there", mkdir("d/acl/sub", 0777));
}

/* ---- all of it ---- */

void do_names(void)
{
	move_files();
	move_dirs();
	remove_files();
	remove_dirs();
	change_links();
	make_new();
}
