/* SPDX-License-Identifier: MIT */
/* tally.h: how many of the instructions that make a way into the kernel and out of it dear, or open a window, the golden run has
 * executed, by way. Counted by the bench, boundary by boundary. Pure: knows nothing of KVM. */
#ifndef VMM_TALLY_H
#define VMM_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/decode.h"

/* A way: the stay at CPL 0 that a vector or SYSCALL begins, or such a stay inside of another one; and the context switch, in whichever stay: what
 * else that one has executed is another way, because it has done work. */
enum tally_end { TALLY_SYSRET, TALLY_IRET, TALLY_KERNEL, TALLY_SWITCHED, TALLY_SWITCH, TALLY_ENDS };
#define TALLY_SYSCALL (-1)              /* in the place of a vector */
#define TALLY_NONE    (-2)              /* of a way that is no stay: the context switch */
#define TALLY_WAYS    48
#define TALLY_LEVELS  8                 /* stays one inside another */

struct tally_way {
	int vector;
	enum tally_end end;
	uint64_t times, count[TALLIED_COUNT];
};

struct tally_level {
	int vector;
	uint64_t rsp;                   /* of the code that it interrupted, if that was the kernel's */
	uint64_t count[TALLIED_COUNT];
	bool switched;
};

struct tally {
	struct tally_way way[TALLY_WAYS];
	unsigned ways;
	struct tally_level level[TALLY_LEVELS];
	unsigned levels;                /* stays that have not ended */
	bool switching;
	uint64_t last_rsp;
	enum insn_return last_return;   /* what the instruction before was */
};

/* One boundary of the golden run, in order. */
struct tally_visit {
	unsigned cpl;
	uint64_t rsp;
	int vector;                     /* its gate is here; or TALLY_NONE */
	const struct insn *insn;        /* about to execute; NULL: not known */
	bool left_out;                  /* the guest's checks of itself: not counted */
	bool switching, switch_begins;  /* within the context switch; at an instruction of it that each comes to once */
};
void tally_visit(struct tally *t, const struct tally_visit *v);

/* Adds up. */
void tally_add(struct tally *to, const struct tally *from);

/* "SYSCALL to SYSRET", "NMI in the kernel", "SYSCALL and a switch", "context switch". */
void tally_name(const struct tally_way *w, char *out, unsigned out_size);
const char *tallied_name(enum tallied n);

#endif
