/* SPDX-License-Identifier: MIT */
/* event.h: the events that are injected, by name and by vector. Pure: knows nothing of KVM. */
#ifndef VMM_EVENT_H
#define VMM_EVENT_H

#include <stdbool.h>

enum event {
	EVENT_NMI, EVENT_MCE, EVENT_DB,         /* NMI-like: by IST gates, whatever IF is */
	EVENT_IRQ,                              /* by an ordinary gate, where IF allows it */
	EVENT_TIMER,                            /* ... and its handler always asks for a reschedule */
	EVENT_NMI_RESCHED, EVENT_MCE_RESCHED, EVENT_DB_RESCHED, /* whose handler asks for a reschedule */
	EVENT_GP, EVENT_PF,                     /* injected only where a death is predicted (death.h): no case comes back */
	EVENT_COUNT
};
#define EVENT_RETURNING EVENT_GP                /* how many come first whose handler comes back to the boundary */
#define EVENT_NMI_LIKE EVENT_IRQ                /* how many come first that are NMI-like and ask for nothing */

/* The same without its flavour. */
enum event event_base(enum event event);
/* Is it one whose handler asks for a reschedule? */
bool event_asks(enum event event);
/* ... because the bench has told it to? */
bool event_is_told(enum event event);

/* Is it an interrupt: taken where IF is 1, without IST? */
bool event_is_interrupt(enum event event);

/* Is it one that is injected only where a death is predicted? */
bool event_is_fatal(enum event event);

const char *event_name(enum event event);
bool event_find(const char *name, enum event *out);
unsigned event_vector(enum event event);

#endif
