/* SPDX-License-Identifier: MIT */
/* case_nested.h: an NMI inside an NMI of the golden run. */
#ifndef VMM_CASE_NESTED_H
#define VMM_CASE_NESTED_H

#include "vmm/case.h"

/* Would the event come inside an NMI that the guest has raised itself, as another one? */
bool case_is_nested(const struct session *s, const struct case_start *start, enum event event);

/* An event that is back inside the handler of such an NMI, and has left NMIs masked, has used the stack of that handler: it is followed
 * on until the outer NMI is back. The way there without the event must have been run ahead; false if it does not end. */
bool case_run_to_outer_ahead(struct session *s, const struct case_start *start);
struct flight;
void case_follow_outer(struct flight *f);

/* Does the boundary lie in the handler of an NMI that the guest has raised itself? */
bool case_is_in_nmi(const struct session *s, const struct case_start *start);

/* Has a case that is back in the handler of an NMI unmasked NMIs? Then the next one can come right there. */
bool case_has_opened(const struct session *s, const struct case_start *start, const struct cpu_state *back);

/* An NMI at this boundary, where NMIs are unmasked or have just been: judged until the outer NMI is back where it came. It may be
 * handled at once or be owed, but there both have been handled, and every C handler has seen what the outer one
 * interrupted. Adds to out->hash; restores as case_inject() does. */
void case_nested(struct session *s, const struct case_start *start, const struct case_options *options,
		 struct case_result *out);

#endif
