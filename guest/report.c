/* SPDX-License-Identifier: MIT */
/* report.c: the guest's half of the report ports: console, done, panic. */
#include "guest/cpu.h"
#include "guest/report.h"

void report_text(const char *text)
{
	while (*text)
		cpu_outb(ABI_PORT_CONSOLE, *text++);
}

void report_hex(uint64_t value)
{
	report_text("0x");
	for (int shift = 60; shift >= 0; shift -= 4)
		cpu_outb(ABI_PORT_CONSOLE, "0123456789abcdef"[value >> shift & 15]);
}

static __attribute__((noreturn)) void panic(uint32_t reason)
{
	report_text("\n");
	cpu_outl(ABI_PORT_PANIC, reason);
	cpu_halt();
}

void report_panic(uint32_t reason, const char *what, const char *detail)
{
	report_text("panic: ");
	report_text(what);
	if (detail) {
		report_text(": ");
		report_text(detail);
	}
	panic(reason);
}

void report_trap(const char *mnemonic, const struct abi_frame *frame)
{
	report_text("panic: unexpected ");
	report_text(mnemonic);
	report_text(" rip ");
	report_hex(frame->rip);
	report_text(" cs ");
	report_hex(frame->cs);
	report_text(" error ");
	report_hex(frame->error);
	panic(ABI_PANIC_TRAP);
}

void report_done(uint32_t result)
{
	cpu_outl(ABI_PORT_DONE, result);
	cpu_halt();
}
