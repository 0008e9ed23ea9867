/* SPDX-License-Identifier: MIT */
/* nmi.S: the NMI gate, and NMIs that come while another one has not left the NMI stack. */
#include "guest/regs.h"
#include "guest/stacks.h"

	.section .entry.text, "ax"

/* An NMI's IRET is not the only one that unmasks NMIs: any exception in its handler ends with one, too. The next NMI then begins
 * at the top of a stack that is in use. So that this costs nothing:
 *
 *  - the five words are moved down, out of the next NMI's way, before anything may fault;
 *  - a word in the stack's slot, the latch, says how many NMIs have arrived and are not done with. It is found from RSP alone:
 *    neither GS nor any register can be trusted yet. An NMI that finds it set adds itself and leaves; the one that is
 *    there goes round again, with the same five words;
 *  - between taking the last one off the latch and the IRET nothing is left of an NMI but its five words. One that comes there
 *    takes them over. RIP tells, not RSP: user code chooses RSP, and SYSCALL leaves it as it is.
 *
 * Until the five words are moved nothing may unmask NMIs. #MC and #DB can come there: they return without an IRET (nmi.c).
 *
 * From the top of the stack downwards: */
#define NMI_WORDS	(5 * 8)			/* the CPU's five words */
#define NMI_SCRATCH	(NMI_WORDS + 8)		/* RDX */
#define NMI_ROOM	(4 * 16)		/* where #MC and #DB put RFLAGS and RIP while NMI_WORDS are bare, one inside another */
#define NMI_MOVED	(NMI_SCRATCH + NMI_ROOM + 5 * 8) /* the five words again: the frame is built below them */

/* The latch, with RSP at the moved words. */
#define NMI_LATCH_FROM_MOVED (NMI_MOVED - IST_STACK_SIZE + NMI_LATCH)

#define NMI(place) NMI_PLACE(SCHEME, place)
#define NMI_PLACE(scheme, place) NMI_PASTE(nmi_, scheme, _##place)
#define WIN(edge) NMI_WINDOW(SCHEME, edge)
#define NMI_WINDOW(scheme, edge) NMI_PASTE(win_nmi_, scheme, _##edge)
#define GATE NMI_NAME(asm_exc_nmi_, SCHEME)
#define ENTER NMI_NAME(paranoid_entry_, PARANOID)
#define LEAVE NMI_NAME(paranoid_leave_, PARANOID)
#define NMI_NAME(name, scheme) NMI_PASTE(name, scheme, )
#define NMI_PASTE(a, b, c) a##b##c

/* PARANOID: whose way of finding K it takes. FROM_USER: where it leaves to from user code. */
#define FROM_USER asm_exc_nmi_from_user
#define SCHEME swapgs
#define PARANOID swapgs
#include "guest/nmi_gate.h"
#undef SCHEME
#undef PARANOID

#define SCHEME ist
#define PARANOID ist
#include "guest/nmi_gate.h"
#undef SCHEME
#undef PARANOID

#define SCHEME lsl
#define PARANOID lsl
#include "guest/nmi_gate.h"
#undef SCHEME
#undef PARANOID
#undef FROM_USER

#define FROM_USER asm_exc_nmi_from_user_pure
#define SCHEME pure
#define PARANOID ist
#include "guest/nmi_gate.h"
