/* SPDX-License-Identifier: MIT */
/* event.h: the events that are injected, by name and by vector. Pure: knows nothing of KVM. */
#ifndef VMM_EVENT_H
#define VMM_EVENT_H

#include <stdbool.h>

enum event { EVENT_NMI, EVENT_MCE, EVENT_DB, EVENT_COUNT };

const char *event_name(enum event event);
bool event_find(const char *name, enum event *out);
unsigned event_vector(enum event event);

#endif
