/* SPDX-License-Identifier: MIT */
/* desc.c: GDT, TSS and IDT. The scheme is a column of the gate table. */
#include <stdbool.h>
#include <stddef.h>

#include "guest/cpu.h"
#include "guest/desc.h"
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/vector.h"

typedef void entry_fn(void);
entry_fn asm_exc_breakpoint, asm_exc_invalid_op, asm_exc_general_protection, asm_exc_page_fault;
entry_fn asm_exc_segment_not_present, asm_exc_stack_segment;
entry_fn asm_exc_interrupt, asm_exc_reschedule, asm_exc_timer, asm_exc_timer_pure;
entry_fn asm_exc_breakpoint_pure, asm_exc_invalid_op_pure, asm_exc_general_protection_pure, asm_exc_page_fault_pure;
entry_fn asm_exc_segment_not_present_pure, asm_exc_stack_segment_pure;
entry_fn asm_exc_interrupt_pure, asm_exc_reschedule_pure, asm_exc_call_pure, asm_exc_kick_pure;
entry_fn asm_exc_call, asm_exc_kick, asm_exc_int80, asm_exc_int80_pure;
entry_fn asm_exc_nmi_swapgs, asm_exc_nmi_ist, asm_exc_nmi_lsl, asm_exc_nmi_pure;
entry_fn asm_exc_machine_check_swapgs, asm_exc_machine_check_ist, asm_exc_machine_check_lsl, asm_exc_machine_check_pure;
entry_fn asm_exc_debug_swapgs, asm_exc_debug_ist, asm_exc_debug_lsl, asm_exc_debug_pure;
entry_fn asm_exc_double_fault_swapgs, asm_exc_double_fault_ist, asm_exc_double_fault_lsl;
void boot_load_segments(const struct cpu_table *gdt);

/* Of ordinary exceptions only pure has gates of its own. #DF never leaves its stack: there pure does what ist does. */
#define ORDINARY(name) { name, name, name, name##_pure }
#define PARANOID(name) { name##_swapgs, name##_ist, name##_lsl, name##_pure }

static const struct gate {
	enum vector vector;
	unsigned ist;
	entry_fn *entry[SCHEME_COUNT];
} gates[] = {
	{ VECTOR_DB, IST_DB, PARANOID(asm_exc_debug) },
	{ VECTOR_NMI, IST_NMI, PARANOID(asm_exc_nmi) },
	{ VECTOR_BP, IST_NONE, ORDINARY(asm_exc_breakpoint) },
	{ VECTOR_UD, IST_NONE, ORDINARY(asm_exc_invalid_op) },
	{ VECTOR_DF, IST_DF, { asm_exc_double_fault_swapgs, asm_exc_double_fault_ist, asm_exc_double_fault_lsl, asm_exc_double_fault_ist } },
	{ VECTOR_NP, IST_NONE, ORDINARY(asm_exc_segment_not_present) },
	{ VECTOR_SS, IST_NONE, ORDINARY(asm_exc_stack_segment) },
	{ VECTOR_GP, IST_NONE, ORDINARY(asm_exc_general_protection) },
	{ VECTOR_PF, IST_NONE, ORDINARY(asm_exc_page_fault) },
	{ VECTOR_IRQ, IST_NONE, ORDINARY(asm_exc_interrupt) },
	{ VECTOR_RESCHED, IST_NONE, ORDINARY(asm_exc_reschedule) },
	{ VECTOR_TIMER, IST_NONE, ORDINARY(asm_exc_timer) },
	{ VECTOR_CALL, IST_NONE, ORDINARY(asm_exc_call) },
	{ VECTOR_KICK, IST_NONE, ORDINARY(asm_exc_kick) },
	{ VECTOR_INT80, IST_NONE, ORDINARY(asm_exc_int80) },
	{ VECTOR_MC, IST_MC, PARANOID(asm_exc_machine_check) },
};

/* User code may use two ports alone: that by which it sends events to itself, and that by which it lets another CPU run. */
#define IO_MAP_BYTES (ABI_PORT_SPIN / 8 + 2)

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t ist[8];                /* ist[0] is reserved: 0 in a gate means none */
	uint64_t reserved1;
	uint16_t reserved2, io_map;
	uint8_t io_refused[IO_MAP_BYTES];       /* one bit a port; the last byte must be all ones */
} __attribute__((packed));
_Static_assert(offsetof(struct tss, io_refused) == 104, "the CPU's TSS");

static struct tss tss[ABI_CPUS];

/* Code is type 11 and data type 3, Accessed from the start: the CPU would set it on the first load. */
#define KERNEL_CODE 0x00af9b000000ffff
#define KERNEL_DATA 0x00cf93000000ffff
#define USER_CODE   0x00affb000000ffff
#define USER32_CODE 0x00cffb000000ffff          /* D instead of L */
#define USER_DATA   0x00cff3000000ffff
#define PRESENT     (1ull << 47)
#define LIMIT_AND_GRANULARITY 0x008f00000000ffff
#define NODE        64ull                       /* whoever does not mask it off is seen: that index lies in RAM behind the image, where nothing is */
#define INDEX(selector) ((selector) >> 3)

/* SYSCALL and SYSRET fix the order: kernel CS, SS; user 32-bit CS, SS, CS. */
#define GDT_ENTRIES (INDEX(ABI_TLS) + 1)
static const uint64_t descriptors[GDT_ENTRIES] = {
	[INDEX(ABI_KERNEL_CS)] = KERNEL_CODE,
	[INDEX(ABI_KERNEL_SS)] = KERNEL_DATA,
	[INDEX(ABI_USER32_CS)] = USER32_CODE,
	[INDEX(ABI_USER_SS)] = USER_DATA,
	[INDEX(ABI_USER_CS)] = USER_CODE,
	[INDEX(ABI_ABSENT_SS)] = USER_DATA & ~PRESENT,
	[INDEX(ABI_ABSENT_CS)] = USER_CODE & ~PRESENT,
	[INDEX(ABI_CPU_NUMBER)] = 0,
	[INDEX(ABI_TLS)] = 0,
};

/* One for each CPU, because the TSS is its own. */
static uint64_t gdt[ABI_CPUS][16];
_Static_assert(sizeof(descriptors) <= sizeof(gdt[0]), "room for every descriptor");

/* The limit of this segment is the CPU's number in its lower CPU_NUMBER_BITS bits, and its node above them. DPL 3: it is no secret. */
static uint64_t cpu_number_descriptor(uint64_t cpu)
{
	uint64_t limit = cpu | NODE << CPU_NUMBER_BITS, data = USER_DATA & ~LIMIT_AND_GRANULARITY;

	return data | (limit & 0xffff) | (limit >> 16 & 0xf) << 48;
}

/* SDM vol. 3, figure 8-4. */
static void gdt_init(unsigned cpu)
{
	uint64_t base = (uint64_t)&tss[cpu], limit = sizeof(tss[cpu]) - 1, available = 0x89;

	for (unsigned n = 0; n < GDT_ENTRIES; n++)
		gdt[cpu][n] = descriptors[n];
	gdt[cpu][INDEX(ABI_TSS)] = limit | (base & 0xffffff) << 16 | available << 40 | (base >> 24 & 0xff) << 56;
	gdt[cpu][INDEX(ABI_TSS) + 1] = base >> 32;
	gdt[cpu][INDEX(ABI_CPU_NUMBER)] = cpu_number_descriptor(cpu);
}

static void allow_port(struct tss *t, unsigned port)
{
	t->io_refused[port / 8] &= ~(1 << port % 8);
}

static void tss_init(unsigned cpu)
{
	struct tss *t = &tss[cpu];

	t->rsp[0] = stacks_top(cpu, IST_NONE);
	percpu_areas[cpu].tss = t;
	for (unsigned n = IST_NMI; n <= IST_DB; n++)
		t->ist[n] = stacks_top(cpu, n);
	t->io_map = offsetof(struct tss, io_refused);
	for (unsigned n = 0; n < IO_MAP_BYTES; n++)
		t->io_refused[n] = 0xff;
	allow_port(t, ABI_PORT_IPI);
	allow_port(t, ABI_PORT_SPIN);
}

static struct idt_gate {
	uint64_t low, high;
} idt[VECTOR_COUNT];

/* SDM vol. 3, figure 6-8: present, interrupt gate (IF := 0), DPL 0 (user code cannot call it) but for INT3 and INT 0x80. */
static void idt_set(const struct gate *gate, enum scheme scheme)
{
	bool user = gate->vector == VECTOR_BP || gate->vector == VECTOR_INT80;
	uint64_t entry = (uint64_t)gate->entry[scheme], interrupt_gate = user ? 0xee : 0x8e;

	idt[gate->vector].low = (entry & 0xffff) | ABI_KERNEL_CS << 16 | (uint64_t)gate->ist << 32 |
				interrupt_gate << 40 | (entry >> 16 & 0xffff) << 48;
	idt[gate->vector].high = entry >> 32;
}

_Static_assert(USER_DATA == ABI_TLS_DESCRIPTOR, "a TLS descriptor is user data");

void desc_set_tls(uint64_t word)
{
	gdt[percpu_this()->cpu][INDEX(ABI_TLS)] = word;
}

void desc_init(enum scheme scheme)
{
	for (unsigned cpu = 0; cpu < ABI_CPUS; cpu++) {
		gdt_init(cpu);
		tss_init(cpu);
	}
	for (unsigned n = 0; n < sizeof(gates) / sizeof(gates[0]); n++)
		idt_set(&gates[n], scheme);
}

void desc_load(unsigned cpu)
{
	const struct cpu_table gdtr = { sizeof(descriptors) - 1, (uint64_t)gdt[cpu] };

	boot_load_segments(&gdtr);
	cpu_ltr(ABI_TSS);
}

void desc_live(void)
{
	const struct cpu_table idtr = { sizeof(idt) - 1, (uint64_t)idt };

	cpu_lidt(&idtr);
}

unsigned desc_cpu(void)
{
	struct cpu_table gdtr;

	cpu_sgdt(&gdtr);
	return (gdtr.base - (uint64_t)gdt) / sizeof(gdt[0]);
}

void desc_set_stack(unsigned cpu, unsigned long top)
{
	tss[cpu].rsp[0] = top;
}
