/* SPDX-License-Identifier: MIT */
/* facts.h: what this host does and does not do, measured: the part that every run needs, and the rest, for doctor. */
#ifndef VMM_FACTS_H
#define VMM_FACTS_H

#include "vmm/session.h"

/* Fills in b->facts, and offers guests FSGSBASE if it works. */
void facts_measure(struct bench *b);

/* Where the first #DB comes if SYSRET sets RFLAGS.TF. */
enum sysret_tf { TF_NEVER, TF_AT_TARGET, TF_ONE_LATE, TF_ELSEWHERE };

/* Only `gsgate doctor` wants to know these. */
struct more_facts {
	unsigned boundaries;            /* kernel boundaries of a system call, stopped at by the carpet ... */
	unsigned same;                  /* ... and by a hardware breakpoint, with the same state */
	unsigned steps, steps_missed;   /* boundaries up to the return; not seen by single steps */
	enum sysret_tf sysret_tf;
	bool kernel_watch;              /* a data watchpoint fires at CPL 0 */
	bool machine_check;             /* arrives at its gate, at once */
	bool dirty_log;                 /* has the page that was written ... */
	unsigned dirty_extra;           /* ... and so many more */
	bool interrupt;                 /* KVM_INTERRUPT arrives, without an in-kernel irqchip */
	bool interrupt_ready;           /* KVM tells right when it may be used */
};

/* With the image under test; with guests of a few instructions. */
void facts_tiny(const struct bench *b, struct more_facts *out);
void facts_image(const struct bench *b, struct more_facts *out);

/* One of the image's LSL, in a guest of it. */
void facts_lsl(struct session *s, struct host_facts *f);

/* Runs on. True if the guest comes to the gate of this vector before anything else ends the run; it stands there then. */
bool facts_come_to(struct session *s, unsigned vector);

/* The guest is about to execute what is at rip. */
void facts_stand_at(struct session *s, uint64_t rip, uint64_t rsp, unsigned cpl);

/* A guest of the image under test at the first user instruction of its program for measuring. */
struct session *facts_session(const struct bench *b);
void facts_session_close(struct session *s);

#endif
