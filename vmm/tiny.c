/* SPDX-License-Identifier: MIT */
/* tiny.c: a guest of a few instructions, for measuring the host: what it executes, and how fast it exits. */
#include "vmm/tiny.h"

#include <string.h>

#include "guest/abi.h"
#include "vmm/clock.h"

#define TINY_RAM 0x10000
#define TINY_PML4 0x1000
#define TINY_PDPT 0x2000
#define TINY_PD 0x3000
#define TINY_CODE 0x4000
#define TINY_GDT 0x5000
#define TINY_IDT 0x6000
#define TINY_STUBS 0x7000               /* 16 bytes a vector */
#define TINY_STACK 0xa000
#define TINY_PORT_VECTOR 0x81
#define TINY_VECTORS 256
#define PTE_TABLE 0x3
#define PTE_LARGE 0x83

void tiny_create(struct machine *m, struct host *host, const uint8_t *code, size_t size)
{
	machine_create(m, host, TINY_RAM);
	*(uint64_t *)mem_at(&m->mem, TINY_PML4, 8) = TINY_PDPT | PTE_TABLE;
	*(uint64_t *)mem_at(&m->mem, TINY_PDPT, 8) = TINY_PD | PTE_TABLE;
	*(uint64_t *)mem_at(&m->mem, TINY_PD, 8) = PTE_LARGE;
	memcpy(mem_at(&m->mem, TINY_CODE, size), code, size);
	machine_start_at(m, TINY_CODE, TINY_PML4);
}

/* Gate and stub of one vector: mov $vector,%al; out %al,$TINY_PORT_VECTOR. */
static void write_gate(struct machine *m, unsigned vector)
{
	uint64_t *gate = mem_at(&m->mem, TINY_IDT + 16 * vector, 16);
	uint8_t *stub = mem_at(&m->mem, TINY_STUBS + 16 * vector, 16);
	uint64_t at = TINY_STUBS + 16 * vector;

	gate[0] = (at & 0xffff) | (uint64_t)ABI_KERNEL_CS << 16 | 0x8eull << 40 | at >> 16 << 48;
	memcpy(stub, (uint8_t []){ 0xb0, vector, 0xe6, TINY_PORT_VECTOR }, 4);
}

void tiny_tables(struct machine *m)
{
	uint64_t *gdt = mem_at(&m->mem, TINY_GDT, 0x28);
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	gdt[ABI_KERNEL_CS / 8] = 0x00af9b000000ffff;
	gdt[ABI_KERNEL_SS / 8] = 0x00cf93000000ffff;
	for (unsigned n = 0; n < TINY_VECTORS; n++)
		write_gate(m, n);
	KVM_DO(m->vcpu_fd, KVM_GET_SREGS, &sregs);
	sregs.gdt.base = TINY_GDT;
	sregs.gdt.limit = 0x27;
	sregs.idt.base = TINY_IDT;
	sregs.idt.limit = 16 * TINY_VECTORS - 1;
	KVM_DO(m->vcpu_fd, KVM_SET_SREGS, &sregs);
	KVM_DO(m->vcpu_fd, KVM_GET_REGS, &regs);
	regs.rsp = TINY_STACK;
	KVM_DO(m->vcpu_fd, KVM_SET_REGS, &regs);
}

void tiny_set_flags(struct machine *m, uint64_t rflags)
{
	struct kvm_regs regs;

	KVM_DO(m->vcpu_fd, KVM_GET_REGS, &regs);
	regs.rflags = rflags;
	KVM_DO(m->vcpu_fd, KVM_SET_REGS, &regs);
}

int tiny_run(struct machine *m)
{
	const struct kvm_run *run = m->run;

	if (kvm_try(m->vcpu_fd, KVM_RUN, NULL) || run->exit_reason != KVM_EXIT_IO)
		return TINY_DEATH;
	if (run->io.port != TINY_PORT_VECTOR)
		return TINY_END;
	return *((const uint8_t *)run + run->io.data_offset);
}

bool tiny_has_fsgsbase(struct host *host)
{
	static const uint8_t code[] = {
		0x0f, 0x20, 0xe0,                       /* mov %cr4,%rax */
		0x0d, 0x00, 0x00, 0x01, 0x00,           /* or $1 << 16,%eax: FSGSBASE */
		0x0f, 0x22, 0xe0,                       /* mov %rax,%cr4 */
		0xbb, 0x34, 0x12, 0x00, 0x00,           /* mov $0x1234,%ebx */
		0xf3, 0x48, 0x0f, 0xae, 0xdb,           /* wrgsbase %rbx */
		0xf3, 0x48, 0x0f, 0xae, 0xc9,           /* rdgsbase %rcx */
		0xe6, 0x80,                             /* out %al,$0x80 */
	};
	struct machine m;
	bool works;

	tiny_create(&m, host, code, sizeof(code));
	works = !kvm_try(m.vcpu_fd, KVM_RUN, NULL) && m.run->exit_reason == KVM_EXIT_IO &&
		machine_regs(&m)->rcx == 0x1234;
	machine_destroy(&m);
	return works;
}

double tiny_exits_per_second(struct host *host, double seconds)
{
	static const uint8_t code[] = { 0xe6, 0x80, 0xeb, 0xfc };       /* 1: out %al,$0x80; jmp 1b */
	struct machine m;
	unsigned long exits = 0;
	double start, end;

	tiny_create(&m, host, code, sizeof(code));
	m.run->kvm_valid_regs = 0;
	start = clock_now();
	do {
		for (unsigned n = 0; n < 256; n++)
			KVM_DO(m.vcpu_fd, KVM_RUN, 0);
		exits += 256;
		end = clock_now();
	} while (end - start < seconds);
	machine_destroy(&m);
	return exits / (end - start);
}
