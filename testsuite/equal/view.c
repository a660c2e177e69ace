/* SPDX-License-Identifier: Apache-2.0
 * view - prints what a program sees of a tree: one line for each name, in order of bytes
 *
 *	view [-n] DIR [NAME...]      NAME: a path below DIR to leave out, with all that is in it
 *
 * Of each: type, mode, owner, mtime in nanoseconds, and as far as its type has them: size, number of links and the first
 * name of the same inode, device number, target, extended attributes, content, and where its data lies between holes.
 * Not shown is what every file system has as it likes: sizes and link counts of directories, the order of names and of
 * attributes, blocks in use. The last lines say how many file systems the tree seems to be, and how many names are
 * another inode or another type in their directory than stat says.
 * -n: times after 2020 are "now", for trees that were changed. Runs in pods: static, and needs nothing but /proc.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PATH_BYTES 8192
#define PAGE       4096u
#define PIECE      (1u << 20)
#define THE_YEAR_2020 1577836800

struct entry {
	char       *path; /* relative to the root; "." is the root */
	struct stat st;
	int         group; /* the first entry of the same inode */
};

static int             root_fd;
static bool            now;
static char          **skip;
static struct entry   *all;
static size_t          n_all;
static unsigned        d_ino_differs, d_type_differs;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *fmt, ...)
{
	va_list ap;
	int why = errno;

	va_start(ap, fmt);
	fprintf(stderr, "view: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, ": %s\n", strerror(why));
	va_end(ap);
	exit(1);
}

static void *grown(void *p, size_t bytes)
{
	p = realloc(p, bytes);
	if (!p)
		die("memory");
	return p;
}

/* ---- reading the tree ---- */

static bool is_left_out(const char *path)
{
	for (char **s = skip; *s; s++)
		if (!strcmp(path, *s))
			return true;
	return false;
}

static struct entry *add(const char *path)
{
	if (n_all % 4096 == 0)
		all = grown(all, (n_all + 4096) * sizeof(*all));
	struct entry *en = &all[n_all++];
	en->path = strdup(path);
	if (!en->path || fstatat(root_fd, path, &en->st, AT_SYMLINK_NOFOLLOW) < 0)
		die("stat %s", path);
	return en;
}

static unsigned type_bits(unsigned char d_type)
{
	return DTTOIF(d_type);
}

static void compare_dirent(const struct dirent *d, const struct stat *st)
{
	d_ino_differs += d->d_ino != st->st_ino;
	d_type_differs += type_bits(d->d_type) != (st->st_mode & S_IFMT);
}

static void read_dir(const char *path);

static void read_name(const char *dir, const struct dirent *d)
{
	char path[PATH_BYTES];
	bool top = !strcmp(dir, ".");

	if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
		return;
	if (snprintf(path, sizeof(path), "%s%s%s", top ? "" : dir, top ? "" : "/", d->d_name) >= (int)sizeof(path))
		die("%s: too long", dir);
	if (is_left_out(path))
		return;
	const struct entry *en = add(path);
	compare_dirent(d, &en->st);
	if (S_ISDIR(en->st.st_mode))
		read_dir(path);
}

/* All names first, so that however deep the tree is there is only one descriptor. */
static void read_dir(const char *path)
{
	struct dirent *d, **names = NULL;
	size_t n = 0;
	int fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		die("open %s", path);
	while (errno = 0, (d = readdir(dir))) {
		if (n % 256 == 0)
			names = grown(names, (n + 256) * sizeof(*names));
		names[n] = grown(NULL, d->d_reclen);
		memcpy(names[n++], d, d->d_reclen);
	}
	if (errno)
		die("read %s", path);
	closedir(dir);
	for (size_t i = 0; i < n; i++) {
		read_name(path, names[i]);
		free(names[i]);
	}
	free(names);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int by_inode(const void *a, const void *b)
{
	const struct entry *x = &all[*(const int *)a], *y = &all[*(const int *)b];

	if (x->st.st_dev != y->st.st_dev)
		return x->st.st_dev < y->st.st_dev ? -1 : 1;
	if (x->st.st_ino != y->st.st_ino)
		return x->st.st_ino < y->st.st_ino ? -1 : 1;
	return *(const int *)a - *(const int *)b;
}

static bool same_inode(const struct entry *a, const struct entry *b)
{
	return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino;
}

static void group(void)
{
	int *order = grown(NULL, n_all * sizeof(*order)), first = 0;

	for (size_t i = 0; i < n_all; i++)
		order[i] = (int)i;
	qsort(order, n_all, sizeof(*order), by_inode);
	for (size_t i = 0; i < n_all; i++) {
		if (!i || !same_inode(&all[order[i]], &all[first]))
			first = order[i];
		all[order[i]].group = first;
	}
	free(order);
}

/* ---- showing it ---- */

/* such that a line is a line, and a blank ends a word */
static void quote(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c <= ' ' || c >= 127 || c == '\\')
			printf("\\%03o", c);
		else
			putchar(c);
	}
}

static uint64_t mix(uint64_t h, const unsigned char *p, size_t len)
{
	uint64_t word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; len; p++, len--)
		h = (h ^ *p) * 0x100000001b3u;
	return h ^ h >> 32;
}

static void show_xattr(const char *of, const char *name)
{
	static unsigned char value[65536];
	ssize_t n = getxattr(of, name, value, sizeof(value));

	if (n < 0)
		die("attribute %s", name);
	putchar(' ');
	quote(name, strlen(name));
	putchar('=');
	for (ssize_t i = 0; n <= 64 && i < n; i++)
		printf("%02x", value[i]);
	if (n > 64)
		printf("%zd:%016" PRIx64, n, mix(1, value, (size_t)n));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void show_xattrs(const struct entry *en)
{
	static char names[65536], *v[8192];
	char of[40];
	size_t count = 0;
	int fd = openat(root_fd, en->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		die("open %s", en->path);
	snprintf(of, sizeof(of), "/proc/self/fd/%d", fd);
	ssize_t n = listxattr(of, names, sizeof(names));
	if (n < 0 && errno != ENOTSUP)
		die("attributes of %s", en->path);
	/* what overlayfs and the store's file system keep for themselves is for root of the host to see */
	for (char *s = names; n > 0 && s < names + n; s += strlen(s) + 1)
		if (strncmp(s, "trusted.", 8) != 0 && strcmp(s, "security.selinux") != 0)
			v[count++] = s;
	qsort(v, count, sizeof(*v), by_text);
	for (size_t i = 0; i < count; i++)
		show_xattr(of, v[i]);
	close(fd);
}

/* the pages that are not all zeros, wherever holes are */
static uint64_t mix_pages(uint64_t h, const unsigned char *p, size_t len, uint64_t at)
{
	static const unsigned char zeros[PAGE];

	for (size_t n; len; p += n, at += n, len -= n) {
		n = len < PAGE ? len : PAGE;
		if (memcmp(p, zeros, n) != 0)
			h = mix(h ^ at * 0x9e3779b97f4a7c15u, p, n);
	}
	return h;
}

static uint64_t mix_content(int fd, uint64_t h, uint64_t at, uint64_t end, const char *path)
{
	static unsigned char buf[PIECE];

	while (at < end) {
		size_t want = end - at < sizeof(buf) ? (size_t)(end - at) : sizeof(buf), have = 0;
		for (ssize_t n; have < want; have += (size_t)n) {
			n = pread(fd, buf + have, want - have, (off_t)(at + have));
			if (n <= 0)
				die("read %s at %" PRIu64, path, at + have);
		}
		h = mix_pages(h, buf, want, at);
		at += want;
	}
	return h;
}

/* data=PAGES:RUNS:WHERE: WHERE is all of them if they are few, and a digest otherwise */
static void show_content(const struct entry *en)
{
	uint64_t h = 1, where = 1, pages = 0, runs = 0, size = (uint64_t)en->st.st_size, hashed = 0;
	char few[200] = "";
	int fd = openat(root_fd, en->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		die("open %s", en->path);
	for (off_t at = 0, data; (data = lseek(fd, at, SEEK_DATA)) >= 0; runs++) {
		at = lseek(fd, data, SEEK_HOLE);
		const uint64_t run[2] = { (uint64_t)data / PAGE, ((uint64_t)at + PAGE - 1) / PAGE };
		if (hashed < run[0] * PAGE)
			hashed = run[0] * PAGE;
		h = mix_content(fd, h, hashed, run[1] * PAGE < size ? run[1] * PAGE : size, en->path);
		hashed = run[1] * PAGE;
		where = mix(where, (const unsigned char *)run, sizeof(run));
		pages += run[1] - run[0];
		if (runs < 4)
			snprintf(few + strlen(few), 48, "%s%" PRIu64 "-%" PRIu64, runs ? "," : "", run[0], run[1]);
	}
	if (errno != ENXIO)
		die("data of %s", en->path);
	printf(" %016" PRIx64 " data=%" PRIu64 ":%" PRIu64 ":", h, pages, runs);
	if (runs <= 4)
		printf("%s", few);
	else
		printf("%016" PRIx64, where);
	close(fd);
}

static void show_target(const struct entry *en)
{
	char target[PATH_BYTES];
	ssize_t n = readlinkat(root_fd, en->path, target, sizeof(target));

	if (n < 0)
		die("link %s", en->path);
	printf(" -> ");
	quote(target, (size_t)n);
}

static void show(const struct entry *en)
{
	const struct stat *st = &en->st;

	quote(en->path, strlen(en->path));
	printf(" %o %u:%u ", st->st_mode, st->st_uid, st->st_gid);
	if (now && st->st_mtim.tv_sec > THE_YEAR_2020)
		printf("now");
	else
		printf("%" PRId64 ".%09ld", (int64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (!S_ISDIR(st->st_mode)) {
		printf(" size=%" PRId64, (int64_t)st->st_size);
		if (st->st_nlink > 1) {
			printf(" links=%u:", (unsigned)st->st_nlink);
			quote(all[en->group].path, strlen(all[en->group].path));
		}
	}
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf(" device=%u:%u", major(st->st_rdev), minor(st->st_rdev));
	else if (S_ISLNK(st->st_mode))
		show_target(en);
	else if (S_ISREG(st->st_mode))
		show_content(en);
	show_xattrs(en);
	putchar('\n');
}

static void show_sums(void)
{
	dev_t seen[64];
	unsigned n = 0;

	for (size_t i = 0, k; i < n_all; i++) {
		for (k = 0; k < n && seen[k] != all[i].st.st_dev; k++)
			;
		if (k == n && n < 64)
			seen[n++] = all[i].st.st_dev;
	}
	printf("* %zu entries, %u file system(s); %u d_ino and %u d_type differ\n", n_all, n, d_ino_differs, d_type_differs);
}

int main(int argc, char **argv)
{
	int i = 1;

	now = argc > 1 && !strcmp(argv[1], "-n");
	i += now;
	if (i >= argc) {
		fprintf(stderr, "usage: view [-n] DIR [NAME...]\n");
		return 2;
	}
	skip = argv + i + 1;
	root_fd = open(argv[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		die("open %s", argv[i]);
	add(".");
	read_dir(".");
	qsort(all, n_all, sizeof(*all), by_path);
	group();
	for (size_t k = 0; k < n_all; k++)
		show(&all[k]);
	show_sums();
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
