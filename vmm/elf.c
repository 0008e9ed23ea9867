/* SPDX-License-Identifier: MIT */
/* elf.c: a kernel image: the file read once and checked, loaded, hashed, asked for names. */
#include "vmm/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/die.h"
#include "vmm/lines.h"
#include "vmm/symbols.h"

struct elf {
	char *path;
	uint8_t *image;                 /* the whole file, so that a rebuild under us changes nothing */
	uint64_t size, entry;
	Elf *lib;
	struct symbols symbols;
	struct lines *lines;
};

__attribute__((format(printf, 4, 5)))
static bool fault(const char *path, char *err, size_t err_size, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(err, err_size, "%s: %s", path, what);
	return false;
}

#define FAULT(...) fault(e->path, err, err_size, __VA_ARGS__)

static bool inside(uint64_t offset, uint64_t size, uint64_t whole)
{
	return size <= whole && offset <= whole - size;
}

static bool read_fd(struct elf *e, int fd, char *err, size_t err_size)
{
	uint64_t done = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return FAULT("%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return FAULT("not a regular file");
	e->size = st.st_size;
	e->image = malloc(e->size + 1);         /* a huge sparse file is bad input, not our death */
	if (!e->image)
		return FAULT("too big to read into memory");
	for (; done < e->size; done += n) {
		n = read(fd, e->image + done, e->size - done);
		if (n <= 0)
			return FAULT("%s", n ? strerror(errno) : "file shrank while it was read");
	}
	e->image[e->size] = '\0';               /* libdw may take a string for one that ends: see lines.c */
	return true;
}

static bool read_file(struct elf *e, char *err, size_t err_size)
{
	int fd = open(e->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);      /* a FIFO must not hang us */
	bool ok;

	if (fd < 0)
		return FAULT("%s", strerror(errno));
	ok = read_fd(e, fd, err, err_size);
	close(fd);
	return ok;
}

static bool check_tables(const struct elf *e, const Elf64_Ehdr *h, char *err, size_t err_size)
{
	if (!h->e_phnum || h->e_phentsize != sizeof(Elf64_Phdr))
		return FAULT("no usable program headers");
	if (!inside(h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr), e->size))
		return FAULT("truncated: program headers lie outside the file");
	if (!h->e_shnum || h->e_shentsize != sizeof(Elf64_Shdr))
		return FAULT("no usable section headers");
	if (!inside(h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr), e->size))
		return FAULT("truncated: section headers lie outside the file");
	return true;
}

/* Done here because libelf answers a table outside the file with a shorter one. */
static bool check_header(struct elf *e, char *err, size_t err_size)
{
	Elf64_Ehdr h;

	if (e->size < EI_NIDENT || memcmp(e->image, ELFMAG, SELFMAG))
		return FAULT("not an ELF file");
	if (e->image[EI_CLASS] != ELFCLASS64 || e->image[EI_DATA] != ELFDATA2LSB)
		return FAULT("not a 64-bit little-endian ELF file");
	if (e->size < sizeof(h))
		return FAULT("truncated: the ELF header is cut off");
	memcpy(&h, e->image, sizeof(h));
	if (h.e_machine != EM_X86_64)
		return FAULT("not for x86-64 (e_machine is %u)", h.e_machine);
	if (h.e_type != ET_EXEC)
		return FAULT("not an executable at fixed addresses (e_type is %u)", h.e_type);
	e->entry = h.e_entry;
	return check_tables(e, &h, err, err_size);
}

static bool read_all(struct elf *e, char *err, size_t err_size)
{
	char why[200];

	if (!read_file(e, err, err_size) || !check_header(e, err, err_size))
		return false;
	elf_version(EV_CURRENT);
	e->lib = elf_memory((char *)e->image, e->size);
	if (!e->lib)
		return FAULT("%s", elf_errmsg(-1));
	if (!symbols_read(&e->symbols, e->lib, e->size, why, sizeof(why)))
		return FAULT("%s", why);
	e->lines = lines_open(e->lib);
	return true;
}

struct elf *elf_open(const char *path, char *err, size_t err_size)
{
	struct elf *e = xcalloc(1, sizeof(*e));

	e->path = xstrdup(path);
	if (read_all(e, err, err_size))
		return e;
	elf_close(e);
	return NULL;
}

void elf_close(struct elf *e)
{
	if (!e)
		return;
	lines_close(e->lines);
	symbols_free(&e->symbols);
	if (e->lib)
		elf_end(e->lib);
	free(e->image);
	free(e->path);
	free(e);
}

const char *elf_path(const struct elf *e)
{
	return e->path;
}

uint64_t elf_entry(const struct elf *e)
{
	return e->entry;
}

static Elf64_Ehdr header_of(const struct elf *e)
{
	Elf64_Ehdr h;

	memcpy(&h, e->image, sizeof(h));
	return h;
}

/* Program header i; one that loads nothing comes back with p_memsz 0. */
static Elf64_Phdr load_of(const struct elf *e, size_t i)
{
	Elf64_Phdr p;

	memcpy(&p, e->image + header_of(e).e_phoff + i * sizeof(p), sizeof(p));
	if (p.p_type != PT_LOAD)
		p.p_memsz = p.p_filesz = 0;
	return p;
}

static bool overlaps(const Elf64_Phdr *a, const Elf64_Phdr *b)
{
	if (a->p_paddr > b->p_paddr)
		return overlaps(b, a);
	return a->p_memsz && b->p_memsz && b->p_paddr - a->p_paddr < a->p_memsz;
}

static bool check_segment(const struct elf *e, size_t i, const struct mem *m, char *err, size_t err_size)
{
	Elf64_Phdr p = load_of(e, i), q;
	size_t j;

	if (p.p_filesz > p.p_memsz)
		return FAULT("segment %zu has more bytes in the file than in memory", i);
	if (!inside(p.p_offset, p.p_filesz, e->size))
		return FAULT("segment %zu lies outside the file", i);
	if (p.p_memsz && !mem_at(m, p.p_paddr, p.p_memsz))
		return FAULT("segment %zu (physical 0x%llx, 0x%llx bytes) lies outside RAM of 0x%llx bytes", i,
			     (unsigned long long)p.p_paddr, (unsigned long long)p.p_memsz,
			     (unsigned long long)m->size);
	for (j = 0; j < i; j++) {
		q = load_of(e, j);
		if (overlaps(&p, &q))
			return FAULT("segments %zu and %zu overlap in physical memory", j, i);
	}
	return true;
}

bool elf_load(const struct elf *e, struct mem *m, char *err, size_t err_size)
{
	size_t i, n = header_of(e).e_phnum;
	uint64_t total = 0;
	uint8_t *to;

	for (i = 0; i < n; i++) {               /* all are checked before the first is copied */
		if (load_of(e, i).p_type == PT_LOAD && !check_segment(e, i, m, err, err_size))
			return false;
		total += load_of(e, i).p_memsz;
	}
	if (!total)
		return FAULT("nothing to load");
	for (i = 0; i < n; i++) {
		Elf64_Phdr p = load_of(e, i);

		if (!p.p_memsz)
			continue;
		to = mem_at(m, p.p_paddr, p.p_memsz);
		memcpy(to, e->image + p.p_offset, p.p_filesz);
		memset(to + p.p_filesz, 0, p.p_memsz - p.p_filesz);
	}
	return true;
}

const struct elf_symbol *elf_symbol(const struct elf *e, const char *name)
{
	return symbols_find(&e->symbols, name);
}

const struct elf_symbol *elf_nearest(const struct elf *e, uint64_t addr)
{
	return symbols_nearest(&e->symbols, addr);
}

void elf_name(const struct elf *e, uint64_t addr, char *out, size_t out_size)
{
	const struct elf_symbol *s = elf_nearest(e, addr);

	if (s)
		snprintf(out, out_size, "%s+0x%llx", s->name, (unsigned long long)(addr - s->addr));
	else
		snprintf(out, out_size, "0x%llx", (unsigned long long)addr);
}

void elf_line(const struct elf *e, uint64_t addr, char *out, size_t out_size)
{
	lines_find(e->lines, addr, out, out_size);
}

static uint64_t fnv1a(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size--)
		hash = (hash ^ *p++) * 0x100000001b3;
	return hash;
}

uint64_t elf_text_hash(const struct elf *e)
{
	uint64_t hash = 0xcbf29ce484222325;
	Elf_Scn *scn = NULL;
	GElf_Shdr h;

	while ((scn = elf_nextscn(e->lib, scn))) {
		if (!gelf_getshdr(scn, &h) || h.sh_type == SHT_NOBITS || !(h.sh_flags & SHF_EXECINSTR))
			continue;
		hash = fnv1a(hash, &h.sh_addr, sizeof(h.sh_addr));
		hash = fnv1a(hash, e->image + h.sh_offset, h.sh_size);
	}
	return hash;
}
