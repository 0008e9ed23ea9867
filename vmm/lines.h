/* SPDX-License-Identifier: MIT */
/* lines.h: source places of addresses, from DWARF; a part of elf.c. */
#ifndef VMM_LINES_H
#define VMM_LINES_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

struct lines;

/* Nothing is read until the first lines_find. lib must live longer. */
struct lines *lines_open(Elf *lib);
void lines_close(struct lines *l);

/* "guest/entry.S:42", or "" if unknown. */
void lines_find(struct lines *l, uint64_t addr, char *out, size_t out_size);

#endif
