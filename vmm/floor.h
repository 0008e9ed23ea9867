/* SPDX-License-Identifier: MIT */
/* floor.h: how fast the engine is with a guest that does nothing: what the speed of a run is compared with. */
#ifndef VMM_FLOOR_H
#define VMM_FLOOR_H

#include "vmm/session.h"

/* Empty exits a second, or on an engine without exits single steps, all of `jobs` threads at once, each with a machine of its own. */
double floor_exits_per_second(const struct bench *b, unsigned jobs, double seconds);

#endif
