/* SPDX-License-Identifier: MIT */
/* layout.h: where things lie in the guest kernel under test: per-CPU bases, text, handlers, stacks, gates.
 * Everything comes from the image's symbols and tables; no address is written down. Pure. */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi.h"
#include "vmm/elf.h"
#include "vmm/event.h"
#include "vmm/mem.h"

#define LAYOUT_STACKS 32
#define LAYOUT_EXEMPT 64
#define LAYOUT_RETURNS 64
#define LAYOUT_FIXUPS 16
#define LAYOUT_APART (ABI_CPUS * (ABI_EXITS + 2))
#define LAYOUT_GATES (ABI_LAST_VECTOR + 1)
#define LAYOUT_STACK_USER 0xff          /* layout_stack() of an RSP that is no kernel stack's */

struct range {
	uint64_t start, end;            /* [start, end) */
};

struct kernel_stack {
	uint64_t base, size, slot_bytes; /* virtual; slot_bytes at the base are data */
	uint32_t vectors;               /* IST stack: which vectors arrive here; thread stack: 0; or ABI_STACK_IDLE */
	char name[17];
	unsigned cpu;                   /* whose it is; of a thread's stack: where the thread runs, see layout_give_stack() */
	unsigned first_cpu;             /* ... and where it began */
	unsigned thread;                /* of a thread's stack: whose it is */
};

struct exempt {
	uint64_t addr, size;
	uint64_t vector;                /* counts the events of this vector; 0: of none */
	char reason[49];
	unsigned cpu;                   /* in whose area or on whose stack it lies, or whose thread's it is */
};

/* The C half of one event: its handler and, for those that disarm DR7, the body that runs disarmed (else 0). */
struct event_code {
	uint64_t handler, body;
};

/* An ordinary C handler, judged in the golden run. */
struct c_handler {
	const char *name;
	uint64_t addr;
	int vector;                     /* -1: SYSCALL */
};
#define LAYOUT_HANDLERS 11

struct layout {
	const struct elf *elf;
	unsigned cpu;                   /* the CPU that is spoken of: see layout_select() */
	uint64_t k_own, k_other;        /* K of it, and of the other one */
	struct range text, entry_text, user_text;
	uint64_t cmdline, page_table;   /* boot_cmdline (virtual); boot_pml4 (physical) */
	uint64_t secondary;             /* where CPU 1 begins */
	uint64_t event_request;
	unsigned thread;                /* that runs, by the model: the caller keeps it */
	uint64_t thread_work;           /* where its work flags lie; the caller finds it */
	uint64_t enabled[LAYOUT_RETURNS]; /* after each STI, the first boundary outside its shadow: IF is 1 there */
	unsigned enabled_count;
	struct event_code event[EVENT_COUNT];
	struct c_handler handler[LAYOUT_HANDLERS];
	struct kernel_stack stack[LAYOUT_STACKS];
	unsigned stacks;
	struct exempt exempt[LAYOUT_EXEMPT];
	unsigned exempts;
	struct abi_fixup fixup[LAYOUT_FIXUPS];
	unsigned fixups;
	uint64_t returns[LAYOUT_RETURNS]; /* every IRETQ and SYSRETQ of kernel text */
	unsigned returns_count;
	struct abi_exit exit[ABI_EXITS]; /* counters of the exits to user code, from K */
	struct abi_context context;     /* words of context tracking, from K */
	uint64_t exit_to_user;          /* the last C code before user code */
	struct range apart[LAYOUT_APART]; /* memory that other rules than `transparent` speak of */
	unsigned aparts;
	uint64_t gate[LAYOUT_GATES];    /* first instruction of each vector's gate, 0 if none; see layout_read_gates() */
};

/* Reads the layout of an image that has just been loaded into RAM. False with one line in err if the image lacks
 * a symbol or a table of it lies about its size. */
bool layout_init(struct layout *l, const struct elf *elf, const struct mem *m, char *err, size_t err_size);

/* From now on K, stacks, work flags and counters are those of this CPU; 0 at first. */
void layout_select(struct layout *l, unsigned cpu);
/* The stacks of the threads that began on this CPU are those of the CPU spoken of, where `thread` runs; any other thread's stack there
 * is nobody's. */
void layout_give_stack(struct layout *l, unsigned began_on, unsigned thread);
#define LAYOUT_NO_THREAD ABI_THREADS
#define LAYOUT_NO_CPU 0xff

/* Reads the gates out of the guest's IDT, once the guest has set it up. */
void layout_read_gates(struct layout *l, const struct mem *m, uint64_t cr3, uint64_t idt_base);
/* The vector whose gate begins here, or -1. */
int layout_gate_vector(const struct layout *l, uint64_t rip);

/* Index of the kernel stack of this CPU that rsp is in use on (base < rsp <= top), or LAYOUT_STACK_USER. */
unsigned layout_stack(const struct layout *l, uint64_t rsp);

/* The kernel stack of a thread, by its number; NULL if there is none. */
const struct kernel_stack *layout_thread_stack(const struct layout *l, unsigned thread);

/* The stack on which an event of this vector may run: the running thread's stack after an entry from CPL 3 and for interrupts (the
 * idle stack of a CPU that runs no thread), else the vector's IST stack. */
const struct kernel_stack *layout_stack_of(const struct layout *l, unsigned vector, unsigned from_cpl);

/* The stack of a CPU that runs no thread; NULL if the guest has none. */
const struct kernel_stack *layout_idle_stack(const struct layout *l, unsigned cpu);

/* Which kind of fault is allowed at this address although A may be U there; 0: none. */
uint64_t layout_fixup(const struct layout *l, uint64_t rip);

static inline bool range_has(const struct range *r, uint64_t addr)
{
	return addr >= r->start && addr < r->end;
}

#endif
