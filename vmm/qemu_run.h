/* SPDX-License-Identifier: MIT */
/* qemu_run.h: letting a QEMU machine run to its next stop, or to the end of a port access. */
#ifndef VMM_QEMU_RUN_H
#define VMM_QEMU_RUN_H

#include "vmm/engine.h"

/* Engine's enter(). */
void qemu_run(struct machine *m, struct stops *stops, struct left *left);

#endif
