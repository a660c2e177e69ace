/* SPDX-License-Identifier: Apache-2.0
 * files - tools that look at files: ls, stat, cat
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "stage1-init/tools/tools.h"

static void mode_text(mode_t mode, char out[11])
{
	static const char letters[] = "rwxrwxrwx";
	static const struct { mode_t type; char letter; } types[] = { { S_IFDIR, 'd' }, { S_IFLNK, 'l' },
		{ S_IFCHR, 'c' }, { S_IFBLK, 'b' }, { S_IFIFO, 'p' }, { S_IFSOCK, 's' } };

	out[0] = '-';
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if ((mode & S_IFMT) == types[i].type)
			out[0] = types[i].letter;
	for (int i = 0; i < 9; i++)
		out[1 + i] = mode >> (8 - i) & 1 ? letters[i] : '-';
	if (mode & S_ISUID)
		out[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & S_IXOTH ? 't' : 'T';
	out[10] = 0;
}

static void print_link(int dir_fd, const char *name)
{
	char to[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, to, sizeof(to) - 1);

	if (n < 0)
		return;
	to[n] = 0;
	fputs(" -> ", stdout);
	tools_print(to);
}

/* ---- ls ---- */

struct ls { bool long_form, all, itself; };

static void print_entry(const struct ls *l, int dir_fd, const char *name)
{
	char mode[11], size[32], when[32];
	struct stat st;
	struct tm tm;

	if (!l->long_form) {
		tools_print(name);
		putchar('\n');
		return;
	}
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		tools_error("ls", name);
		return;
	}
	mode_text(st.st_mode, mode);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		snprintf(size, sizeof(size), "%u, %u", major(st.st_rdev), minor(st.st_rdev));
	else
		snprintf(size, sizeof(size), "%lld", (long long)st.st_size);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M", gmtime_r(&st.st_mtime, &tm));
	printf("%s %3lu %5lu %5lu %9s %s ", mode, (unsigned long)st.st_nlink, (unsigned long)st.st_uid,
	       (unsigned long)st.st_gid, size, when);
	tools_print(name);
	if (S_ISLNK(st.st_mode))
		print_link(dir_fd, name);
	putchar('\n');
}

static int list_dir(const struct ls *l, const char *path)
{
	struct dirent **v;
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = fd < 0 ? -1 : scandir(path, &v, NULL, alphasort);

	if (n < 0)
		return tools_error("ls", path);
	for (int i = 0; i < n; i++) {
		if (!tools_interrupted() && (l->all || *v[i]->d_name != '.'))
			print_entry(l, fd, v[i]->d_name);
		free(v[i]);
	}
	free(v);
	return 0;
}

static int list(const struct ls *l, const char *path)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, l->long_form ? AT_SYMLINK_NOFOLLOW : 0) < 0)
		return tools_error("ls", path);
	if (S_ISDIR(st.st_mode) && !l->itself)
		return list_dir(l, path);
	print_entry(l, AT_FDCWD, path);
	return 0;
}

static int ls(int argc, char **argv)
{
	struct ls l = { .all = false };
	int status = 0, i = 1;

	for (; i < argc && *argv[i] == '-' && argv[i][1]; i++) {
		l.long_form |= strchr(argv[i], 'l') != NULL;
		l.all |= strchr(argv[i], 'a') != NULL;
		l.itself |= strchr(argv[i], 'd') != NULL;
	}
	if (i == argc)
		return list(&l, ".");
	for (bool several = argc - i > 1; i < argc; i++) {
		if (several)
			printf("%s:\n", argv[i]);
		status |= list(&l, argv[i]);
	}
	return status;
}

/* ---- stat ---- */

static void print_time(const char *what, time_t t)
{
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&t, &tm));
	printf("  %s %s\n", what, text);
}

static int stat_one(const char *path)
{
	char mode[11];
	struct stat st;

	if (lstat(path, &st) < 0)
		return tools_error("stat", path);
	mode_text(st.st_mode, mode);
	tools_print(path);
	if (S_ISLNK(st.st_mode))
		print_link(AT_FDCWD, path);
	printf("\n  mode %s (%04o) links %lu uid %lu gid %lu\n  size %lld blocks %lld device %u:%u inode %llu", mode,
	       st.st_mode & 07777U, (unsigned long)st.st_nlink, (unsigned long)st.st_uid, (unsigned long)st.st_gid,
	       (long long)st.st_size, (long long)st.st_blocks, major(st.st_dev), minor(st.st_dev),
	       (unsigned long long)st.st_ino);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		printf(" is %u:%u", major(st.st_rdev), minor(st.st_rdev));
	putchar('\n');
	print_time("modified", st.st_mtime);
	print_time("changed ", st.st_ctime);
	return 0;
}

static int stat_all(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status |= stat_one(argv[i]);
	return status;
}

/* ---- cat ---- */

static int copy_out(int fd, const char *name)
{
	char buf[16384];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0 && !tools_interrupted())
		if (fwrite(buf, 1, (size_t)n, stdout) < (size_t)n || fflush(stdout) == EOF)
			return 1;
	return n < 0 ? tools_error("cat", name) : 0;
}

static int cat(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		auto_close int fd = open(argv[i], O_RDONLY | O_NOCTTY | O_CLOEXEC);
		status |= fd < 0 ? tools_error("cat", argv[i]) : copy_out(fd, argv[i]);
	}
	return status;
}

const struct tool tools_files[] = {
	{ "ls", "[-ald] [FILE...]", "names; -l: with kind, mode, owner, size, time (UTC)", ls },
	{ "stat", "FILE...", "all about a file", stat_all },
	{ "cat", "FILE...", "what is in a file", cat },
	{ .name = NULL },
};
