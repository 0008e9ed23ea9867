/* SPDX-License-Identifier: MIT */
/* qemu_machine.h: a QEMU with our guest at its entry, saved, loaded and run. What fails is the end of the test. */
#ifndef TAP_QEMU_MACHINE_H
#define TAP_QEMU_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/elf.h"
#include "vmm/qemu.h"
#include "vmm/qemu_state.h"

#define SECONDS 20
#define CMDLINE "scheme=ist program=syscall gs=0x1000 flags=0x202"

static struct qemu qemu;
static struct gdb gdb;
static struct vmstate stream, scratch;
static struct elf *elf;
static struct cpu_state now;
static uint8_t *ram;                    /* as it was at the boundary */
static char err[400];

static __attribute__((noreturn)) void give_up(const char *what)
{
	char end[400];

	qemu_describe(&qemu, end, sizeof(end));
	printf("Bail out! %s: %s %s %s\n", what, err, gdb.trouble, end);
	exit(1);
}

static void must(bool good, const char *what)
{
	if (!good)
		give_up(what);
}

static uint64_t symbol(const char *name)
{
	const struct elf_symbol *s = elf_symbol(elf, name);

	must(s, name);
	return s->addr;
}

static void save(struct vmstate *v, struct machine_state *out)
{
	must(qemu_state_save(&gdb, qemu.state, v, false, err, sizeof(err)), "save");
	qemu_state_read(v, out);
}

static void load(struct vmstate *v, const struct machine_state *s)
{
	must(qemu_state_write(v, s, err, sizeof(err)) && qemu_state_load(&gdb, qemu.state, v, err, sizeof(err)), "load");
}

/* On to one of two places. */
static bool goes_to(uint64_t at, uint64_t other)
{
	must(gdb_break(&gdb, at, true) && gdb_break(&gdb, other, true) && gdb_go(&gdb) && gdb_state(&gdb, &now) &&
	     gdb_break(&gdb, at, false) && gdb_break(&gdb, other, false), "run");
	return now.rip == at;
}

static void *all_ram(void)
{
	return mem_at(&qemu.ram, 0, qemu.ram.size);
}

/* 64-bit entry, as the bench's own machine has it. */
static void first_state(struct machine_state *s)
{
	const struct kvm_segment code = { .limit = ~0u, .selector = 0x10, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1 };
	const struct kvm_segment data = { .limit = ~0u, .selector = 0x18, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1 };

	s->sregs.cs = code;
	s->sregs.ss = s->sregs.ds = s->sregs.es = s->sregs.fs = s->sregs.gs = data;
	s->sregs.cr0 = 0x80050033;
	s->sregs.cr4 = 0x620;
	s->sregs.efer = 0x500;
	s->sregs.cr3 = symbol("boot_pml4") - ABI_KERNEL_VIRT;
	memset(&s->regs, 0, sizeof(s->regs));
	s->regs.rip = elf_entry(elf);
	s->regs.rflags = RFLAGS_FIXED;
}

/* Its first instruction is still to come. */
static void boot(const char *path)
{
	struct machine_state s;

	must(qemu_start_empty(&qemu, path, err, sizeof(err)) && gdb_open(&gdb, qemu.gdb, SECONDS), "start");
	must(qemu_state_open(&gdb, err, sizeof(err)) && qemu_state_save(&gdb, qemu.state, &stream, true, err, sizeof(err)), "first save");
	must(elf_load(elf, &qemu.ram, err, sizeof(err)), "image");
	strcpy(mem_at(&qemu.ram, symbol("boot_cmdline") - ABI_KERNEL_VIRT, sizeof(CMDLINE)), CMDLINE);
	qemu_state_read(&stream, &s);
	first_state(&s);
	qemu_state_nmi_input(&stream);
	load(&stream, &s);
}

#endif
