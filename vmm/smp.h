/* SPDX-License-Identifier: MIT */
/* smp.h: a session's CPUs: whose registers, thread and rules are spoken of, and when the other one goes on. */
#ifndef VMM_SMP_H
#define VMM_SMP_H

#include "vmm/session.h"

/* All of the session speaks of this CPU from now on: machine, layout, the models of the thread that runs there, what is pending. */
void smp_select(struct session *s, unsigned cpu);

/* The CPU spoken of stops running, or runs another thread: user data is one page for all threads, and the others see what this one has done:
 * in user code all before its boundary, in the kernel all that it is there for. Not for a look at the other CPU. */
void smp_share(struct session *s);

/* Does this CPU stand on its idle stack, running no thread? */
bool smp_is_idle(struct session *s);

/* At a boundary of this CPU: if it has come to another thread, that is spoken of. */
void smp_follow(struct session *s);

/* Have all threads but the one that is spoken of ended? */
bool smp_others_ended(const struct session *s);

/* After STOP_TURN: an interrupt that was sent is pending at the other CPU, which is spoken of from now on. False if there is no
 * other. */
bool smp_turn(struct session *s);

/* May what another CPU has sent come at this boundary? Then it is taken before the instruction. */
bool smp_take_interrupt(struct session *s);

/* The C handler of a call from the other CPU is entered: what that CPU's thread has asked for is done to the one here. */
void smp_called(struct session *s);

/* The thread here is back from a system call: what it has asked for has been done to the other one, called or not. */
void smp_asked(struct session *s);

/* All CPUs and threads, to be brought back; RAM is not among them. */
struct smp_kept;
struct smp_kept *smp_keep(struct session *s);
void smp_bring_back(struct session *s, struct smp_kept *kept);

/* A flag that is set at CPL 3 is no matter if the interrupt that tells of it is pending, and so comes there. */
bool smp_is_told(const struct session *s);

#endif
