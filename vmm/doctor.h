/* SPDX-License-Identifier: MIT */
/* doctor.h: what doctor says of each engine, and how it says it. */
#ifndef VMM_DOCTOR_H
#define VMM_DOCTOR_H

#include "vmm/options.h"
#include "vmm/session.h"

/* One fact: a line, and if the answer is no and something helps, a second one. */
void doctor_say(bool good, const char *what, const char *yes, const char *no, const char *remedy);

/* One line, whatever a program or a name from outside contains. */
const char *doctor_text(char *out, size_t out_size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* What every engine's host is measured for. `whose` is before each name, unless it is NULL. */
void doctor_host(const char *whose, const struct host_facts *f, const char *remedy);

/* Everything about one engine, measured. True if a run can use it. */
bool doctor_kvm(const struct options *o);
bool doctor_qemu(const struct options *o);
bool doctor_libvirt(const struct options *o);

#endif
