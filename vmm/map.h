/* SPDX-License-Identifier: MIT */
/* map.h: the measured map of a golden run: which base A and I hold at every boundary, and which visits are injected.
 * Pure: knows nothing of KVM. */
#ifndef VMM_MAP_H
#define VMM_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/event.h"
#include "vmm/layout.h"

/* Which base a register holds. Under a distinguishing U the measured value says it. */
enum gs_class { CLASS_K, CLASS_U, CLASS_OTHER };
const char *gs_class_name(enum gs_class c);

/* One visit to one boundary. */
struct visit {
	uint64_t rip;
	uint64_t a_value, i_value;
	uint32_t number;                /* 1 for the first visit to this boundary since the snapshot */
	uint8_t cpl;
	uint8_t cpu;                    /* visits are counted for each CPU apart */
	uint8_t a, i;                   /* enum gs_class */
	uint8_t stack;                  /* layout_stack() of RSP */
	bool interrupts, direction;     /* RFLAGS.IF, RFLAGS.DF */
	bool nmi_masked;
	bool nested;                    /* ... and another such event is on its way in there */
	bool db_mixes;                  /* in a #DB's handler, but off its stack: DR6 of it and of another would mix */
	uint8_t raised;                 /* in the handler of an event that the guest raised itself: its vector, else 0 */
	bool after_access;              /* the instruction before touched memory: a data watchpoint could have hit */
	bool dr7_armed;
	bool context_user;              /* what the guest's context tracking says; else kernel */
	bool boots;                     /* its CPU has not come to user code yet */
	bool no_timer;                  /* it would take the thread away from what the kernel does for it */
	bool no_idt;                    /* ... nor loaded the IDT: nothing can be delivered */
	bool entered;                   /* the kernel was entered here: what ran before was user code */
	bool shadow;                    /* after STI, MOV SS or POP SS: an event here comes one instruction later */
	bool no_ist;                    /* an exception without IST kills the guest here: vmm/death.h */
	bool inject, inject_irq;        /* NMI-like events; interrupts: decided by map_plan() */
	uint8_t rank[EVENT_COUNT];      /* enum rank of its cases, by rank_map() */
};

struct map {
	struct visit *at;               /* in the order of the golden run */
	size_t count, room;
};

void map_add(struct map *m, const struct visit *v);
void map_free(struct map *m);

/* Decides which visits are injected: of the visits to a boundary of entry text, of a window or of user code, the first of
 * each distinct (CPL, class of A and I, stack, IF, DF, NMI mask, handler of a raised event); not in an interrupt shadow. So is
 * every boundary of an NMI's handler where NMIs are unmasked. Interrupts come at every boundary that has
 * IF = 1, of user code and of all kernel text. Classes are taken from the map under the distinguishing U (may be m
 * itself, or NULL) as far as both agree; under another U equal values could not be told apart. */
void map_plan(struct map *m, const struct map *distinguishing, const struct range *entry_text);

/* The same boundary in the same state, as far as that decides what is injected. */
bool map_same_kind(const struct visit *a, const struct visit *b);

/* Why this event cannot be injected at a visit, whether that is planned or not; NULL if it can. */
const char *map_cannot(const struct visit *v, enum event event);

/* Why this event is not injected at this visit, or NULL if it is. */
const char *map_why_not(const struct visit *v, enum event event);
/* Is this event, one of `events` (bit 1 << enum event), injected at that visit? */
bool map_is_planned(const struct visit *v, unsigned events, enum event event);

/* In a window: at CPL 0 where A is not K, and something can come. */
bool map_in_window(const struct visit *v);

/* One past the last visit of the window that begins at visit n; n if none does. It ends where user code ran in between. */
size_t map_window_end(const struct map *m, size_t n);

/* Windows: runs of consecutive visits inside one, each distinct (first, last boundary) once. */
struct map_windows {
	struct range *window;           /* end: the last boundary itself */
	unsigned count;
};

/* Adds those of a map that are not there yet. The block at w->window is the caller's to free. */
void map_windows(const struct map *m, struct map_windows *w);

#endif
