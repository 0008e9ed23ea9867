/* SPDX-License-Identifier: MIT */
/* machine.c: creating a virtual machine with one vCPU, its first state as data, and its RAM against the
 * reference image. */
#include "vmm/machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/die.h"
#include "vmm/msr.h"

#define TSS_PLACE 0xfffbd000            /* three pages KVM may use on old Intel CPUs, outside RAM */
#define MCG_CTL_P (1ull << 8)

#define SYNC_ALL (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS)

static const struct kvm_segment kernel_code = {
	.limit = ~0u, .selector = 0x10, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1,
};
static const struct kvm_segment kernel_data = {
	.limit = ~0u, .selector = 0x18, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1,
};
static const struct kvm_segment user_code = {
	.limit = ~0u, .selector = 0x33, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1, .dpl = 3,
};
static const struct kvm_segment user_data = {
	.limit = ~0u, .selector = 0x2b, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1, .dpl = 3,
};

/* Long mode with paging on. Not set here: CR3 and RIP (the image says), descriptor tables, MSRs, CR4.FSGSBASE
 * and CR4.MCE (the guest kernel sets them). */
static const struct kvm_sregs entry_sregs = {
	.cs = kernel_code, .ss = kernel_data, .ds = kernel_data, .es = kernel_data,
	.fs = kernel_data, .gs = kernel_data,
	.cr0 = 0x80050033,              /* PG AM=0 WP NE ET MP PE */
	.cr4 = 0x620,                   /* OSXMMEXCPT OSFXSR PAE */
	.efer = 0x500,                  /* LMA LME */
};

static void create_vcpu(struct machine *m)
{
	uint64_t mcg_cap = MCE_BANKS | MCG_CTL_P;

	m->vcpu_fd = KVM_DO(m->vm_fd, KVM_CREATE_VCPU, 0);
	m->run = mmap(NULL, m->host->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu_fd, 0);
	if (m->run == MAP_FAILED)
		die_errno(EXIT_HOST, "mmap of the vCPU");
	KVM_DO(m->vcpu_fd, KVM_SET_CPUID2, m->host->cpuid);
	KVM_DO(m->vcpu_fd, KVM_X86_SETUP_MCE, &mcg_cap);
	m->run->kvm_valid_regs = SYNC_ALL;
	watchdog_add(&m->watch, m->run);
}

void machine_create(struct machine *m, struct kvm_host *host, uint64_t ram_size)
{
	struct kvm_userspace_memory_region slot = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES, .memory_size = ram_size,
	};

	memset(m, 0, sizeof(*m));
	m->host = host;
	mem_init(&m->mem, ram_size);
	m->reference = xcalloc(1, ram_size);
	m->vm_fd = KVM_DO(host->sys_fd, KVM_CREATE_VM, 0);
	KVM_DO(m->vm_fd, KVM_SET_TSS_ADDR, TSS_PLACE);
	slot.userspace_addr = (uintptr_t)mem_at(&m->mem, 0, ram_size);
	KVM_DO(m->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot);
	create_vcpu(m);
}

void machine_start_at(struct machine *m, uint64_t entry, uint64_t page_table)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = entry, .rflags = RFLAGS_FIXED };

	KVM_DO(m->vcpu_fd, KVM_GET_SREGS, &sregs);      /* keeps the APIC base */
	struct kvm_sregs wanted = entry_sregs;

	wanted.apic_base = sregs.apic_base;
	wanted.cr3 = page_table;
	wanted.tr = sregs.tr;
	wanted.ldt = sregs.ldt;
	KVM_DO(m->vcpu_fd, KVM_SET_SREGS, &wanted);
	KVM_DO(m->vcpu_fd, KVM_SET_REGS, &regs);
}

void machine_destroy(struct machine *m)
{
	watchdog_remove(&m->watch);
	munmap(m->run, m->host->run_size);
	close(m->vcpu_fd);
	close(m->vm_fd);
	mem_free(&m->mem);
	free(m->reference);
}

void machine_touched_regs(struct machine *m)
{
	m->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
}

void machine_touched_sregs(struct machine *m)
{
	m->run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
}

void machine_touched_events(struct machine *m)
{
	machine_events(m)->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	m->run->kvm_dirty_regs |= KVM_SYNC_X86_EVENTS;
}

void machine_flush(struct machine *m)
{
	m->run->immediate_exit = 1;
	kvm_try(m->vcpu_fd, KVM_RUN, NULL);     /* always -EINTR */
	m->run->immediate_exit = 0;
	m->ioctls++;
}

void machine_set_cpl(struct machine *m, unsigned cpl, uint16_t cs, uint16_t ss)
{
	struct kvm_sregs *s = machine_sregs(m);

	s->cs = cpl ? user_code : kernel_code;
	s->ss = cpl ? user_data : kernel_data;
	s->cs.selector = cs;
	s->ss.selector = ss;
	machine_touched_sregs(m);
}

void machine_collect_dirty(struct machine *m)
{
	uint64_t written[MACHINE_MAX_PAGES / 64] = { 0 };
	struct kvm_dirty_log log = { .dirty_bitmap = written };

	KVM_DO(m->vm_fd, KVM_GET_DIRTY_LOG, &log);
	m->ioctls++;
	for (unsigned n = 0; n < MACHINE_MAX_PAGES / 64; n++)
		m->dirty[n] |= written[n];
}

void machine_mark_dirty(struct machine *m, gpa_t gpa)
{
	uint64_t page = gpa / PAGE_SIZE;

	m->dirty[page / 64] |= 1ull << (page % 64);
}

static void copy_dirty(struct machine *m, uint8_t *to, const uint8_t *from)
{
	for (unsigned n = 0; n < MACHINE_MAX_PAGES / 64; n++)
		for (uint64_t bits = m->dirty[n]; bits; bits &= bits - 1) {
			size_t at = (n * 64 + __builtin_ctzll(bits)) * (size_t)PAGE_SIZE;

			memcpy(to + at, from + at, PAGE_SIZE);
		}
}

void machine_take_ram(struct machine *m)
{
	copy_dirty(m, m->reference, mem_at(&m->mem, 0, m->mem.size));
	memset(m->dirty, 0, sizeof(m->dirty));
}

void machine_revert_ram(struct machine *m)
{
	copy_dirty(m, mem_at(&m->mem, 0, m->mem.size), m->reference);
	memset(m->dirty, 0, sizeof(m->dirty));
}
