/* SPDX-License-Identifier: MIT */
/* machine.h: one virtual machine: its vCPUs, of which one is spoken of at a time: creating it, reading and writing its state, and its RAM with
 * the reference image that a case is compared with and restored from. */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/engine.h"
#include "vmm/mem.h"
#include "vmm/state.h"
#include "vmm/watchdog.h"

#define MACHINE_MAX_PAGES 1024          /* of RAM: one dirty bit each */
#define MACHINE_CPUS 2

/* Which part of the state an access covers. MACHINE_CORE comes with every exit at no cost; each of the
 * others costs one question to the hypervisor. */
enum {
	MACHINE_CORE = 1,               /* registers, segments, control registers, events */
	MACHINE_I = 2,                  /* MSR_KERNEL_GS_BASE */
	MACHINE_DEBUG = 4,              /* debug registers */
	MACHINE_MSRS = 8,               /* SYSCALL's and the machine-check MSRs; and I */
	MACHINE_ALL = 15,
};

/* What engine kvm has of each vCPU. */
struct vcpu {
	int fd;
	struct kvm_run *run;
	struct watch watch;
	uint64_t touched;               /* while another one is spoken of: machine.touched */
};

struct machine {
	struct host *host;
	const struct engine *engine;
	struct kvm_regs *regs;          /* the engine's copies: see machine_regs() */
	struct kvm_sregs *sregs;
	struct kvm_vcpu_events *events;
	uint64_t touched;               /* copies written since the last entry: KVM_SYNC_X86_... */
	struct mem mem;
	uint8_t *reference;             /* RAM as it must be: a copy of mem */
	uint64_t dirty[MACHINE_MAX_PAGES / 64];
	uint64_t lsls;                  /* LSL that the bench has executed: machine_lsl.c */
	uint64_t exits, ioctls;         /* counted for `gsgate doctor` and the summary */

	unsigned cpu, cpus;             /* the vCPU that is spoken of, and how many there are */

	int vm_fd, vcpu_fd;             /* engine kvm: the one spoken of ... */
	struct kvm_run *run;
	struct vcpu vcpu[MACHINE_CPUS]; /* ... and all */
	struct qemu_vcpu *qemu;         /* engines qemu and libvirt */
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
void machine_create(struct machine *m, struct host *host, uint64_t ram_size);
void machine_start_at(struct machine *m, uint64_t entry, uint64_t page_table);
/* A second vCPU. */
void machine_add_cpu(struct machine *m);
/* All that speaks of registers or lets the guest run means this vCPU from now on. No other one runs. */
void machine_select(struct machine *m, unsigned cpu);
void machine_destroy(struct machine *m);

/* Reads the named parts of the vCPU's state into *s; the other fields are left as they are. */
void machine_get(struct machine *m, unsigned parts, struct cpu_state *s);

/* MACHINE_CORE of *s out of the hypervisor's words. */
void machine_core(const struct kvm_regs *r, const struct kvm_sregs *q, const struct kvm_vcpu_events *e, struct cpu_state *s);

/* Where an MSR stands in machine_state, or -1. */
int machine_saved_msr(uint32_t index);

/* Complete vCPU state, to be taken back later any number of times. */
void machine_save(struct machine *m, struct machine_state *s);
/* The same state in the rules' words, every part, without an ioctl. */
void machine_saved_state(struct machine *m, const struct machine_state *saved, struct cpu_state *s);
void machine_restore(struct machine *m, const struct machine_state *s);
/* The part of machine_restore() that costs no ioctl: right if only MACHINE_CORE differs. */
void machine_restore_core(struct machine *m, const struct machine_state *s);

/* RAM against the reference. machine_collect_dirty() adds the pages that were written since it was asked last;
 * machine_take_ram() makes RAM the reference, machine_revert_ram() the reverse, both for the pages collected, which
 * are then forgotten. Writes of the bench itself are not among them: see machine_mark_dirty(). */
void machine_collect_dirty(struct machine *m);
void machine_mark_dirty(struct machine *m, gpa_t gpa);
void machine_take_ram(struct machine *m);
void machine_revert_ram(struct machine *m);
static inline bool machine_is_dirty(const struct machine *m, uint64_t page)
{
	return m->dirty[page / 64] >> (page % 64) & 1;
}

/* Direct access to the registers as of the last exit, which cost nothing; call machine_touched() after writing them. */
static inline struct kvm_regs *machine_regs(struct machine *m)
{
	return m->regs;
}
static inline struct kvm_sregs *machine_sregs(struct machine *m)
{
	return m->sregs;
}
static inline struct kvm_vcpu_events *machine_events(struct machine *m)
{
	return m->events;
}
void machine_touched_regs(struct machine *m);
void machine_touched_sregs(struct machine *m);
void machine_touched_events(struct machine *m);

/* An NMI is pending from now on; a machine check is. */
void machine_nmi(struct machine *m);
void machine_check(struct machine *m, const struct kvm_x86_mce *mce);

void machine_get_debug(struct machine *m, struct kvm_debugregs *d);
void machine_set_debug(struct machine *m, const struct kvm_debugregs *d);

/* Is the boundary in the shadow of STI or MOV SS? */
bool machine_in_shadow(struct machine *m);

/* Runs the guest until it leaves. */
void machine_enter(struct machine *m, struct stops *stops, struct left *left);

/* The first instruction behind an IDT gate (SDM vol. 3, 6.14.1); 0 if there is none. */
gva_t machine_gate(const struct machine *m, unsigned vector);

/* What was written to the registers is taken, and a port access finished, at the next entry: have that done now, without
 * running the guest. */
void machine_flush(struct machine *m);

/* CPL follows CS and SS: load the flat 64-bit user or kernel pair. */
void machine_set_cpl(struct machine *m, unsigned cpl, uint16_t cs, uint16_t ss);
/* The same for CPL 3, but whether CS is 64-bit, 32-bit or 16-bit code says the guest's GDT. */
void machine_set_user(struct machine *m, uint16_t cs, uint16_t ss);

void machine_set_msr(struct machine *m, uint32_t index, uint64_t value);
uint64_t machine_get_msr(struct machine *m, uint32_t index);

#endif
