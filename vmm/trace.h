/* SPDX-License-Identifier: MIT */
/* trace.h: the instructions around one injection, for people: recorded one by one, then printed with what each did. */
#ifndef VMM_TRACE_H
#define VMM_TRACE_H

#include <stdio.h>

#include "vmm/case.h"

#define TRACE_BEFORE 8                  /* boundaries of the golden run shown before the injected one ... */
#define TRACE_AFTER 4                   /* ... and after it */

/* Whose base A or I is. Under u-own-k it is both. */
enum trace_base { TRACE_OTHER, TRACE_K, TRACE_U, TRACE_BOTH };

enum trace_part { TRACE_GOLDEN, TRACE_BOUNDARY, TRACE_EVENT, TRACE_BACK };

struct trace_step {
	enum trace_part part;
	struct cpu_state now;           /* MACHINE_CORE and MACHINE_I, at an instruction about to execute */
	enum trace_base a, i;
	bool broken;                    /* the rule that the case breaks first is broken here */
};

struct trace {
	struct trace_step *at;
	size_t count, room;
};

void trace_add(struct trace *t, const struct session *s, enum trace_part part, const struct cpu_state *now);

/* The event's whole way from `start`, walked once more; up to a few instructions behind the breach, if one
 * is broken, or to the gate of a predicted death. */
void trace_event(struct trace *t, struct session *s, const struct case_start *start, enum event event,
		 const struct case_result *result);

/* "K", "U", "K=U", or "" if it is neither. */
const char *trace_base_name(enum trace_base b);
enum trace_base trace_base(const struct session *s, uint64_t base);

/* The name of the stack that RSP is on. */
const char *trace_stack(const struct session *s, const struct cpu_state *c);

/* Assembly line by line, C functions folded into one line each. */
void trace_print(FILE *out, const struct trace *t, const struct session *s, enum event event);
void trace_free(struct trace *t);

/* What differs between two states, as "A U->K RSP-0x8 RAX=0x1"; "" if nothing does. */
void trace_changes(const struct session *s, const struct trace_step *was, const struct trace_step *is, char *out,
		   size_t out_size);

#endif
