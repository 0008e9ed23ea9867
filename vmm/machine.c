/* SPDX-License-Identifier: MIT */
/* machine.c: a virtual machine, whichever engine it runs on, and its RAM against the reference image. */
#include "vmm/machine.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"
#include "vmm/machine_first.h"

void machine_create(struct machine *m, struct host *host, uint64_t ram_size)
{
	memset(m, 0, sizeof(*m));
	m->host = host;
	m->engine = host->engine;
	m->reference = xcalloc(1, ram_size);
	m->cpus = 1;
	m->engine->create(m, ram_size);
}

void machine_start_at(struct machine *m, uint64_t entry, uint64_t page_table)
{
	m->engine->start_at(m, entry, page_table);
}

void machine_add_cpu(struct machine *m)
{
	m->engine->add_cpu(m);
}

void machine_select(struct machine *m, unsigned cpu)
{
	if (cpu != m->cpu)
		m->engine->select(m, cpu);
}

void machine_destroy(struct machine *m)
{
	m->engine->destroy(m);
	free(m->reference);
}

void machine_touched_regs(struct machine *m)
{
	m->touched |= KVM_SYNC_X86_REGS;
}

void machine_touched_sregs(struct machine *m)
{
	m->touched |= KVM_SYNC_X86_SREGS;
}

void machine_touched_events(struct machine *m)
{
	m->events->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	m->touched |= KVM_SYNC_X86_EVENTS;
}

void machine_nmi(struct machine *m)
{
	m->events->nmi.pending = 1;
	machine_touched_events(m);
}

void machine_check(struct machine *m, const struct kvm_x86_mce *mce)
{
	m->engine->machine_check(m, mce);
}

bool machine_in_shadow(struct machine *m)
{
	return m->engine->in_shadow(m);
}

void machine_flush(struct machine *m)
{
	m->engine->flush(m);
}

void machine_enter(struct machine *m, struct stops *stops, struct left *left)
{
	m->engine->enter(m, stops, left);
}

gva_t machine_gate(const struct machine *m, unsigned vector)
{
	uint64_t d[2];

	if (!mem_read(&m->mem, m->sregs->cr3, m->sregs->idt.base + 16 * vector, d, sizeof(d)))
		return 0;
	return (d[0] & 0xffff) | (d[0] >> 32 & 0xffff0000) | d[1] << 32;
}

void machine_set_cpl(struct machine *m, unsigned cpl, uint16_t cs, uint16_t ss)
{
	m->engine->look(m, MACHINE_ALL);        /* the hidden parts do not come with every exit of every engine */
	machine_flat_pair(cpl, cs, ss, m->sregs);
	machine_touched_sregs(m);
}

void machine_set_user(struct machine *m, uint16_t cs, uint16_t ss)
{
	uint64_t descriptor;

	machine_set_cpl(m, 3, cs, ss);
	if (!mem_read(&m->mem, m->sregs->cr3, m->sregs->gdt.base + (cs & ~7u), &descriptor, sizeof(descriptor)))
		return;
	m->sregs->cs.l = descriptor >> 53 & 1;
	m->sregs->cs.db = descriptor >> 54 & 1;
}

void machine_collect_dirty(struct machine *m)
{
	m->engine->collect_dirty(m);
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
