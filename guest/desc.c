/* SPDX-License-Identifier: MIT */
/* desc.c: GDT, TSS and IDT. The scheme is a column of the gate table. */
#include <stddef.h>

#include "guest/cpu.h"
#include "guest/desc.h"
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/vector.h"

typedef void entry_fn(void);
entry_fn asm_exc_breakpoint, asm_exc_invalid_op, asm_exc_general_protection, asm_exc_page_fault;
entry_fn asm_exc_segment_not_present, asm_exc_stack_segment;
entry_fn asm_exc_interrupt, asm_exc_reschedule, asm_exc_timer;
entry_fn asm_exc_nmi_swapgs, asm_exc_nmi_ist;
entry_fn asm_exc_machine_check_swapgs, asm_exc_machine_check_ist;
entry_fn asm_exc_debug_swapgs, asm_exc_debug_ist;
entry_fn asm_exc_double_fault_swapgs, asm_exc_double_fault_ist;
void boot_load_segments(const struct cpu_table *gdt);

static const struct gate {
	enum vector vector;
	unsigned ist;
	entry_fn *entry[SCHEME_COUNT];
} gates[] = {
	{ VECTOR_DB, IST_DB, { asm_exc_debug_swapgs, asm_exc_debug_ist } },
	{ VECTOR_NMI, IST_NMI, { asm_exc_nmi_swapgs, asm_exc_nmi_ist } },
	{ VECTOR_BP, IST_NONE, { asm_exc_breakpoint, asm_exc_breakpoint } },
	{ VECTOR_UD, IST_NONE, { asm_exc_invalid_op, asm_exc_invalid_op } },
	{ VECTOR_DF, IST_DF, { asm_exc_double_fault_swapgs, asm_exc_double_fault_ist } },
	{ VECTOR_NP, IST_NONE, { asm_exc_segment_not_present, asm_exc_segment_not_present } },
	{ VECTOR_SS, IST_NONE, { asm_exc_stack_segment, asm_exc_stack_segment } },
	{ VECTOR_GP, IST_NONE, { asm_exc_general_protection, asm_exc_general_protection } },
	{ VECTOR_PF, IST_NONE, { asm_exc_page_fault, asm_exc_page_fault } },
	{ VECTOR_IRQ, IST_NONE, { asm_exc_interrupt, asm_exc_interrupt } },
	{ VECTOR_RESCHED, IST_NONE, { asm_exc_reschedule, asm_exc_reschedule } },
	{ VECTOR_TIMER, IST_NONE, { asm_exc_timer, asm_exc_timer } },
	{ VECTOR_MC, IST_MC, { asm_exc_machine_check_swapgs, asm_exc_machine_check_ist } },
};

/* User code may use one port alone: that by which it sends events to itself. */
#define IO_MAP_BYTES (ABI_PORT_IPI / 8 + 2)

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t ist[8];                /* ist[0] is reserved: 0 in a gate means none */
	uint64_t reserved1;
	uint16_t reserved2, io_map;
	uint8_t io_refused[IO_MAP_BYTES];       /* one bit a port; the last byte must be all ones */
} __attribute__((packed));
_Static_assert(offsetof(struct tss, io_refused) == 104, "the CPU's TSS");

static struct tss tss = { .io_map = offsetof(struct tss, io_refused) };

/* Code is type 11 and data type 3, Accessed from the start: the CPU would set it on the first load. */
#define KERNEL_CODE 0x00af9b000000ffff
#define KERNEL_DATA 0x00cf93000000ffff
#define USER_CODE   0x00affb000000ffff
#define USER_DATA   0x00cff3000000ffff
#define PRESENT     (1ull << 47)
#define INDEX(selector) ((selector) >> 3)

/* SYSCALL and SYSRET fix the order: kernel CS, SS; user base (none here), SS, CS. */
static uint64_t gdt[] = {
	[INDEX(ABI_KERNEL_CS)] = KERNEL_CODE,
	[INDEX(ABI_KERNEL_SS)] = KERNEL_DATA,
	[INDEX(ABI_USER_SS)] = USER_DATA,
	[INDEX(ABI_USER_CS)] = USER_CODE,
	[INDEX(ABI_TSS)] = 0, 0,
	[INDEX(ABI_ABSENT_SS)] = USER_DATA & ~PRESENT,
	[INDEX(ABI_ABSENT_CS)] = USER_CODE & ~PRESENT,
	[INDEX(ABI_TLS)] = 0,
};

/* SDM vol. 3, figure 8-4. */
static void gdt_set_tss(void)
{
	uint64_t base = (uint64_t)&tss, limit = sizeof(tss) - 1, available = 0x89;

	gdt[INDEX(ABI_TSS)] = limit | (base & 0xffffff) << 16 | available << 40 | (base >> 24 & 0xff) << 56;
	gdt[INDEX(ABI_TSS) + 1] = base >> 32;
}

static void tss_init(void)
{
	tss.rsp[0] = (uint64_t)thread_stack[0] + THREAD_STACK_SIZE;
	percpu_areas[0].tss = &tss;
	for (unsigned n = IST_NMI; n <= IST_DB; n++)
		tss.ist[n] = stacks_ist_top(n);
	for (unsigned n = 0; n < IO_MAP_BYTES; n++)
		tss.io_refused[n] = 0xff;
	tss.io_refused[ABI_PORT_IPI / 8] &= ~(1 << ABI_PORT_IPI % 8);
}

static struct idt_gate {
	uint64_t low, high;
} idt[VECTOR_COUNT];

/* SDM vol. 3, figure 6-8: present, interrupt gate (IF := 0), DPL 0 (user code cannot call it) but for INT3. */
static void idt_set(const struct gate *gate, enum scheme scheme)
{
	uint64_t entry = (uint64_t)gate->entry[scheme], interrupt_gate = gate->vector == VECTOR_BP ? 0xee : 0x8e;

	idt[gate->vector].low = (entry & 0xffff) | ABI_KERNEL_CS << 16 | (uint64_t)gate->ist << 32 |
				interrupt_gate << 40 | (entry >> 16 & 0xffff) << 48;
	idt[gate->vector].high = entry >> 32;
}

_Static_assert(USER_DATA == ABI_TLS_DESCRIPTOR, "a TLS descriptor is user data");

void desc_set_tls(uint64_t word)
{
	gdt[INDEX(ABI_TLS)] = word;
}

void desc_init(enum scheme scheme)
{
	const struct cpu_table gdtr = { sizeof(gdt) - 1, (uint64_t)gdt };
	const struct cpu_table idtr = { sizeof(idt) - 1, (uint64_t)idt };

	gdt_set_tss();
	tss_init();
	for (unsigned n = 0; n < sizeof(gates) / sizeof(gates[0]); n++)
		idt_set(&gates[n], scheme);
	boot_load_segments(&gdtr);
	cpu_ltr(ABI_TSS);
	cpu_lidt(&idtr);
}
