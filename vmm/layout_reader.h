/* SPDX-License-Identifier: MIT */
/* layout_reader.h: reading an image's layout, shared by layout.c and layout_tables.c. */
#ifndef VMM_LAYOUT_READER_H
#define VMM_LAYOUT_READER_H

#include "vmm/layout.h"

struct reader {
	struct layout *l;
	const struct mem *mem;
	char *err;
	size_t err_size;
	bool good;
};

/* The first complaint stands; after it the layout is no good. */
void layout_complain(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Address of a symbol that must exist; 0 and one line of complaint if it does not, or says 0 itself. */
uint64_t layout_need(struct reader *r, const char *name);

/* The guest's tables of stacks and of exempt bytes. Text must have been read. */
void layout_read_tables(struct reader *r);

#endif
