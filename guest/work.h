/* SPDX-License-Identifier: MIT */
/* work.h: what must be done before a thread goes back to user code, and who may ask for it. */
#ifndef GUEST_WORK_H
#define GUEST_WORK_H

#include <stdbool.h>

#include "guest/cmdline.h"
#include "guest/percpu.h"

/* A thread's flags. Any but 0 keeps it from user code. */
#define WORK_RESCHED ABI_WORK_RESCHED
#define WORK_SIGNAL  ABI_WORK_SIGNAL
#define WORK_NOTIFY  ABI_WORK_NOTIFY
#define WORK_MIGRATE ABI_WORK_MIGRATE

void work_init(const struct cmdline *args);

/* Did the bench ask for a reschedule together with this event? Asked once, it is taken back. */
bool work_is_requested(void);

/* For the running thread, from code whose own exit does the work: WORK_... */
void work_request_own(uint64_t what);
uint64_t sys_ask_work(struct abi_frame *frame);

/* From code whose exit does no work: an interrupt comes as soon as IF allows it, and its exit does. */
void work_request_by_interrupt(void);

/* For the handler of #MC or #DB, if it is requested: by the exit of the frame's own entry if that leads to user code, otherwise
 * by interrupt. */
void work_request(const struct abi_frame *frame);

/* For the thread of another CPU, which still has to be told; if it has none there is nobody to ask. */
void work_request_on(unsigned cpu);

/* Does all that the running thread's flags ask for; it is to go back by this frame. IF = 1; another thread may have run in between. Does not
 * come back if the thread goes to another CPU. */
void work_do(struct abi_frame *frame);

#endif
