/* SPDX-License-Identifier: MIT */
/* case_nested.h: an NMI inside an NMI of the golden run. */
#ifndef VMM_CASE_NESTED_H
#define VMM_CASE_NESTED_H

#include "vmm/case.h"

/* Would the event come inside an NMI that the guest has raised itself, as another one? */
bool case_is_nested(const struct session *s, const struct case_start *start, enum event event);

/* Has a case that is back in the handler of an NMI unmasked NMIs? Then the next one can come right there. */
bool case_has_opened(const struct session *s, const struct case_start *start, const struct cpu_state *back);

/* An NMI at this boundary, where NMIs are unmasked or have just been: judged until the outer NMI is back where it came. It may be
 * handled at once or be owed, but there both have been handled, and every C handler has seen what the outer one
 * interrupted. Adds to out->hash; restores as case_inject() does. */
void case_nested(struct session *s, const struct case_start *start, const struct case_options *options,
		 struct case_result *out);

#endif
