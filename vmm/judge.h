/* SPDX-License-Identifier: MIT */
/* judge.h: the rules. Each check names its rule, is counted, and says in one line what was expected and seen. The
 * judge decides from machine states alone. Pure: knows nothing of KVM. */
#ifndef VMM_JUDGE_H
#define VMM_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/abi.h"
#include "vmm/event.h"
#include "vmm/gsvalue.h"
#include "vmm/layout.h"
#include "vmm/model.h"
#include "vmm/state.h"

/* In the order in which they speak when several break at one stop. */
enum rule {
	RULE_DELIVERY, RULE_HANDLER_GS, RULE_HANDLER_STACK, RULE_FRAME, RULE_FLAGS, RULE_DEBUG,
	RULE_TRANSPARENT, RULE_RETURN, RULE_USER_STATE, RULE_EXIT_WORK, RULE_MASKING, RULE_CONTEXT,
	RULE_PROGRESS,
	RULE_COUNT
};
const char *rule_name(enum rule rule);

#define BREACH_DETAIL 200

/* The first rule broken, in time. */
struct breach {
	bool broken;
	enum rule rule;
	unsigned stop;                  /* counts the stops judged since judge_begin() */
	uint64_t rip, a, i;             /* where it was seen, and with which bases */
	uint64_t expected_a, expected_i; /* valid if expects is set */
	bool expects;
	const char *at;                 /* which stop: "gate", "handler", "body", "return", "back", ... */
	char detail[BREACH_DETAIL];
	unsigned cpu;                   /* the one that was judged */
};

struct rule_count {
	uint64_t checked, broken;
};

struct judge {
	const struct layout *layout;
	enum scheme scheme;
	struct rule_count count[RULE_COUNT];
	unsigned stacks;                /* that the event may use (bit 1 << index): their dead part may change */
	bool faults_keep_rf;            /* this host saves RF as it was, and not 1 */
	bool nested;                    /* an NMI inside an NMI that is not done with: ABI_WHILE_NESTED holds */
	bool switched;                  /* another thread has run in between: ABI_SWITCH_STORES holds, user memory is the model's to say */
	bool asked;                     /* the event has left its request in the work flags, which are looked at apart */
	unsigned muted;                 /* rules (bit 1 << rule) that the golden run broke: counted, not reported again */
	struct breach breach;           /* of the case being judged */
	unsigned broken;                /* all rules broken since judge_begin(), bit 1 << rule */
	unsigned stop;
	const char *at;                 /* the stop being judged */
	uint64_t rip, a, i, expected_a, expected_i;
	bool expects;
	void (*broke)(void *context);   /* told at the first breach, while the machine still stands there; or NULL */
	void *context;
};

/* What I must be where user code is about to run, or runs; and in C after an entry from user code. */
uint64_t judge_i_user(const struct judge *j);
uint64_t judge_i_kernel(const struct judge *j, const struct model *user);

/* Under scheme pure I never changes: at each gate and in each body; in the golden run at each boundary at CPL 0. */
void judge_inactive(struct judge *j, const struct cpu_state *now);

/* Forgets the last case's breach; counts stay. */
void judge_begin(struct judge *j);

/* Names the stop that the following checks belong to. */
void judge_at(struct judge *j, const char *at, const struct cpu_state *now);

/* What A and I must be at this stop, for the report; the checks themselves are made apart. */
void judge_expect(struct judge *j, uint64_t a, uint64_t i);

/* One check: counted; if it fails and is the first, recorded with its detail. Returns good. */
bool judge_check(struct judge *j, enum rule rule, bool good, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for two values that must be equal. */
bool judge_equal(struct judge *j, enum rule rule, const char *what, uint64_t seen, uint64_t expected);

/* What the guest's context tracking says. */
struct context {
	uint64_t state;                 /* ABI_CONTEXT_... */
	uint64_t nmi_like;              /* handlers of NMI, #MC and #DB that are nested */
};

/* What one injected event is judged against. */
struct injected {
	enum event event;
	uint64_t dr6;                   /* handed over with #DB */
	const struct cpu_state *before; /* the delivery boundary, with every part */
	const struct model *user;       /* the user program at that time: U and, at CPL 3, all registers */
	bool inside;                    /* the boundary lies in the handler of an event that the guest raised itself */
	bool masked;                    /* NMIs are still masked when it is back: they were, and no IRET was executed */
};

/* Five hardware words as delivery pushed them, lowest address first. */
struct hardware_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

/* The gate's first instruction: delivery, handler-stack, frame. */
void judge_gate(struct judge *j, const struct injected *in, const struct cpu_state *now,
		const struct hardware_frame *pushed);
/* The C handler's first instruction: handler-gs, handler-stack, frame, flags. saved is what RDI points to. */
void judge_handler(struct judge *j, const struct injected *in, const struct cpu_state *now,
		   const struct abi_frame *saved);
/* There, too: has the entry executed what this CPU refuses on a processor? Not every host does. Rule progress. */
void judge_offered(struct judge *j, const struct cpu_state *now);
/* The body of the #DB or NMI handler: debug. */
void judge_body(struct judge *j, const struct injected *in, const struct cpu_state *now);
/* Back at the boundary: flags of the machine, transparent, and at CPL 3 user-state and masking. Memory is judged by
 * judge_page(). */
void judge_back(struct judge *j, const struct injected *in, const struct cpu_state *now);

/* The event of the golden run is back at its boundary at CPL 0: registers, mask, debug. */
void judge_raised_back(struct judge *j, const struct injected *in, const struct cpu_state *now);

/* Counters of the guest, now and before: each event handled once. Rule masking. counter: index into layout->exempt. */
void judge_counter(struct judge *j, const struct injected *in, unsigned counter, uint64_t now, uint64_t was);

/* The thread's work flags: 0 on arrival at CPL 3, and what an event has asked for in the kernel. Rule exit-work. */
void judge_work(struct judge *j, uint64_t flags, uint64_t expected);

/* User memory where another thread has run since: every page that can be written as the model has it. Rule user-state. */
void judge_user_page(struct judge *j, uint64_t at, const uint8_t *now, const uint8_t *expected);

/* Control registers, descriptor tables, MSRs, pending events: as they were, or would be without the event. Rule transparent. */
void judge_system_registers(struct judge *j, const struct cpu_state *was, const struct cpu_state *now);

/* The count of reschedules done, now and without the event. may_merge: without the event there is one as well.
 * Rule exit-work. */
void judge_work_done(struct judge *j, uint64_t now, uint64_t was, bool may_merge);

/* Where the reschedule that the handler asked for has been done: user code as its model has it. Memory is judged by
 * judge_page() against what it would be there without the event. */
void judge_after_work(struct judge *j, const struct model *user, const struct cpu_state *now);

/* Sets judge.stacks: the event's own IST stack; the running thread's stack if it comes from CPL 3, is an interrupt, or asks for one; and
 * inside of a handler the stack in use. */
void judge_allow_stacks(struct judge *j, const struct injected *in);
/* The stack that the C half of an event runs on. */
const struct kernel_stack *judge_stack_of(const struct judge *j, const struct injected *in);
/* That of another thread, too. */
void judge_allow_thread_stack(struct judge *j, unsigned thread);

/* One page of RAM after the event against what it was before: rule transparent. */
void judge_page(struct judge *j, const struct cpu_state *before, gpa_t gpa, const uint8_t *now, const uint8_t *was);

/* At an IRETQ or SYSRETQ about to return to CPL 3: rule return. frame: what the C code decided on (SYSRETQ), or the five
 * words at RSP (IRETQ). user->gs_base is U. */
void judge_sysret(struct judge *j, const struct model *user, const struct cpu_state *now,
		  const struct hardware_frame *decided);
void judge_iret_to_user(struct judge *j, const struct model *user, const struct cpu_state *now,
			const struct hardware_frame *frame);

/* How to go back to user code by this frame and these registers, ABI_EXIT_...: SYSRET, or the first reason against it. */
unsigned judge_exit_decision(const struct hardware_frame *f, uint64_t rcx, uint64_t r11);
/* The return instruction against that; the guest's counters of such decisions. Rule return. */
void judge_exit_by(struct judge *j, unsigned decision, bool by_sysret);
void judge_exit_counts(struct judge *j, const uint64_t *now, const uint64_t *expected);

/* Where armed debug registers point, at CPL 3. Rule debug. */
void judge_breakpoints(struct judge *j, const struct cpu_state *now);

/* Context tracking: rule context. */
void judge_context(struct judge *j, struct context now, struct context expected);

/* The golden run. The gate, then the C handler, of a fault or SYSCALL that came at `before`. error_bytes: 8 if the vector
 * pushes an error code, else 0; pushed lies above it. */
void judge_ordinary_gate(struct judge *j, const struct cpu_state *before, const struct cpu_state *now,
			 const struct hardware_frame *pushed, unsigned error_bytes);
void judge_ordinary_handler(struct judge *j, const struct cpu_state *before, const struct cpu_state *now,
			    const struct abi_frame *saved, int vector, const struct model *user);
/* The C handler of a fault of the IRET to user code: its frame is the state of that user code, which the IRET was to load. */
void judge_refused_iret(struct judge *j, const struct cpu_state *refused, const struct cpu_state *now,
			const struct abi_frame *saved, const struct model *user);
/* Any boundary at CPL 3: user-state, masking, debug. arrived: the boundary before was at CPL 0. */
void judge_user_boundary(struct judge *j, const struct model *user, const struct cpu_state *now, bool arrived);

#endif
