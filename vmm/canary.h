/* SPDX-License-Identifier: MIT */
/* canary.h: the judge must be seen to look: damage that the bench does itself, each to be reported by its rule. */
#ifndef VMM_CANARY_H
#define VMM_CANARY_H

#include "vmm/session.h"

struct canary_result {
	const char *name;
	enum rule expected;
	bool ran, caught;               /* caught: exactly the expected rule spoke */
	struct breach breach;
};

#define CANARIES 9

/* Runs all of them in a guest of this unit. False with one line in err if the guest does not run. */
bool canary_run(const struct bench *bench, const struct unit *unit, struct canary_result out[CANARIES], char *err,
		size_t err_size);

#endif
