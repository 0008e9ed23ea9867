/* SPDX-License-Identifier: MIT */
/* libvirt_child.h: processes that the embedded driver makes orphans of. */
#ifndef VMM_LIBVIRT_CHILD_H
#define VMM_LIBVIRT_CHILD_H

#include <stdbool.h>

/* Becomes the parent of all orphans of this process, and takes the ended ones off the list of processes from here on. */
bool child_adopt(void);

#endif
