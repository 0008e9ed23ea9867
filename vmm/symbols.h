/* SPDX-License-Identifier: MIT */
/* symbols.h: sections and symbols of an image, by name and by address; a part of elf.c. */
#ifndef VMM_SYMBOLS_H
#define VMM_SYMBOLS_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/elf.h"

struct section {
	uint64_t start, size;
	size_t index;
};

struct symbols {
	struct elf_symbol *symbol;      /* sorted by name, a global one before its namesakes */
	size_t n_symbols;
	struct elf_symbol *place;       /* what elf_nearest may answer, sorted by address */
	size_t n_places;
	struct section *section;        /* allocated ones, sorted by address */
	size_t n_sections;
};

/* Reads both from lib, whose file has file_size bytes. False with a reason in why. Names stay lib's. */
bool symbols_read(struct symbols *t, Elf *lib, uint64_t file_size, char *why, size_t why_size);
void symbols_free(struct symbols *t);

const struct elf_symbol *symbols_find(const struct symbols *t, const char *name);
const struct elf_symbol *symbols_nearest(const struct symbols *t, uint64_t addr);

#endif
