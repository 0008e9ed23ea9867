/* SPDX-License-Identifier: MIT */
/* lines.c: one sorted table of all DWARF line rows, built at the first question. */
#include "vmm/lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

struct row {
	uint64_t addr;
	const char *file, *dir;         /* owned by libdw */
	size_t order;                   /* of the line program: the last row of an address counts */
	int line;
	bool end;                       /* first address past a sequence */
};

struct lines {
	Elf *lib;
	Dwarf *dwarf;
	bool tried;
	struct row *row;
	size_t count, room;
};

struct lines *lines_open(Elf *lib)
{
	struct lines *l = xcalloc(1, sizeof(*l));

	l->lib = lib;
	return l;
}

void lines_close(struct lines *l)
{
	if (!l)
		return;
	if (l->dwarf)
		dwarf_end(l->dwarf);
	free(l->row);
	free(l);
}

static void add_row(struct lines *l, Dwarf_Line *line, const char *dir)
{
	struct row r = { .dir = dir, .order = l->count };
	Dwarf_Addr addr;

	r.file = dwarf_linesrc(line, NULL, NULL);
	if (!r.file || dwarf_lineaddr(line, &addr) || dwarf_lineno(line, &r.line) ||
	    dwarf_lineendsequence(line, &r.end))
		return;
	r.addr = addr;
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 1024;
		l->row = xrealloc(l->row, l->room * sizeof(*l->row));
	}
	l->row[l->count++] = r;
}

static void add_unit(struct lines *l, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *dir = dwarf_formstring(dwarf_attr(die, DW_AT_comp_dir, &attr));
	Dwarf_Lines *lines;
	size_t i, n;

	if (dwarf_getsrclines(die, &lines, &n))
		return;
	for (i = 0; i < n; i++)
		add_row(l, dwarf_onesrcline(lines, i), dir);
}

/* An end of a sequence sorts before the row that another sequence starts at the same address. */
static int row_cmp(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->end != y->end)
		return x->end ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static bool starts(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

/* libdw knows its sections by their names, and the older ones look for the end of a string past that of its section. In the
 * image, which ends with a zero, that is harmless; a copy, which libelf makes of what it must convert or expand, has no such
 * end. Nor is another file opened that the image names. */
static bool is_plain(Elf *lib)
{
	Elf_Scn *scn = NULL;
	const char *name;
	size_t names;
	GElf_Shdr h;

	if (elf_getshdrstrndx(lib, &names))
		return false;
	while ((scn = elf_nextscn(lib, scn))) {
		name = gelf_getshdr(scn, &h) ? elf_strptr(lib, names, h.sh_name) : NULL;
		if (!name || starts(name, ".zdebug_") || starts(name, ".gnu_debugaltlink"))
			return false;
		if ((starts(name, ".debug_") || starts(name, ".gnu.debuglto_")) &&
		    (h.sh_type != SHT_PROGBITS || h.sh_flags & SHF_COMPRESSED))
			return false;
	}
	return true;
}

static void read_all(struct lines *l)
{
	Dwarf_Off off = 0, next;
	size_t header;
	Dwarf_Die die;

	l->tried = true;
	if (!is_plain(l->lib))
		return;
	l->dwarf = dwarf_begin_elf(l->lib, DWARF_C_READ, NULL);
	if (!l->dwarf)
		return;
	for (; !dwarf_nextcu(l->dwarf, off, &next, &header, NULL, NULL, NULL); off = next)
		if (dwarf_offdie(l->dwarf, off + header, &die))
			add_unit(l, &die);
	if (l->count)
		qsort(l->row, l->count, sizeof(*l->row), row_cmp);
}

/* The last row at or below addr, or NULL. */
static const struct row *row_below(const struct lines *l, uint64_t addr)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->row[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &l->row[low - 1] : NULL;
}

static const char *relative(const char *file, const char *dir)
{
	size_t n = dir ? strlen(dir) : 0;

	if (n && !strncmp(file, dir, n) && file[n] == '/')
		file += n + 1;
	return strncmp(file, "./", 2) ? file : file + 2;
}

void lines_find(struct lines *l, uint64_t addr, char *out, size_t out_size)
{
	const struct row *r;

	if (!l->tried)
		read_all(l);
	r = row_below(l, addr);
	if (r && !r->end && r->line > 0)
		snprintf(out, out_size, "%s:%d", relative(r->file, r->dir), r->line);
	else
		snprintf(out, out_size, "%s", "");
}
