/* SPDX-License-Identifier: MIT */
/* qemu_vcpu.c: the vCPU of a QEMU machine: what the bench wants it to be and what QEMU has, brought together before it runs. What the
 * gdb stub can write goes that way; anything else by loading a saved state that has been written by the bench. */
#include "vmm/qemu_vcpu.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/die.h"

#define QEMU_STEP_ALONE "7"             /* its default: no interrupt, NMI or timer in a single step */

void qemu_vcpu_die(struct machine *m)
{
	char end[400];

	m->qemu->maker->describe(m->qemu, end, sizeof(end));
	die(EXIT_HOST, "%s: %s%s%s", m->qemu->maker->name, m->qemu->gdb.trouble, *end ? ": " : "", end);
}

/* A state that cannot be saved or loaded: because nobody answers any more, or for the reason in err. */
static __attribute__((noreturn)) void die_of_state(struct machine *m, const char *err)
{
	if (m->qemu->gdb.trouble[0])
		qemu_vcpu_die(m);
	die(EXIT_HOST, "%s: %s", m->qemu->maker->name, err);
}

static void core_of(const struct machine_state *s, struct cpu_state *out)
{
	machine_core(&s->regs, &s->sregs, &s->events, out);
	out->i = s->msr[SAVED_KERNEL_GS_BASE];
}

/* What the gdb stub tells. */
static void take_core(const struct cpu_state *c, struct machine_state *s)
{
	s->regs = (struct kvm_regs){
		.rax = c->gpr[GPR_RAX], .rbx = c->gpr[GPR_RBX], .rcx = c->gpr[GPR_RCX], .rdx = c->gpr[GPR_RDX],
		.rsi = c->gpr[GPR_RSI], .rdi = c->gpr[GPR_RDI], .rsp = c->gpr[GPR_RSP], .rbp = c->gpr[GPR_RBP],
		.r8 = c->gpr[GPR_R8], .r9 = c->gpr[GPR_R9], .r10 = c->gpr[GPR_R10], .r11 = c->gpr[GPR_R11],
		.r12 = c->gpr[GPR_R12], .r13 = c->gpr[GPR_R13], .r14 = c->gpr[GPR_R14], .r15 = c->gpr[GPR_R15],
		.rip = c->rip, .rflags = c->rflags,
	};
	s->sregs.cs.selector = c->cs;
	s->sregs.ss.selector = c->ss;
	s->sregs.ds.selector = c->ds;
	s->sregs.es.selector = c->es;
	s->sregs.fs.selector = c->fs;
	s->sregs.gs.selector = c->gs;
	s->sregs.fs.base = c->fs_base;
	s->sregs.gs.base = c->a;
	s->sregs.cr0 = c->cr0;
	s->sregs.cr2 = c->cr2;
	s->sregs.cr3 = c->cr3;
	s->sregs.cr4 = c->cr4;
	s->sregs.efer = c->efer;
	s->msr[SAVED_KERNEL_GS_BASE] = c->i;
}

/* Where nobody has written to want, it follows. */
static void follow(struct machine_state *want, const struct machine_state *old, const struct machine_state *new)
{
	uint8_t *w = (uint8_t *)want;
	const uint8_t *o = (const uint8_t *)old, *n = (const uint8_t *)new;

	for (size_t at = 0; at < sizeof(*want); at++)
		if (w[at] == o[at])
			w[at] = n[at];
}

void qemu_vcpu_deepen(struct machine *m)
{
	struct qemu_vcpu *v = m->qemu;
	struct machine_state now;
	char err[200];

	if (v->deep || v->lost)
		return;
	if (!qemu_state_save(&v->gdb, v->state, &v->saved, false, err, sizeof(err)))
		die_of_state(m, err);
	qemu_state_read(&v->saved, &now);
	follow(&v->want, &v->have, &now);
	v->have = now;
	v->deep = v->debug = true;
	v->shadow = now.events.interrupt.shadow;
	m->ioctls++;
}

/* Of 32-bit code the gdb stub shows and takes the lower halves of eight registers, and nothing of the others. */
static bool is_cut_short(const struct machine_state *s)
{
	return s->sregs.cs.selector == ABI_USER32_CS;
}

void qemu_vcpu_arrive(struct machine *m)
{
	struct qemu_vcpu *v = m->qemu;
	struct cpu_state now;

	core_of(&v->have, &now);
	if (!gdb_state(&v->gdb, &now))
		qemu_vcpu_die(m);
	take_core(&now, &v->have);
	v->want = v->have;
	v->deep = v->debug = false;
	m->touched = 0;
	m->ioctls++;
	if (is_cut_short(&v->have))
		qemu_vcpu_deepen(m);
}

/* The number after a name in what the monitor prints. */
static bool number_of(const char *text, const char *name, __u64 *out)
{
	const char *at = strstr(text, name);
	unsigned long n;

	if (!at || sscanf(at + strlen(name), "%lx", &n) != 1)
		return false;
	*out = n;
	return true;
}

void qemu_vcpu_see_debug(struct machine *m)
{
	struct qemu_vcpu *v = m->qemu;
	struct machine_state now = v->have;
	__u64 shadow;
	const char *text = v->gdb.said;

	if (v->deep || v->debug || v->lost)
		return;
	if (!gdb_monitor(&v->gdb, "info registers"))
		qemu_vcpu_die(m);
	if (!number_of(text, "DR0=", &now.debug.db[0]) || !number_of(text, "DR1=", &now.debug.db[1]) ||
	    !number_of(text, "DR2=", &now.debug.db[2]) || !number_of(text, "DR3=", &now.debug.db[3]) ||
	    !number_of(text, "DR6=", &now.debug.dr6) || !number_of(text, "DR7=", &now.debug.dr7) || !number_of(text, " II=", &shadow))
		die(EXIT_HOST, "%s: its monitor's `info registers` lacks what the bench needs", v->maker->name);
	follow(&v->want, &v->have, &now);
	v->have = now;
	v->shadow = shadow;
	v->debug = true;
	m->ioctls++;
}

/* Is all that differs a matter of general registers, flags and bases? */
static bool stub_can_write(const struct qemu_vcpu *v)
{
	struct machine_state w = v->want;

	w.regs = v->have.regs;
	w.sregs.gs.base = v->have.sregs.gs.base;
	w.sregs.fs.base = v->have.sregs.fs.base;
	w.msr[SAVED_KERNEL_GS_BASE] = v->have.msr[SAVED_KERNEL_GS_BASE];
	w.events.flags = v->have.events.flags;
	w.events.nmi.pending = v->have.events.nmi.pending;
	return !v->lost && !v->stops_again && !is_cut_short(&v->have) && !memcmp(&w, &v->have, sizeof(w)) && v->want.events.nmi.pending >= v->have.events.nmi.pending;
}

static bool write_by_stub(struct qemu_vcpu *v)
{
	struct cpu_state from, to;

	core_of(&v->have, &from);
	core_of(&v->want, &to);
	return gdb_set_changed(&v->gdb, &from, &to) && gdb_flush(&v->gdb) &&
	       (v->want.events.nmi.pending == v->have.events.nmi.pending || v->maker->nmi(v));
}

static void load(struct machine *m)
{
	struct qemu_vcpu *v = m->qemu;
	char err[200];

	qemu_vcpu_deepen(m);
	if (!qemu_state_write(&v->saved, &v->want, err, sizeof(err)) ||
	    !qemu_state_load(&v->gdb, v->state, &v->saved, err, sizeof(err)))
		die_of_state(m, err);
	v->deep = v->debug = true;
	v->lost = v->was_reset = v->stops_again = false;
}

void qemu_vcpu_send(struct machine *m)
{
	struct qemu_vcpu *v = m->qemu;

	if (!stub_can_write(v))
		load(m);
	else if (!write_by_stub(v))
		qemu_vcpu_die(m);
	v->have = v->want;
	m->touched = 0;
	m->ioctls++;
}

void qemu_vcpu_hand_over(struct machine *m)
{
	struct qemu_vcpu *v = m->qemu;
	bool good = true;

	qemu_vcpu_send(m);
	for (unsigned n = 0; n < v->breakpoints && good; n++)
		good = gdb_queue(&v->gdb, "z1,%lx,1", (unsigned long)v->breakpoint[n]);
	v->breakpoints = 0;
	if (!good || !gdb_queue(&v->gdb, "Qqemu.sstep=" QEMU_STEP_ALONE) || !gdb_flush(&v->gdb))
		qemu_vcpu_die(m);
}
