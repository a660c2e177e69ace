/* SPDX-License-Identifier: Apache-2.0
 * paths - see paths.h
 *
 * A path has a record as soon as it has an entry (it is defined) or as it is spoken of (it is used): as a
 * directory by entries below it, as a file by hard links to it. Records live in a hash table. When that has
 * grown to TABLE_MAX it is written out as a sorted run and begun anew; at the end all runs are merged, and
 * what belongs to one path comes together again. Names are not in the records: once there are runs, they are
 * logged in the order of the archive, and the few that messages need are looked up there at the very end.
 */
#include "core/archive/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/appc/finding.h"
#include "core/archive/siphash.h"
#include "core/base/fd.h"

#define TABLE_MIN   (1u << 8)
#define TABLE_MAX   (1u << 14) /* records: 512 KiB */
#define RECORDS_MAX 40000000u  /* in runs: 1.2 GiB of temporary file */
#define DEPTH_MAX   (TAR_PATH_MAX / 2 + 1)
#define LOG_BUF     4096u

/* What a path is used as, or what its entry is. 0 in a mark: neither. */
enum what { AS_DIR = 1, AS_FILE, IS_DIR = 1, IS_FILE, IS_OTHER };

struct record {
	struct siphash hash;
	uint64_t       def; /* mark of its entry */
	uint64_t       use; /* mark of its first use */
};

struct run {
	uint64_t       at, left;    /* in records, in the file */
	struct record *buf;
	size_t         n, i;        /* records in buf, and which one comes next */
};

struct fault {
	enum paths_fault what;
	uint64_t         offset, other;
};

struct paths {
	struct paths_handler h;
	struct siphash_key   key;
	struct record       *table;
	size_t               size, n; /* slots (a power of two), records */
	/* the last path, its components' ends and the hash of the path up to there */
	char                 last[TAR_PATH_MAX + 1];
	size_t               depth, ends[DEPTH_MAX];
	struct siphash       hashes[DEPTH_MAX];
	/* once the table was full */
	bool                 no_files;
	int                  runs_fd, log_fd;
	uint64_t             n_records;
	struct run          *runs;
	size_t               n_runs;
	struct fault        *faults;
	size_t               n_faults;
	uint8_t              log[LOG_BUF];
	size_t               log_len;
};

/* Headers lie on blocks, so an offset in blocks leaves room for two bits, and 0 for "none". */
static uint64_t mark(uint64_t offset, enum what what)
{
	return (offset / 512 + 1) << 2 | what;
}

static uint64_t offset_of(uint64_t m)
{
	return ((m >> 2) - 1) * 512;
}

static enum what what_of(uint64_t m)
{
	return m & 3;
}

/* ---- the table: open addressing by the highest bits, so it is nearly sorted as it lies ---- */

static struct record *slot_of(struct record *table, size_t size, const struct siphash *h)
{
	size_t i = (size_t)((h->h[0] >> 32) * size >> 32);

	for (;; i = (i + 1) & (size - 1)) {
		struct record *r = &table[i];
		if ((!r->def && !r->use) || (r->hash.h[0] == h->h[0] && r->hash.h[1] == h->h[1]))
			return r;
	}
}

static int resize(struct paths *p, size_t size, struct err *e)
{
	struct record *table = calloc(size, sizeof(*table));

	if (!table)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < p->size; i++)
		if (p->table[i].def || p->table[i].use)
			*slot_of(table, size, &p->table[i].hash) = p->table[i];
	free(p->table);
	p->table = table;
	p->size = size;
	return 0;
}

static int spill(struct paths *p, struct err *e);

/* the path's record, made if need be */
static struct record *record_of(struct paths *p, const struct siphash *h, struct err *e)
{
	if (p->n >= p->size / 8 * 7 && (p->size < TABLE_MAX ? resize(p, p->size * 2, e) : spill(p, e)) < 0)
		return NULL;
	struct record *r = slot_of(p->table, p->size, h);
	p->n += !r->def && !r->use;
	r->hash = *h;
	return r;
}

/* ---- entries ---- */

static void fault(struct paths *p, enum paths_fault what, const char *path, uint64_t offset, uint64_t other)
{
	p->h.fault(p->h.ctx, what, path, offset, other);
}

static int define(struct paths *p, const struct siphash *h, enum what is, const struct tar_entry *en,
		  struct err *e)
{
	struct record *r = record_of(p, h, e);

	if (!r)
		return -1;
	if (r->def) {
		fault(p, PATHS_TWICE, en->path, en->header_offset, offset_of(r->def));
		return 0;
	}
	r->def = mark(en->header_offset, is);
	if (r->use && what_of(r->use) == AS_DIR && is != IS_DIR) {
		fault(p, PATHS_ABOVE_OTHER, en->path, en->header_offset, offset_of(r->use));
		r->use = 0; /* said; not again at the end */
	}
	return 0;
}

static int use_as_dir(struct paths *p, const struct siphash *h, const struct tar_entry *en, struct err *e)
{
	struct record *r = record_of(p, h, e);
	uint64_t against = 0;

	if (!r)
		return -1;
	if (r->def && what_of(r->def) != IS_DIR)
		against = r->def;
	else if (r->use && what_of(r->use) == AS_FILE)
		against = r->use;
	else if (!r->use)
		r->use = mark(en->header_offset, AS_DIR);
	if (against)
		fault(p, PATHS_BELOW_OTHER, en->path, en->header_offset, offset_of(against));
	return 0;
}

/* Only an entry that came before will do: whoever unpacks the archive links while reading it. */
static int use_as_file(struct paths *p, const struct siphash *h, const struct tar_entry *en, struct err *e)
{
	struct record *r = slot_of(p->table, p->size, h);

	if (r->def) {
		if (what_of(r->def) != IS_FILE)
			fault(p, PATHS_LINK_OTHER, en->path, en->header_offset, offset_of(r->def));
		return 0;
	}
	if (r->use && what_of(r->use) == AS_DIR) {
		fault(p, PATHS_LINK_OTHER, en->path, en->header_offset, offset_of(r->use));
		return 0;
	}
	if (!p->n_runs) {
		fault(p, PATHS_LINK_NOWHERE, en->path, en->header_offset, UINT64_MAX);
		return 0;
	}
	r = record_of(p, h, e); /* what it links to may be in a run */
	if (!r)
		return -1;
	if (!r->use)
		r->use = mark(en->header_offset, AS_FILE);
	return 0;
}

/* the hash of a path is that of its parent's hash and its name: so every directory above comes for free */
static struct siphash hash_path(const struct paths *p, const char *path)
{
	struct siphash h = { { 0, 0 } };

	while (*path) {
		size_t n = strcspn(path, "/");
		h = siphash(&p->key, h, path, n);
		path += n + (path[n] == '/');
	}
	return h;
}

/*
 * Hashes @path into p->hashes, and says from where on its directories are new. Those that it shares with
 * the path before were used by that one already.
 */
static size_t enter_path(struct paths *p, const char *path)
{
	size_t same = 0, known, at = 0;

	while (same < p->depth && !strncmp(p->last + at, path + at, p->ends[same] - at) &&
	       (path[p->ends[same]] == '/' || !path[p->ends[same]])) {
		at = p->ends[same++];
		if (!path[at++])
			break;
	}
	/* the last component was no directory to that one */
	known = same < p->depth ? same : p->depth ? p->depth - 1 : 0;
	at = same ? p->ends[same - 1] + 1 : 0;
	struct siphash h = { { 0, 0 } };
	if (same)
		h = p->hashes[same - 1];
	size_t len = strlen(path);
	for (p->depth = same; at < len; at = p->ends[p->depth++] + 1) {
		size_t n = strcspn(path + at, "/");
		h = p->hashes[p->depth] = siphash(&p->key, h, path + at, n);
		p->ends[p->depth] = at + n;
	}
	memcpy(p->last, path, len + 1);
	return known;
}

static enum what kind(enum tar_type t)
{
	/* a hard link is one more name of a file: that it is one is checked where it points */
	return t == TAR_DIR ? IS_DIR : t == TAR_FILE || t == TAR_HARDLINK ? IS_FILE : IS_OTHER;
}

static int log_path(struct paths *p, const struct tar_entry *entry, struct err *e);

int paths_add(struct paths *p, const struct tar_entry *entry, struct err *e)
{
	static const struct siphash root = { { 0, 0 } };

	if (entry->type == TAR_HARDLINK) {
		struct siphash target = hash_path(p, entry->link);
		if (use_as_file(p, &target, entry, e) < 0)
			return -1;
	}
	for (size_t i = enter_path(p, entry->path); i + 1 < p->depth; i++)
		if (use_as_dir(p, &p->hashes[i], entry, e) < 0)
			return -1;
	if (define(p, p->depth ? &p->hashes[p->depth - 1] : &root, kind(entry->type), entry, e) < 0)
		return -1;
	/* after the rest, so that the entry which filled the table is the first one */
	return p->n_runs ? log_path(p, entry, e) : 0;
}

/* ---- temporary files ---- */

static int open_tmp(bool no_files, struct err *e)
{
	const char *dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

	for (size_t i = 0; !no_files && i < sizeof(dirs) / sizeof(*dirs); i++) {
		int fd = dirs[i] && *dirs[i] ? open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
		if (fd >= 0)
			return fd;
	}
	int fd = memfd_create("paths", MFD_CLOEXEC); /* an initramfs without /tmp, or one without O_TMPFILE */
	return fd < 0 ? err_sys(e, "make a temporary file") : fd;
}

static int cmp_hash(const struct siphash *a, const struct siphash *b)
{
	int i = a->h[0] == b->h[0];

	return a->h[i] < b->h[i] ? -1 : a->h[i] > b->h[i];
}

/* Insertion sort: records lie a few places from where they belong, but for those that wrapped around. */
static void sort_table(struct record *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct record r = v[i];
		size_t j = i;
		for (; j && cmp_hash(&v[j - 1].hash, &r.hash) > 0; j--)
			v[j] = v[j - 1];
		v[j] = r;
	}
}

static int add_run(struct paths *p, size_t n, struct err *e)
{
	if (p->n_records + n > RECORDS_MAX)
		return err_set(e, EFBIG, "more than %u paths", RECORDS_MAX);
	if (!(p->n_runs & (p->n_runs - 1))) {
		struct run *v = realloc(p->runs, (p->n_runs ? p->n_runs * 2 : 1) * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		p->runs = v;
	}
	p->runs[p->n_runs++] = (struct run){ .at = p->n_records, .left = n };
	p->n_records += n;
	return 0;
}

static int spill(struct paths *p, struct err *e)
{
	size_t n = 0;

	if (!p->n_runs && ((p->runs_fd = open_tmp(p->no_files, e)) < 0 || (p->log_fd = open_tmp(p->no_files, e)) < 0))
		return -1;
	for (size_t i = 0; i < p->size; i++)
		if (p->table[i].def || p->table[i].use)
			p->table[n++] = p->table[i];
	sort_table(p->table, n);
	if (add_run(p, n, e) < 0)
		return -1;
	if (fd_write_all(p->runs_fd, p->table, n * sizeof(*p->table)) < 0)
		return err_sys(e, "write a temporary file");
	memset(p->table, 0, p->size * sizeof(*p->table));
	p->n = 0;
	return 0;
}

/* ---- the log of names: offset, length, bytes ---- */

static int flush_log(struct paths *p, struct err *e)
{
	if (fd_write_all(p->log_fd, p->log, p->log_len) < 0)
		return err_sys(e, "write a temporary file");
	p->log_len = 0;
	return 0;
}

static int log_bytes(struct paths *p, const void *data, size_t len, struct err *e)
{
	const uint8_t *from = data;

	while (len) {
		if (p->log_len == LOG_BUF && flush_log(p, e) < 0)
			return -1;
		size_t n = LOG_BUF - p->log_len < len ? LOG_BUF - p->log_len : len;
		memcpy(p->log + p->log_len, from, n);
		p->log_len += n;
		from += n;
		len -= n;
	}
	return 0;
}

static int log_path(struct paths *p, const struct tar_entry *entry, struct err *e)
{
	uint16_t len = (uint16_t)strlen(entry->path);

	if (log_bytes(p, &entry->header_offset, sizeof(entry->header_offset), e) < 0 ||
	    log_bytes(p, &len, sizeof(len), e) < 0)
		return -1;
	return log_bytes(p, entry->path, len, e);
}

static int read_failed(ssize_t n, struct err *e)
{
	return n < 0 ? err_sys(e, "read a temporary file") : err_set(e, EIO, "temporary file: cut off");
}

/* the log is written and only read from here on; p->log is the window */
static int read_log(struct paths *p, size_t *at, void *out, size_t len, struct err *e)
{
	uint8_t *to = out;

	while (len) {
		if (*at == p->log_len) {
			ssize_t n = fd_read_full(p->log_fd, p->log, LOG_BUF);
			if (n <= 0)
				return read_failed(n, e);
			p->log_len = (size_t)n;
			*at = 0;
		}
		size_t n = p->log_len - *at < len ? p->log_len - *at : len;
		memcpy(to, p->log + *at, n);
		*at += n;
		to += n;
		len -= n;
	}
	return 0;
}

/* ---- merging ---- */

static int keep_fault(struct paths *p, enum paths_fault what, uint64_t m, uint64_t other, struct err *e)
{
	if (!p->faults && !(p->faults = malloc(FINDINGS_MAX * sizeof(*p->faults))))
		return err_set(e, ENOMEM, "out of memory");
	/* whoever is told of so many will not miss the others */
	if (p->n_faults < FINDINGS_MAX)
		p->faults[p->n_faults++] =
			(struct fault){ what, offset_of(m), other ? offset_of(other) : UINT64_MAX };
	return 0;
}

/* all that is known of one path */
struct group {
	struct siphash hash;
	uint64_t       def, as_dir, as_file;
};

static int add_to_group(struct paths *p, struct group *g, const struct record *r, struct err *e)
{
	g->hash = r->hash;
	if (r->use && what_of(r->use) == AS_DIR && !g->as_dir)
		g->as_dir = r->use;
	if (r->use && what_of(r->use) == AS_FILE && !g->as_file)
		g->as_file = r->use;
	if (r->def && g->def)
		return keep_fault(p, PATHS_TWICE, r->def, g->def, e);
	if (r->def)
		g->def = r->def;
	return 0;
}

static int judge_group(struct paths *p, const struct group *g, struct err *e)
{
	if (g->as_dir && g->def && what_of(g->def) != IS_DIR &&
	    (g->def > g->as_dir ? keep_fault(p, PATHS_ABOVE_OTHER, g->def, g->as_dir, e) :
				  keep_fault(p, PATHS_BELOW_OTHER, g->as_dir, g->def, e)) < 0)
		return -1;
	if (!g->as_file)
		return 0;
	if (!g->def || offset_of(g->def) >= offset_of(g->as_file))
		return keep_fault(p, PATHS_LINK_NOWHERE, g->as_file, 0, e);
	return what_of(g->def) == IS_FILE ? 0 : keep_fault(p, PATHS_LINK_OTHER, g->as_file, g->def, e);
}

/* makes sure that the run's next record is in its buffer: 1, 0 when it has none, -1 */
static int fill_run(struct paths *p, struct run *r, size_t cap, struct err *e)
{
	if (r->i < r->n)
		return 1;
	if (!r->left)
		return 0;
	r->n = r->left < cap ? (size_t)r->left : cap;
	r->i = 0;
	size_t want = r->n * sizeof(*r->buf);
	for (size_t got = 0; got < want;) {
		ssize_t n = pread(p->runs_fd, (char *)r->buf + got, want - got,
				  (off_t)(r->at * sizeof(*r->buf) + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return read_failed(n, e);
		got += (size_t)n;
	}
	r->at += r->n;
	r->left -= r->n;
	return 1;
}

/* of equal hashes the older run's comes first */
static bool comes_before(const struct run *a, const struct run *b)
{
	int c = cmp_hash(&a->buf[a->i].hash, &b->buf[b->i].hash);

	return c ? c < 0 : a < b;
}

static void sift_down(struct run **heap, size_t n, size_t i)
{
	struct run *r = heap[i];

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && comes_before(heap[child + 1], heap[child]))
			child++;
		if (!comes_before(heap[child], r))
			break;
		heap[i] = heap[child];
	}
	heap[i] = r;
}

static int merge_heap(struct paths *p, struct run **heap, size_t n, size_t cap, struct err *e)
{
	struct group g = { 0 };

	for (size_t i = n / 2; i--;)
		sift_down(heap, n, i);
	while (n) {
		struct run *run = heap[0];
		const struct record *r = &run->buf[run->i];
		if (cmp_hash(&g.hash, &r->hash)) {
			if (judge_group(p, &g, e) < 0)
				return -1;
			g = (struct group){ 0 };
		}
		if (add_to_group(p, &g, r, e) < 0)
			return -1;
		run->i++;
		int more = fill_run(p, run, cap, e);
		if (more < 0)
			return -1;
		if (!more)
			heap[0] = heap[--n];
		if (n)
			sift_down(heap, n, 0);
	}
	return judge_group(p, &g, e);
}

/* the table's memory, no longer needed, becomes the buffers of the runs */
static int merge(struct paths *p, struct err *e)
{
	auto_free struct run **heap = malloc(p->n_runs * sizeof(*heap));
	size_t cap = p->size / p->n_runs, n = 0;

	if (!heap)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < p->n_runs; i++) {
		struct run *r = &p->runs[i];
		r->buf = p->table + i * cap;
		int more = fill_run(p, r, cap, e);
		if (more < 0)
			return -1;
		if (more)
			heap[n++] = r;
	}
	return merge_heap(p, heap, n, cap, e);
}

static int by_offset(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (int)x->what - (int)y->what;
}

/* Both are in order of offset. At fault is always the later of two, so it was logged. */
static int report_faults(struct paths *p, struct err *e)
{
	char path[TAR_PATH_MAX + 1] = "";
	uint64_t offset = 0;
	size_t at = 0, done = 0;

	if (!p->n_faults)
		return 0;
	qsort(p->faults, p->n_faults, sizeof(*p->faults), by_offset);
	if (flush_log(p, e) < 0)
		return -1;
	if (lseek(p->log_fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read a temporary file");
	while (done < p->n_faults) {
		uint16_t len = 0;
		if (read_log(p, &at, &offset, sizeof(offset), e) < 0 ||
		    read_log(p, &at, &len, sizeof(len), e) < 0)
			return -1;
		if (len > TAR_PATH_MAX)
			return err_set(e, EIO, "temporary file: changed by somebody");
		if (read_log(p, &at, path, len, e) < 0)
			return -1;
		path[len] = 0;
		for (; done < p->n_faults && p->faults[done].offset == offset; done++)
			fault(p, p->faults[done].what, path, offset, p->faults[done].other);
	}
	return 0;
}

int paths_finish(struct paths *p, struct err *e)
{
	if (!p->n_runs)
		return 0;
	if (spill(p, e) < 0 || merge(p, e) < 0)
		return -1;
	return report_faults(p, e);
}

struct paths *paths_new(const struct paths_handler *h, bool no_files, struct err *e)
{
	struct paths *p = calloc(1, sizeof(*p));

	if (!p) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	p->h = *h;
	p->no_files = no_files;
	p->runs_fd = p->log_fd = -1;
	/* 16 bytes come whole and at once, but for a machine that has just been switched on */
	if (getrandom(&p->key, sizeof(p->key), 0) != (ssize_t)sizeof(p->key)) {
		err_sys(e, "random number");
		paths_free(p);
		return NULL;
	}
	if (resize(p, TABLE_MIN, e) < 0) {
		paths_free(p);
		return NULL;
	}
	return p;
}

void paths_free(struct paths *p)
{
	if (!p)
		return;
	fd_cleanup(&p->runs_fd);
	fd_cleanup(&p->log_fd);
	free(p->runs);
	free(p->faults);
	free(p->table);
	free(p);
}
