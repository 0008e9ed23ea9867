/* SPDX-License-Identifier: MIT */
/* elf.h: a kernel image: its segments, symbols and source lines. Pure: knows nothing of KVM. */
#ifndef VMM_ELF_H
#define VMM_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/mem.h"

struct elf_symbol {
	const char *name;
	uint64_t addr, size;
	bool global;
};

struct elf;

/* Opens and checks an x86-64 ELF executable. On any fault (not readable, truncated, wrong class or
 * machine, table outside the file, no symbols) returns NULL and puts one line in err. */
struct elf *elf_open(const char *path, char *err, size_t err_size);
void elf_close(struct elf *e);

const char *elf_path(const struct elf *e);
uint64_t elf_entry(const struct elf *e);

/* Copies every PT_LOAD segment to its physical address (p_paddr) and zeroes the rest of p_memsz.
 * False with a line in err if a segment lies outside the file or outside RAM, or two overlap. */
bool elf_load(const struct elf *e, struct mem *m, char *err, size_t err_size);

/* Symbol by exact name, or NULL. */
const struct elf_symbol *elf_symbol(const struct elf *e, const char *name);

/* Nearest preceding named place: the global FUNC/NOTYPE/OBJECT symbol with the highest address <= addr
 * in the same section; never .L*, ..@* or $*. NULL if none. */
const struct elf_symbol *elf_nearest(const struct elf *e, uint64_t addr);

/* "symbol+0xoff" (always with the offset, also +0x0), or plain hex if there is no symbol. */
void elf_name(const struct elf *e, uint64_t addr, char *out, size_t out_size);

/* Source place "guest/entry.S:42" of an address from DWARF (paths relative to the compilation directory
 * when the file lies below it), "" if unknown. Thread-safe only if called under the caller's lock. */
void elf_line(const struct elf *e, uint64_t addr, char *out, size_t out_size);

/* FNV-1a, 64 bits, over address and bytes of every executable section: the image's text hash. */
uint64_t elf_text_hash(const struct elf *e);

#endif
