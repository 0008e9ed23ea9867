/* SPDX-License-Identifier: MIT */
/* symbols.c: sections and symbols of an image in sorted arrays, and searches in them. */
#include "vmm/symbols.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

#define WHY(...) (snprintf(why, why_size, __VA_ARGS__), false)

static int section_cmp(const void *a, const void *b)
{
	const struct section *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static bool read_sections(struct symbols *t, Elf *lib, uint64_t file_size, char *why, size_t why_size)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr h;

	while ((scn = elf_nextscn(lib, scn))) {
		if (!gelf_getshdr(scn, &h))
			return WHY("bad section header: %s", elf_errmsg(-1));
		if (h.sh_type != SHT_NOBITS && (h.sh_size > file_size || h.sh_offset > file_size - h.sh_size))
			return WHY("truncated: section %zu lies outside the file", elf_ndxscn(scn));
		if (!(h.sh_flags & SHF_ALLOC) || !h.sh_size)
			continue;
		t->section = xrealloc(t->section, (t->n_sections + 1) * sizeof(*t->section));
		t->section[t->n_sections++] = (struct section){ h.sh_addr, h.sh_size, elf_ndxscn(scn) };
	}
	if (!t->n_sections)
		return WHY("no allocated sections");
	qsort(t->section, t->n_sections, sizeof(*t->section), section_cmp);
	return true;
}

/* The allocated section that holds addr, or NULL. */
static const struct section *section_of(const struct symbols *t, uint64_t addr)
{
	size_t low = 0, high = t->n_sections;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->section[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr - t->section[low - 1].start >= t->section[low - 1].size)
		return NULL;
	return &t->section[low - 1];
}

static bool is_place_name(const char *name)
{
	return strncmp(name, ".L", 2) && !strstr(name, "..@") && name[0] != '$';
}

static void add_symbol(struct symbols *t, const GElf_Sym *s, const char *name)
{
	unsigned char type = GELF_ST_TYPE(s->st_info);
	const struct section *sec;
	struct elf_symbol *sym;

	if (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC)
		return;
	sym = &t->symbol[t->n_symbols++];
	*sym = (struct elf_symbol){ name, s->st_value, s->st_size, GELF_ST_BIND(s->st_info) != STB_LOCAL };
	sec = section_of(t, sym->addr);
	/* a label at the end of one section is no place in the next */
	if (sym->global && sec && sec->index == s->st_shndx && is_place_name(name))
		t->place[t->n_places++] = *sym;
}

static int name_cmp(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;
	int d = strcmp(x->name, y->name);

	if (d)
		return d;
	if (x->global != y->global)
		return x->global ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Of several names of one address the first counts: one with a size, then by name. */
static int addr_cmp(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (!x->size != !y->size)
		return x->size ? -1 : 1;
	return name_cmp(a, b);
}

static void sort_symbols(struct symbols *t)
{
	size_t i, n = 0;

	qsort(t->symbol, t->n_symbols, sizeof(*t->symbol), name_cmp);
	qsort(t->place, t->n_places, sizeof(*t->place), addr_cmp);
	for (i = 0; i < t->n_places; i++)
		if (!n || t->place[n - 1].addr != t->place[i].addr)
			t->place[n++] = t->place[i];
	t->n_places = n;
}

static bool read_table(struct symbols *t, Elf *lib, Elf_Scn *scn, size_t strings, char *why, size_t why_size)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t i, n = data ? data->d_size / sizeof(Elf64_Sym) : 0;
	const char *name;
	GElf_Sym s;

	t->symbol = xcalloc(n, sizeof(*t->symbol));
	t->place = xcalloc(n, sizeof(*t->place));
	for (i = 1; i < n; i++) {
		if (!gelf_getsym(data, i, &s) || s.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(lib, strings, s.st_name);
		if (!name)
			return WHY("the name of symbol %zu lies outside its string table", i);
		if (*name)
			add_symbol(t, &s, name);
	}
	if (!t->n_symbols)
		return WHY("the symbol table is empty");
	sort_symbols(t);
	return true;
}

bool symbols_read(struct symbols *t, Elf *lib, uint64_t file_size, char *why, size_t why_size)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr h;

	if (!read_sections(t, lib, file_size, why, why_size))
		return false;
	while ((scn = elf_nextscn(lib, scn)))
		if (gelf_getshdr(scn, &h) && h.sh_type == SHT_SYMTAB)
			return read_table(t, lib, scn, h.sh_link, why, why_size);
	return WHY("no symbol table (stripped?)");
}

void symbols_free(struct symbols *t)
{
	free(t->symbol);
	free(t->place);
	free(t->section);
}

const struct elf_symbol *symbols_find(const struct symbols *t, const char *name)
{
	size_t low = 0, high = t->n_symbols;

	while (low < high) {                    /* the first of the name: a global one if there is one */
		size_t mid = low + (high - low) / 2;

		if (strcmp(t->symbol[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n_symbols && !strcmp(t->symbol[low].name, name) ? &t->symbol[low] : NULL;
}

const struct elf_symbol *symbols_nearest(const struct symbols *t, uint64_t addr)
{
	const struct section *sec = section_of(t, addr);
	size_t low = 0, high = t->n_places;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->place[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return sec && low && t->place[low - 1].addr >= sec->start ? &t->place[low - 1] : NULL;
}
