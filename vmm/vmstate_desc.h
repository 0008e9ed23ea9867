/* SPDX-License-Identifier: MIT */
/* vmstate_desc.h: between vmstate.c and vmstate_desc.c. */
#ifndef VMM_VMSTATE_DESC_H
#define VMM_VMSTATE_DESC_H

#include "vmm/vmstate.h"

const char *vmstate_section_name(enum vmstate_section n);
enum vmstate_section vmstate_section_of(enum vmstate_field field);

/* Fills in head, length and place by a description of `size` characters. */
bool vmstate_describe(struct vmstate *v, const char *text, size_t size, char *err, size_t err_size);

#endif
