/* SPDX-License-Identifier: MIT */
/* event.c: the table of events. */
#include "vmm/event.h"

#include <string.h>

static const struct {
	const char *name;
	unsigned vector;
} events[EVENT_COUNT] = {
	[EVENT_NMI] = { "nmi", 2 },
	[EVENT_MCE] = { "mce", 18 },
	[EVENT_DB]  = { "db", 1 },
};

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
