/* SPDX-License-Identifier: Apache-2.0
 * view - prints all that can be seen of a tree, one line for each entry: what an app sees of its image
 *
 * usage: view [-t] DIR     -t: without times
 * In a line: path, type and mode, owner, mtime in nanoseconds, size or device or target, the number of links and
 * the first name of the same file, a digest of its content, whether it is sparse, and its attributes. A file of
 * which a file system without holes would make GiBs of zeros is not read: "no holes".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PAGE = 4096, NAMES_MAX = 65536, PATH_SIZE = 8192 };
#define READ_AT_MOST (64ll << 20)

static struct link { dev_t dev; ino_t ino; char *path; } *known;
static size_t n_known;
static int with_times = 1;

static void die(const char *what)
{
	printf("view: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_text(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] > ' ' && s[i] < 127 && !strchr("\\[]", s[i]))
			putchar(s[i]);
		else
			printf("\\%03o", (unsigned char)s[i]);
}

/* ---- content ---- */

static uint64_t digest(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211ull;
	return h;
}

/* pages that are not all zeros, so that it is the same wherever the holes are */
static uint64_t digest_page(uint64_t h, long long at, const char *page, ssize_t n)
{
	static const char zeros[PAGE];

	if (!memcmp(page, zeros, (size_t)n))
		return h;
	return digest(digest(h, &at, sizeof(at)), page, (size_t)n);
}

static uint64_t digest_range(int fd, uint64_t h, long long from, long long to)
{
	char page[PAGE];

	for (from = from / PAGE * PAGE; from < to; from += PAGE) {
		ssize_t n = pread(fd, page, PAGE, from);
		if (n < 0)
			die("read");
		h = digest_page(h, from, page, n);
	}
	return h;
}

static void print_content(const char *path, long long size)
{
	uint64_t h = 14695981039346656037ull;
	long long data_bytes = 0, end = 0;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		die(path);
	for (long long at; (at = lseek(fd, end, SEEK_DATA)) >= 0;) {
		end = lseek(fd, at, SEEK_HOLE);
		if (end < 0)
			die(path);
		data_bytes += end - at;
		if (end - at <= READ_AT_MOST)
			h = digest_range(fd, h, at, end);
	}
	close(fd);
	/* small holes may be written out, on any file system */
	if (data_bytes > READ_AT_MOST)
		printf(" no holes");
	else
		printf(" %016llx%s", (unsigned long long)h, size > 1 << 20 && data_bytes < size / 2 ? " sparse" : "");
}

/* ---- the rest of an entry ---- */

static void print_links(const char *path, const struct stat *st)
{
	size_t i = 0;

	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return;
	while (i < n_known && (known[i].dev != st->st_dev || known[i].ino != st->st_ino))
		i++;
	if (i == n_known) {
		known = realloc(known, ++n_known * sizeof(*known));
		known[i] = (struct link){ st->st_dev, st->st_ino, strdup(path) };
	}
	printf(" links:%lu=", (unsigned long)st->st_nlink);
	print_text(known[i].path, strlen(known[i].path));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_xattrs(const char *path)
{
	static char names[NAMES_MAX], value[NAMES_MAX];
	char *sorted[256];
	size_t n = 0;
	ssize_t len = llistxattr(path, names, sizeof(names));

	for (char *p = names; len > 0 && p < names + len && n < 256; p += strlen(p) + 1)
		if (strncmp(p, "trusted.", 8) != 0 && strcmp(p, "security.selinux") != 0)
			sorted[n++] = p;
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 0; i < n; i++) {
		ssize_t got = lgetxattr(path, sorted[i], value, sizeof(value));
		if (got < 0)
			die(path);
		printf(" [");
		print_text(sorted[i], strlen(sorted[i]));
		putchar('=');
		print_text(value, (size_t)got);
		putchar(']');
	}
}

static void print_what(const char *path, const struct stat *st)
{
	char target[PATH_SIZE];
	ssize_t n;

	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		printf(" %lld", (long long)st->st_size);
		print_content(path, st->st_size);
		break;
	case S_IFCHR:
	case S_IFBLK:
		printf(" %u,%u", major(st->st_rdev), minor(st->st_rdev));
		break;
	case S_IFLNK:
		n = readlink(path, target, sizeof(target));
		if (n < 0)
			die(path);
		printf(" ->");
		print_text(target, (size_t)n);
		break;
	default:
		break;
	}
}

/* ---- the walk ---- */

static void view(const char *path, unsigned char type);

static void view_dir(const char *path)
{
	struct dirent **v;
	char below[PATH_SIZE];
	int n = scandir(path, &v, NULL, alphasort);

	if (n < 0)
		die(path);
	for (int i = 0; i < n; i++) {
		snprintf(below, sizeof(below), "%s/%s", path, v[i]->d_name);
		if (strcmp(v[i]->d_name, ".") != 0 && strcmp(v[i]->d_name, "..") != 0)
			view(below, v[i]->d_type);
		free(v[i]);
	}
	free(v);
}

/* @type: what readdir() said of it, which must be true or nothing */
static void view(const char *path, unsigned char type)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		die(path);
	print_text(path, strlen(path));
	if (type != DT_UNKNOWN && DTTOIF(type) != (int)(st.st_mode & S_IFMT))
		printf(" (for readdir of type %d)", type);
	printf(" %o %u:%u", st.st_mode, st.st_uid, st.st_gid);
	if (with_times)
		printf(" %lld.%09ld", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	print_what(path, &st);
	print_links(path, &st);
	print_xattrs(path);
	putchar('\n');
	if (S_ISDIR(st.st_mode))
		view_dir(path);
}

int main(int argc, char **argv)
{
	with_times = !(argc == 3 && !strcmp(argv[1], "-t"));
	if (argc < 2 || chdir(argv[argc - 1]) < 0)
		die("no directory");
	view(".", DT_DIR);
	return fflush(stdout) == 0 ? 0 : 1;
}
