/* SPDX-License-Identifier: Apache-2.0
 * change - does to a tree what programs do to trees, and says how each step ended
 *
 *	change make DIR      the tree, on the host: its image is made of that
 *	change do DIR PROGRAM ARGUMENT...   the steps, in a pod; then runs the program
 *
 * A line for each step: what, and the result or the error; of files that are changed also whether they got another inode
 * number. Nothing in the output depends on time, order of names, or numbers that a file system gives out.
 */
#include "change.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void said(const char *what, long r)
{
	if (r < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, r);
}

void opened(const char *what, int fd)
{
	said(what, fd < 0 ? -1 : close(fd));
}

void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

void put(const char *path, mode_t mode, size_t lines)
{
	FILE *f = fopen(path, "we");

	must(f != NULL, path);
	for (size_t i = 0; i < lines; i++)
		fputs(LINE, f);
	must(fclose(f) == 0 && chmod(path, mode) == 0, path);
}

void puts_in(const char *dir, unsigned n)
{
	char path[600];

	must(mkdir(dir, 0755) == 0, dir);
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%.580s/%u", dir, i);
		put(path, 0644, 2);
	}
}

int append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	int r = fd < 0 ? -1 : (int)write(fd, "more\n", 5);

	close(fd);
	return r;
}

void first_byte(const char *what, int fd)
{
	char c = '?';

	printf("%s: %s\n", what, pread(fd, &c, 1, 0) == 1 ? c == '0' ? "as it was" : "as it is" : "unreadable");
}

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
	(void)st;
	(void)at;
	return what == FTW_DP ? rmdir(path) : unlink(path);
}

int remove_all(const char *path)
{
	return nftw(path, remove_one, 20, FTW_PHYS | FTW_DEPTH);
}

/* to a file of the image */
void change(const char *path, int (*how)(const char *))
{
	struct stat before, after;

	must(lstat(path, &before) == 0, path);
	said(path, how(path));
	must(lstat(path, &after) == 0, path);
	if (before.st_ino != after.st_ino || before.st_dev != after.st_dev)
		printf("%s: is another inode now\n", path);
}

/* ---- all of it ---- */

static int chown_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
	(void)st;
	(void)what;
	(void)at;
	return lchown(path, 4321, 8765);
}

static void as_other(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		must(setgid(2000) == 0 && setuid(1001) == 0, "user 1001");
		opened("1001: read what an ACL allows", open("f/with-acl", O_RDONLY));
		opened("1001: write it", open("f/with-acl", O_WRONLY));
		opened("1001: write what is root's", open("f/direct", O_WRONLY));
		said("1001: make something", mkdir("f/mine", 0700));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void do_all(void)
{
	as_other();
	do_files();
	do_names();
	said("chown -R", nftw("odd", chown_one, 20, FTW_PHYS));
	said("rm -r", remove_all("odd2"));
	said("and anew", mkdir("odd2", 0700));
	as_other();
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	if (argc < 3 || chdir(argv[2]) < 0) {
		fprintf(stderr, "usage: change make|do DIR [PROGRAM ARGUMENT...]\n");
		return 2;
	}
	if (!strcmp(argv[1], "make"))
		make_tree();
	else
		do_all();
	if (argc > 3)
		execv(argv[3], argv + 3);
	return argc > 3;
}
