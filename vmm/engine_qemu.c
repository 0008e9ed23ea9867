/* SPDX-License-Identifier: MIT */
/* engine_qemu.c: engines `qemu` and `libvirt`: a QEMU of its own for each machine, through one gdb socket, with RAM that both
 * have. They differ in who makes the machine. */
#include <stdio.h>
#include <string.h>

#include "vmm/die.h"
#include "vmm/machine_first.h"
#include "vmm/qemu_pool.h"
#include "vmm/qemu_run.h"

/* Its RAM has the size that the guest wants, ABI_RAM_SIZE; nobody asks for another. */
static void create(struct machine *m, uint64_t ram_size)
{
	struct qemu_vcpu *v = qemu_pool_take(m->host->qemu);

	(void)ram_size;
	m->qemu = v;
	m->mem = v->ram;
	m->regs = &v->want.regs;
	m->sregs = &v->want.sregs;
	m->events = &v->want.events;
	v->specials = 0;
	v->want = v->have = v->blank;
	v->lost = true;
	v->was_reset = v->after_port = false;
	memset(mem_at(&m->mem, 0, m->mem.size), 0, m->mem.size);
}

static void destroy(struct machine *m)
{
	qemu_pool_give(m->host->qemu, m->qemu);
}

static void start_at(struct machine *m, uint64_t entry, uint64_t page_table)
{
	machine_first_state(entry, page_table, m->regs, m->sregs);
}

static void look(struct machine *m, unsigned parts)
{
	if (parts & MACHINE_MSRS)
		qemu_vcpu_deepen(m);
	else if (parts & MACHINE_DEBUG)
		qemu_vcpu_see_debug(m);
}

/* The copies are what counts. */
static void put_events(struct machine *m)
{
	(void)m;
}

/* It comes with everything else that a case may have left behind. */
static void make_runnable(struct machine *m)
{
	m->qemu->lost = true;
	m->qemu->was_reset = false;
}

static void get_debug(struct machine *m, struct kvm_debugregs *d)
{
	qemu_vcpu_see_debug(m);
	*d = m->qemu->want.debug;
}

/* Seen first, here and below: what is written over a value that was not known would pass for not written. */
static void set_debug(struct machine *m, const struct kvm_debugregs *d)
{
	qemu_vcpu_see_debug(m);
	m->qemu->want.debug = *d;
}

static int slot_of(const struct machine *m, uint32_t index)
{
	int slot = machine_saved_msr(index);

	if (slot < 0)
		die(EXIT_HOST, "%s: MSR %#x is not in its saved state", m->qemu->maker->name, index);
	return slot;
}

static void get_msrs(struct machine *m, const uint32_t *index, uint64_t *value, unsigned count)
{
	for (unsigned n = 0; n < count; n++) {
		int slot = slot_of(m, index[n]);

		if (slot != SAVED_KERNEL_GS_BASE)
			qemu_vcpu_deepen(m);
		value[n] = m->qemu->want.msr[slot];
	}
}

static void set_msrs(struct machine *m, const uint32_t *index, const uint64_t *value, unsigned count)
{
	for (unsigned n = 0; n < count; n++) {
		int slot = slot_of(m, index[n]);

		if (slot != SAVED_KERNEL_GS_BASE)
			qemu_vcpu_deepen(m);
		m->qemu->want.msr[slot] = value[n];
	}
}

static bool in_shadow(struct machine *m)
{
	qemu_vcpu_see_debug(m);
	return m->qemu->shadow;
}

/* A machine check that the processor cannot take resets it at once (SDM vol. 3, 15.3.1.2). */
static bool has_reset(struct machine *m)
{
	struct cpu_state now = { 0 };

	if (!gdb_state(&m->qemu->gdb, &now))
		qemu_vcpu_die(m);
	return !(now.cr0 & 1);
}

static void machine_check_now(struct machine *m, const struct kvm_x86_mce *mce)
{
	struct qemu_vcpu *v = m->qemu;
	char command[120];

	qemu_vcpu_send(m);
	snprintf(command, sizeof(command), "mce 0 %u 0x%llx 0x%llx 0x%llx 0x%llx", mce->bank, mce->status, mce->mcg_status, mce->addr,
		 mce->misc);
	if (!v->maker->monitor(v, command))
		qemu_vcpu_die(m);
	v->deep = v->debug = v->after_port = false;
	v->was_reset = has_reset(m);
}

static void collect_dirty(struct machine *m)
{
	const uint8_t *ram = mem_at(&m->mem, 0, m->mem.size);

	for (uint64_t page = 0; page < m->mem.size / PAGE_SIZE; page++)
		if (memcmp(ram + page * PAGE_SIZE, m->reference + page * PAGE_SIZE, PAGE_SIZE))
			machine_mark_dirty(m, page * PAGE_SIZE);
}

#define ALL_BUT_NAME \
	.stops_are_bytes = false, \
	.create = create, .destroy = destroy, .start_at = start_at, .look = look, .put_events = put_events, \
	.make_runnable = make_runnable, .get_debug = get_debug, .set_debug = set_debug, .get_msrs = get_msrs, .set_msrs = set_msrs, \
	.in_shadow = in_shadow, .flush = qemu_vcpu_send, .machine_check = machine_check_now, .collect_dirty = collect_dirty, \
	.enter = qemu_run

const struct engine engine_qemu = { .name = "qemu", ALL_BUT_NAME };
const struct engine engine_libvirt = { .name = "libvirt", ALL_BUT_NAME };
