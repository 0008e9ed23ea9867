/* SPDX-License-Identifier: MIT */
/* facts_tiny.c: what doctor measures with guests of a few instructions. */
#include "vmm/die.h"
#include "vmm/facts.h"
#include "vmm/tiny.h"

#define VECTOR_DB 1
#define VECTOR_IRQ 0x20

#define OUT_END 0xe6, TINY_PORT_END             /* out %al,$TINY_PORT_END */
#define STORE_DATA 0x48, 0x89, 0x04, 0x25, TINY_DATA & 0xff, TINY_DATA >> 8, 0, 0       /* mov %rax,TINY_DATA */

static struct host *host_of(const struct bench *b)
{
	return (struct host *)&b->host;
}

static bool kernel_watch(const struct bench *b)
{
	static const uint8_t code[] = { STORE_DATA, 0x90, OUT_END };
	struct kvm_debugregs debug = { .db = { TINY_DATA }, .dr6 = ABI_DR6_RESET, .dr7 = ABI_DR7_ARMED };
	struct machine m;
	int end;

	tiny_create(&m, host_of(b), code, sizeof(code));
	tiny_tables(&m);
	KVM_DO(m.vcpu_fd, KVM_SET_DEBUGREGS, &debug);
	end = tiny_run(&m);
	machine_destroy(&m);
	return end == VECTOR_DB;
}

static void see_dirty_log(const struct bench *b, struct more_facts *out)
{
	static const uint8_t code[] = { OUT_END, STORE_DATA, OUT_END };
	struct machine m;

	tiny_create(&m, host_of(b), code, sizeof(code));
	tiny_tables(&m);
	tiny_run(&m);
	machine_flush(&m);
	machine_collect_dirty(&m);
	machine_take_ram(&m);
	tiny_run(&m);
	machine_collect_dirty(&m);
	out->dirty_log = machine_is_dirty(&m, TINY_DATA / PAGE_SIZE);
	for (uint64_t page = 0; page < m.mem.size / PAGE_SIZE; page++)
		out->dirty_extra += page != TINY_DATA / PAGE_SIZE && machine_is_dirty(&m, page);
	machine_destroy(&m);
}

/* Whether KVM calls the vCPU ready for an interrupt at an exit with this RFLAGS, and what comes of one. */
static bool is_ready(const struct bench *b, uint64_t rflags, int *vector)
{
	static const uint8_t code[] = { 0x90, OUT_END, 0x90, 0x90, OUT_END };
	struct kvm_interrupt interrupt = { .irq = VECTOR_IRQ };
	struct machine m;
	bool ready;

	tiny_create(&m, host_of(b), code, sizeof(code));
	tiny_tables(&m);
	tiny_set_flags(&m, rflags);
	*vector = tiny_run(&m);
	ready = m.run->ready_for_interrupt_injection;
	machine_flush(&m);
	if (ready && !kvm_try(m.vcpu_fd, KVM_INTERRUPT, &interrupt))
		*vector = tiny_run(&m);
	machine_destroy(&m);
	return ready;
}

static void see_interrupt(const struct bench *b, struct more_facts *out)
{
	bool open, closed;
	int vector, none;

	open = is_ready(b, RFLAGS_FIXED | RFLAGS_IF, &vector);
	closed = is_ready(b, RFLAGS_FIXED, &none);
	out->interrupt = vector == VECTOR_IRQ;
	out->interrupt_ready = open && !closed;
}

void facts_tiny(const struct bench *b, struct more_facts *out)
{
	out->kernel_watch = kernel_watch(b);
	see_dirty_log(b, out);
	see_interrupt(b, out);
}
