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

#define SCENARIO_KEYS 16
extern const struct scenario_key scenario_keys[SCENARIO_KEYS];

/* The key that may be repeated: CASE VERDICT, kept with its line. False with a reason in why. */
bool scenario_pin_add(struct scenario *s, int line, const char *value, char *why, size_t why_size);

/* Once the whole file is read: the first pin that the other keys leave out, with a reason in why, or NULL. */
const struct pin *scenario_pin_left_out(const struct scenario *s, char *why, size_t why_size);

#endif
