/* SPDX-License-Identifier: MIT */
/* scenario_keys.h: the table of keys of a scenario file; private to scenario*.c. */
#ifndef VMM_SCENARIO_KEYS_H
#define VMM_SCENARIO_KEYS_H

#include "vmm/scenario.h"

struct scenario_key {
	const char *name;
	bool (*set)(struct scenario *s, const char *value);     /* false: not what it wants */
	bool optional;
	const char *wants;
};

#define SCENARIO_KEYS 10
extern const struct scenario_key scenario_keys[SCENARIO_KEYS];

#endif
