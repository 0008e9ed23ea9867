/* SPDX-License-Identifier: MIT */
/* machine.h: one virtual machine with one vCPU: creating it, reading and writing its state, and its RAM with
 * the reference image that a case is compared with and restored from. */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/kvm.h"
#include "vmm/mem.h"
#include "vmm/state.h"
#include "vmm/watchdog.h"

#define MACHINE_MAX_PAGES 1024          /* of RAM: one dirty bit each */

/* Which part of the state an access covers. MACHINE_CORE comes with every exit at no cost; each of the
 * others is one ioctl. */
enum {
	MACHINE_CORE = 1,               /* registers, segments, control registers, events */
	MACHINE_I = 2,                  /* MSR_KERNEL_GS_BASE */
	MACHINE_DEBUG = 4,              /* debug registers */
	MACHINE_MSRS = 8,               /* SYSCALL's and the machine-check MSRs; and I */
	MACHINE_ALL = 15,
};

struct machine {
	struct kvm_host *host;
	int vm_fd, vcpu_fd;
	struct kvm_run *run;
	struct watch watch;
	struct mem mem;
	uint8_t *reference;             /* RAM as it must be: a copy of mem */
	uint64_t dirty[MACHINE_MAX_PAGES / 64];
	uint64_t exits, ioctls;         /* counted for `gsgate doctor` and the summary */
};

/* Which MSR stands where in machine_state. */
enum saved_msr {
	SAVED_STAR, SAVED_LSTAR, SAVED_FMASK, SAVED_KERNEL_GS_BASE, SAVED_MCG_STATUS, SAVED_MCG_CTL,
	SAVED_MCI_STATUS,               /* one for each bank */
	SAVED_MCI_CTL = SAVED_MCI_STATUS + MCE_BANKS,
	SAVED_MSRS = SAVED_MCI_CTL + MCE_BANKS
};

/* A vCPU state in the hypervisor's own words, for going back to it exactly. */
struct machine_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	uint64_t msr[32];               /* by enum saved_msr */
};

/* A VM with ram_size bytes of zeroed RAM and a vCPU at 64-bit entry state: RIP = entry, CR3 = page_table. */
void machine_create(struct machine *m, struct kvm_host *host, uint64_t ram_size);
void machine_start_at(struct machine *m, uint64_t entry, uint64_t page_table);
void machine_destroy(struct machine *m);

/* Reads the named parts of the vCPU's state into *s; the other fields are left as they are. */
void machine_get(struct machine *m, unsigned parts, struct cpu_state *s);

/* Complete vCPU state, to be taken back later any number of times. */
void machine_save(struct machine *m, struct machine_state *s);
/* The same state in the rules' words, every part, without an ioctl. */
void machine_saved_state(struct machine *m, const struct machine_state *saved, struct cpu_state *s);
void machine_restore(struct machine *m, const struct machine_state *s);
/* The part of machine_restore() that costs no ioctl: right if only MACHINE_CORE differs. */
void machine_restore_core(struct machine *m, const struct machine_state *s);

/* RAM against the reference. machine_collect_dirty() adds the pages that KVM saw written since it was asked last;
 * machine_take_ram() makes RAM the reference, machine_revert_ram() the reverse, both for the pages collected, which
 * are then forgotten. Writes of the bench itself are not in KVM's log: see machine_mark_dirty(). */
void machine_collect_dirty(struct machine *m);
void machine_mark_dirty(struct machine *m, gpa_t gpa);
void machine_take_ram(struct machine *m);
void machine_revert_ram(struct machine *m);
static inline bool machine_is_dirty(const struct machine *m, uint64_t page)
{
	return m->dirty[page / 64] >> (page % 64) & 1;
}

/* Direct access to the synchronized registers; call machine_touched() after writing them. */
static inline struct kvm_regs *machine_regs(struct machine *m)
{
	return &m->run->s.regs.regs;
}
static inline struct kvm_sregs *machine_sregs(struct machine *m)
{
	return &m->run->s.regs.sregs;
}
static inline struct kvm_vcpu_events *machine_events(struct machine *m)
{
	return &m->run->s.regs.events;
}
void machine_touched_regs(struct machine *m);
void machine_touched_sregs(struct machine *m);
void machine_touched_events(struct machine *m);

/* KVM takes what was written to the synchronized registers, and finishes a port access, at the next entry: have that
 * done now, without running the guest. */
void machine_flush(struct machine *m);

/* CPL follows CS and SS: load the flat 64-bit user or kernel pair. */
void machine_set_cpl(struct machine *m, unsigned cpl, uint16_t cs, uint16_t ss);

void machine_set_msr(struct machine *m, uint32_t index, uint64_t value);
uint64_t machine_get_msr(struct machine *m, uint32_t index);

#endif
