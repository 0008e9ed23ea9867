/* SPDX-License-Identifier: MIT */
/* mem.h: guest RAM. A guest address is a number (gpa physical, gva virtual); this is the
 * only place that turns one into a host pointer. Pure: knows nothing of KVM. */
#ifndef VMM_MEM_H
#define VMM_MEM_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SIZE 4096u

typedef uint64_t gpa_t;
typedef uint64_t gva_t;

struct mem {
	uint8_t *ram;           /* private to mem.c */
	uint64_t size;          /* bytes, a multiple of PAGE_SIZE */
};

/* Page-aligned zeroed RAM, mapped so that a hypervisor can take it as a memory slot. */
void mem_init(struct mem *m, uint64_t size);
/* RAM that is a file's content, for another process to map as well. */
void mem_init_file(struct mem *m, int fd, uint64_t size);
void mem_free(struct mem *m);

/* Host pointer to [gpa, gpa + size), or NULL if any byte of it lies outside RAM. */
void *mem_at(const struct mem *m, gpa_t gpa, uint64_t size);

/* Physical address of gva under the page tables at cr3 (SDM vol. 3, 4.5: 4-level paging, 4 KB,
 * 2 MB and 1 GB pages). False if not mapped or a table lies outside RAM. *user tells whether
 * every level allows CPL 3; may be NULL. */
bool mem_walk(const struct mem *m, uint64_t cr3, gva_t gva, gpa_t *gpa, bool *user);

/* May CPL 0 write all of it, with CR0.WP = 1? Every level of the tables must allow it, and RAM must lie there. */
bool mem_is_writable(const struct mem *m, uint64_t cr3, gva_t gva, uint64_t size);

/* Copy size bytes from or to virtual addresses, across pages. False if any byte is not mapped;
 * then nothing or a prefix was copied. */
bool mem_read(const struct mem *m, uint64_t cr3, gva_t gva, void *out, uint64_t size);
bool mem_write(const struct mem *m, uint64_t cr3, gva_t gva, const void *in, uint64_t size);

#endif
