/* SPDX-License-Identifier: MIT */
/* inject.c: making an event pending at the boundary where the vCPU stands. */
#include "vmm/inject.h"

#include <stddef.h>

#include "guest/abi.h"

/* An uncorrected error with a valid address, processor context good: VAL UC EN MISCV ADDRV, memory read error. */
#define MCI_STATUS_UC 0xbc00000000000150ull
#define MCG_RIPV_MCIP 5
#define MCE_BANK 1

static void inject_nmi(struct machine *m, const struct machine_state *saved)
{
	(void)saved;
	machine_nmi(m);
}

/* Overflow and PCC stay clear: the program can be restarted (SDM vol. 3, 15.3.2.2). */
static void inject_mce(struct machine *m, const struct machine_state *saved)
{
	struct kvm_x86_mce mce = {
		.status = MCI_STATUS_UC, .mcg_status = MCG_RIPV_MCIP, .bank = MCE_BANK,
		.addr = 0x1000, .misc = 0x86,
	};

	(void)saved;
	machine_check(m, &mce);
}

/* As a watchpoint hit leaves it: the trap is about to be delivered and DR6 already says why. */
static void raise_db(struct machine *m, struct kvm_debugregs debug)
{
	debug.dr6 = INJECT_DR6;
	machine_set_debug(m, &debug);
	machine_events(m)->exception.injected = 1;
	machine_events(m)->exception.nr = 1;
	machine_events(m)->exception.has_error_code = 0;
	machine_touched_events(m);
}

static void inject_db(struct machine *m, const struct machine_state *saved)
{
	raise_db(m, saved->debug);
}

/* The caller has seen that IF is 1 and no shadow covers the boundary. */
static void inject_irq(struct machine *m, const struct machine_state *saved)
{
	(void)saved;
	inject_interrupt(m, ABI_VECTOR_IRQ);
}

static void inject_timer(struct machine *m, const struct machine_state *saved)
{
	(void)saved;
	inject_interrupt(m, ABI_VECTOR_TIMER);
}

void inject_interrupt(struct machine *m, unsigned vector)
{
	machine_events(m)->interrupt.injected = 1;
	machine_events(m)->interrupt.nr = vector;
	machine_events(m)->interrupt.soft = 0;
	machine_touched_events(m);
}

/* As a fault with error code 0 leaves it: RF set in what is pushed, so that an instruction breakpoint does not hit again (SDM
 * vol. 3, 17.3.1.1). */
static void inject_fault(struct machine *m, enum event event)
{
	machine_regs(m)->rflags |= RFLAGS_RF;
	machine_touched_regs(m);
	machine_events(m)->exception.injected = 1;
	machine_events(m)->exception.nr = event_vector(event);
	machine_events(m)->exception.has_error_code = 1;
	machine_events(m)->exception.error_code = 0;
	machine_touched_events(m);
}

static void inject_gp(struct machine *m, const struct machine_state *saved)
{
	(void)saved;
	inject_fault(m, EVENT_GP);
}

/* The kernel has read from an address that is not mapped. */
static void inject_pf(struct machine *m, const struct machine_state *saved)
{
	(void)saved;
	machine_sregs(m)->cr2 = ABI_USER_UNMAPPED;
	machine_touched_sregs(m);
	inject_fault(m, EVENT_PF);
}

static void (*const inject[EVENT_COUNT])(struct machine *m, const struct machine_state *saved) = {
	[EVENT_NMI] = inject_nmi, [EVENT_MCE] = inject_mce, [EVENT_DB] = inject_db, [EVENT_IRQ] = inject_irq,
	[EVENT_TIMER] = inject_timer,
	[EVENT_GP] = inject_gp, [EVENT_PF] = inject_pf,
};

void inject_event(struct machine *m, enum event event, const struct machine_state *saved)
{
	inject[event_base(event)](m, saved);
}

static void raise_own_db(struct machine *m)
{
	struct kvm_debugregs debug;

	machine_get_debug(m, &debug);
	raise_db(m, debug);
}

bool inject_own(struct machine *m, unsigned vector)
{
	if (vector != ABI_VECTOR_NMI && vector != ABI_VECTOR_MC && vector != ABI_VECTOR_DB)
		return false;
	machine_flush(m);
	if (vector == ABI_VECTOR_NMI)
		inject_nmi(m, NULL);
	else if (vector == ABI_VECTOR_MC)
		inject_mce(m, NULL);
	else
		raise_own_db(m);
	return true;
}
