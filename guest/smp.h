/* SPDX-License-Identifier: MIT */
/* smp.h: what CPUs do for each other. */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include "guest/abi.h"

/* Waits until all of them are up. */
void smp_init(uint64_t cpus);

/* Is there such a CPU? */
int smp_has(uint64_t cpu);

/* Calls function(argument) on another CPU and waits until it has returned. There it runs with IF = 0. */
void smp_call(unsigned cpu, void (*function)(uint64_t argument), uint64_t argument);

uint64_t sys_resched_other(struct abi_frame *frame);
uint64_t sys_set_gs_other(struct abi_frame *frame);
uint64_t sys_exit(struct abi_frame *frame);
uint64_t sys_migrate(struct abi_frame *frame);

/* Is there another CPU to go to? */
int migrate_can(void);

/* The running thread, on its way back to user code, goes on with that on the other CPU. IF = 1. */
void migrate_to_other(void) __attribute__((noreturn));

#endif
