/* SPDX-License-Identifier: Apache-2.0
 * elf - see elf.h
 */
#include "core/archive/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"

struct segment {
	uint32_t type;
	uint64_t offset, address, size; /* size: in the file */
};

struct reader {
	int            fd;
	uint64_t       file_size;
	struct elf    *f;
	struct segment v[ELF_SEGMENTS_MAX];
	size_t         n;
	uint64_t       strings, strings_size; /* of the dynamic section: place in the file; size 0: none */
};

/* ---- bytes ---- */

static int read_at(const struct reader *r, uint64_t at, void *out, size_t len, const char *what, struct err *e)
{
	uint8_t *to = out;

	if (at > r->file_size || len > r->file_size - at)
		return err_set(e, EINVAL, "ELF: %s lies behind the end of the file", what);
	while (len) {
		ssize_t n = pread(r->fd, to, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? err_sys(e, "read") : err_set(e, EINVAL, "ELF: became shorter while it was read");
		to += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static uint64_t number(const struct elf *f, const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * (f->big_endian ? bytes - 1 - i : i);
	return v;
}

/* an address or size: four or eight bytes, which stand at different places in the two classes */
static uint64_t word(const struct elf *f, const uint8_t *p, size_t at_32, size_t at_64)
{
	return f->is_64 ? number(f, p + at_64, 8) : number(f, p + at_32, 4);
}

/* ---- headers ---- */

static int read_ident(struct reader *r, struct err *e)
{
	uint8_t id[EI_NIDENT];
	struct elf *f = r->f;

	if (r->file_size < sizeof(id) || read_at(r, 0, id, sizeof(id), "header", e) < 0 || memcmp(id, ELFMAG, SELFMAG) != 0)
		return err_set(e, EINVAL, "is no ELF file");
	if ((id[EI_CLASS] != ELFCLASS32 && id[EI_CLASS] != ELFCLASS64) ||
	    (id[EI_DATA] != ELFDATA2LSB && id[EI_DATA] != ELFDATA2MSB) || id[EI_VERSION] != EV_CURRENT)
		return err_set(e, EINVAL, "ELF: unknown class, byte order or version");
	f->is_64 = id[EI_CLASS] == ELFCLASS64;
	f->big_endian = id[EI_DATA] == ELFDATA2MSB;
	f->os_abi = id[EI_OSABI];
	return 0;
}

static void read_segment(struct reader *r, const uint8_t *p)
{
	r->v[r->n++] = (struct segment){
		.type = (uint32_t)number(r->f, p, 4),
		.offset = word(r->f, p, offsetof(Elf32_Phdr, p_offset), offsetof(Elf64_Phdr, p_offset)),
		.address = word(r->f, p, offsetof(Elf32_Phdr, p_vaddr), offsetof(Elf64_Phdr, p_vaddr)),
		.size = word(r->f, p, offsetof(Elf32_Phdr, p_filesz), offsetof(Elf64_Phdr, p_filesz)),
	};
}

static int read_headers(struct reader *r, struct err *e)
{
	uint8_t h[sizeof(Elf64_Ehdr)], p[sizeof(Elf64_Phdr)];
	struct elf *f = r->f;
	size_t h_size = f->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	size_t p_size = f->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (read_at(r, 0, h, h_size, "header", e) < 0)
		return -1;
	f->type = (uint16_t)number(f, h + offsetof(Elf64_Ehdr, e_type), 2);
	f->machine = (uint16_t)number(f, h + offsetof(Elf64_Ehdr, e_machine), 2);
	f->executable = f->type == ET_EXEC || f->type == ET_DYN;
	uint64_t at = word(f, h, offsetof(Elf32_Ehdr, e_phoff), offsetof(Elf64_Ehdr, e_phoff));
	uint64_t each = number(f, h + (f->is_64 ? offsetof(Elf64_Ehdr, e_phentsize) : offsetof(Elf32_Ehdr, e_phentsize)), 2);
	uint64_t n = number(f, h + (f->is_64 ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum)), 2);
	if (n > ELF_SEGMENTS_MAX)
		return err_set(e, EINVAL, "ELF: more than %u segments", ELF_SEGMENTS_MAX);
	if (n && each != p_size)
		return err_set(e, EINVAL, "ELF: program headers of %llu bytes", (unsigned long long)each);
	if (n && (at > r->file_size || n * each > r->file_size - at))
		return err_set(e, EINVAL, "ELF: program headers lie behind the end of the file");
	for (uint64_t i = 0; i < n; i++) {
		if (read_at(r, at + i * each, p, p_size, "program header", e) < 0)
			return -1;
		read_segment(r, p);
	}
	return 0;
}

static const struct segment *find_segment(const struct reader *r, uint32_t type)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].type == type)
			return &r->v[i];
	return NULL;
}

/* ---- strings ---- */

/* names are printed, put into lists with ":", and become paths: those with control characters are none */
static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* a string that ends with a NUL within @room bytes from @at */
static int read_string(const struct reader *r, uint64_t at, uint64_t room, const char *what, char **out, struct err *e)
{
	char text[ELF_STRING_MAX + 1] = "";
	size_t len = room < sizeof(text) ? (size_t)room : sizeof(text);

	if (read_at(r, at, text, len, what, e) < 0)
		return -1;
	if (!len || !memchr(text, 0, len))
		return err_set(e, EINVAL, "ELF: %s has no end or is longer than %u bytes", what, ELF_STRING_MAX);
	if (!is_plain(text))
		return err_set(e, EINVAL, "ELF: %s has control characters", what);
	char *copy = strdup(text);
	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	free(*out);
	*out = copy;
	return 0;
}

static int read_interpreter(struct reader *r, struct err *e)
{
	const struct segment *s = find_segment(r, PT_INTERP);

	if (!s)
		return 0;
	if (read_string(r, s->offset, s->size, "the interpreter's name", &r->f->interpreter, e) < 0)
		return -1;
	if (r->f->interpreter[0] != '/')
		return err_set(e, EINVAL, "ELF: interpreter \"%s\" is not an absolute path", r->f->interpreter);
	return 0;
}

/* ---- the dynamic section ---- */

struct dynamic {
	const uint8_t *p;
	size_t         n; /* entries before the end */
};

static uint64_t tag_at(const struct elf *f, const struct dynamic *d, size_t i)
{
	return word(f, d->p + i * (f->is_64 ? 16 : 8), 0, 0);
}

static uint64_t value_at(const struct elf *f, const struct dynamic *d, size_t i)
{
	return word(f, d->p + i * (f->is_64 ? 16 : 8), 4, 8);
}

/* from an address in memory to the place in the file */
static bool find_in_file(const struct reader *r, uint64_t address, uint64_t *at)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct segment *s = &r->v[i];
		if (s->type != PT_LOAD || address < s->address || address - s->address >= s->size ||
		    s->offset > UINT64_MAX - (address - s->address))
			continue;
		*at = s->offset + (address - s->address);
		return true;
	}
	return false;
}

static int find_strings(struct reader *r, const struct dynamic *d, struct err *e)
{
	uint64_t address = 0, size = 0;

	for (size_t i = 0; i < d->n; i++) {
		uint64_t tag = tag_at(r->f, d, i);
		if (tag == DT_STRTAB)
			address = value_at(r->f, d, i);
		else if (tag == DT_STRSZ)
			size = value_at(r->f, d, i);
	}
	if (size && !find_in_file(r, address, &r->strings))
		return err_set(e, EINVAL, "ELF: its strings lie in no segment");
	r->strings_size = size;
	return 0;
}

static int dynamic_string(const struct reader *r, uint64_t offset, const char *what, char **out, struct err *e)
{
	if (offset >= r->strings_size || offset > UINT64_MAX - r->strings)
		return err_set(e, EINVAL, "ELF: %s is not among its strings", what);
	/* what is said to follow may be longer than the file, of which as much as a string may have is looked at */
	uint64_t room = r->strings_size - offset, at = r->strings + offset;
	if (at < r->file_size && room > r->file_size - at)
		room = r->file_size - at;
	return read_string(r, at, room, what, out, e);
}

static int add_needed(struct reader *r, uint64_t offset, struct err *e)
{
	struct elf *f = r->f;
	char *name = NULL;

	if (f->n_needed == ELF_NEEDED_MAX)
		return err_set(e, EINVAL, "ELF: needs more than %u libraries", ELF_NEEDED_MAX);
	if (dynamic_string(r, offset, "the name of a library", &name, e) < 0)
		return -1;
	char **v = *name ? reallocarray(f->needed, f->n_needed + 1, sizeof(*v)) : NULL;
	if (!v) {
		bool empty = !*name;
		free(name);
		return empty ? err_set(e, EINVAL, "ELF: needs a library without a name") :
			       err_set(e, ENOMEM, "out of memory");
	}
	f->needed = v;
	v[f->n_needed++] = name;
	return 0;
}

static int read_entries(struct reader *r, const struct dynamic *d, struct err *e)
{
	for (size_t i = 0; i < d->n; i++) {
		uint64_t tag = tag_at(r->f, d, i), value = value_at(r->f, d, i);
		int status = 0;
		if (tag == DT_NEEDED)
			status = add_needed(r, value, e);
		else if (tag == DT_RPATH)
			status = dynamic_string(r, value, "the search path", &r->f->rpath, e);
		else if (tag == DT_RUNPATH)
			status = dynamic_string(r, value, "the search path", &r->f->runpath, e);
		if (status < 0)
			return -1;
	}
	return 0;
}

static int read_dynamic(struct reader *r, struct err *e)
{
	const struct segment *s = find_segment(r, PT_DYNAMIC);
	size_t each = r->f->is_64 ? 16 : 8;

	if (!s)
		return 0;
	r->f->dynamic = true;
	if (s->size > ELF_DYNAMIC_MAX)
		return err_set(e, EINVAL, "ELF: dynamic section of more than %u bytes", ELF_DYNAMIC_MAX);
	auto_free uint8_t *bytes = malloc((size_t)s->size + 1);
	if (!bytes)
		return err_set(e, ENOMEM, "out of memory");
	if (read_at(r, s->offset, bytes, (size_t)s->size, "the dynamic section", e) < 0)
		return -1;
	struct dynamic d = { bytes, 0 };
	while (d.n < s->size / each && tag_at(r->f, &d, d.n) != DT_NULL)
		d.n++;
	return find_strings(r, &d, e) < 0 ? -1 : read_entries(r, &d, e);
}

int elf_read(int fd, struct elf *out, struct err *e)
{
	struct stat st;

	*out = (struct elf){ .is_64 = false };
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	struct reader r = { .fd = fd, .file_size = (uint64_t)st.st_size, .f = out };
	if (read_ident(&r, e) == 0 && read_headers(&r, e) == 0 && read_interpreter(&r, e) == 0 &&
	    read_dynamic(&r, e) == 0)
		return 0;
	elf_free(out);
	return -1;
}

void elf_free(struct elf *f)
{
	for (size_t i = 0; i < f->n_needed; i++)
		free(f->needed[i]);
	free(f->needed);
	free(f->interpreter);
	free(f->rpath);
	free(f->runpath);
	*f = (struct elf){ .is_64 = false };
}

/* ---- what the numbers mean ---- */

/* a machine whose number stands for several is told apart by class and byte order */
static const struct machine {
	uint16_t    number;
	bool        is_64, big_endian;
	const char *arch, *triplet;
} machines[] = {
	{ EM_X86_64, true, false, "amd64", "x86_64-linux-gnu" },
	{ EM_386, false, false, "i386", "i386-linux-gnu" },
	{ EM_AARCH64, true, false, "aarch64", "aarch64-linux-gnu" },
	{ EM_AARCH64, true, true, "aarch64_be", NULL },
	{ EM_ARM, false, false, "armv7l", "arm-linux-gnueabihf" }, /* or older; its header does not tell */
	{ EM_ARM, false, true, "armv7b", NULL },
	{ EM_PPC64, true, false, "ppc64le", "powerpc64le-linux-gnu" },
	{ EM_S390, true, true, "s390x", "s390x-linux-gnu" },
	{ EM_RISCV, true, false, "riscv64", "riscv64-linux-gnu" },
	{ 258 /* EM_LOONGARCH */, true, false, "loongarch64", "loongarch64-linux-gnu" },
};

static const struct machine *find_machine(const struct elf *f)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (machines[i].number == f->machine && machines[i].is_64 == f->is_64 &&
		    machines[i].big_endian == f->big_endian)
			return &machines[i];
	return NULL;
}

bool elf_same_machine(const struct elf *a, const struct elf *b)
{
	return a->machine == b->machine && a->is_64 == b->is_64 && a->big_endian == b->big_endian;
}

const char *elf_arch(const struct elf *f)
{
	const struct machine *m = find_machine(f);

	return m ? m->arch : NULL;
}

const char *elf_triplet(const struct elf *f)
{
	const struct machine *m = find_machine(f);

	return m ? m->triplet : NULL;
}

bool elf_is_linux(const struct elf *f)
{
	/* ARM's own number says nothing about the system */
	return f->os_abi == ELFOSABI_SYSV || f->os_abi == ELFOSABI_LINUX ||
	       (f->machine == EM_ARM && f->os_abi == ELFOSABI_ARM);
}
