/* SPDX-License-Identifier: MIT */
/* event.c: the table of events. */
#include "vmm/event.h"

#include <string.h>

#include "guest/abi.h"

static const struct {
	const char *name;
	unsigned vector;
} events[EVENT_COUNT] = {
	[EVENT_NMI] = { "nmi", 2 },
	[EVENT_MCE] = { "mce", 18 },
	[EVENT_DB]  = { "db", 1 },
	[EVENT_IRQ] = { "irq", ABI_VECTOR_IRQ },
	[EVENT_TIMER] = { "timer", ABI_VECTOR_TIMER },
	[EVENT_NMI_RESCHED] = { "nmi.resched", 2 },
	[EVENT_MCE_RESCHED] = { "mce.resched", 18 },
	[EVENT_DB_RESCHED]  = { "db.resched", 1 },
	[EVENT_GP]  = { "gp", 13 },
	[EVENT_PF]  = { "pf", 14 },
};

enum event event_base(enum event event)
{
	return event_is_told(event) ? event - EVENT_NMI_RESCHED + EVENT_NMI : event;
}

bool event_is_told(enum event event)
{
	return event >= EVENT_NMI_RESCHED && event <= EVENT_DB_RESCHED;
}

bool event_asks(enum event event)
{
	return event_is_told(event) || event == EVENT_TIMER;
}

bool event_is_interrupt(enum event event)
{
	return event == EVENT_IRQ || event == EVENT_TIMER;
}

bool event_is_fatal(enum event event)
{
	return event >= EVENT_RETURNING;
}

const char *event_name(enum event event)
{
	return events[event].name;
}

bool event_find(const char *name, enum event *out)
{
	unsigned i;

	for (i = 0; i < EVENT_COUNT; i++) {
		if (!strcmp(events[i].name, name)) {
			*out = i;
			return true;
		}
	}
	return false;
}

unsigned event_vector(enum event event)
{
	return events[event].vector;
}
