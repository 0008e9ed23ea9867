/* SPDX-License-Identifier: MIT */
/* lapic.h: the local APIC as the way in for NMIs. */
#ifndef GUEST_LAPIC_H
#define GUEST_LAPIC_H

/* Enables it and lets its pin LINT1 raise NMIs. Only where there is one: the bench's own machines have none. */
void lapic_init(void);

#endif
