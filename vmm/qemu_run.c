/* SPDX-License-Identifier: MIT */
/* qemu_run.c: letting a QEMU machine run to its next stop, or to the end of a port access: by breakpoints of the gdb stub, or where
 * every boundary is a stop by single steps. Nobody has the bench's ports there: it stops at each OUT, lets the processor decide
 * whether that may be executed, and takes it from the registers. */
#include "vmm/qemu_run.h"

#include <stdlib.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/clock.h"
#include "vmm/die.h"
#include "vmm/qemu_specials.h"
#include "vmm/qemu_vcpu.h"

/* One entry into the guest. */
struct entry {
	struct machine *m;
	struct qemu_vcpu *v;
	struct stops *stops;
	double until;
	struct left *left;
};

static int by_address(const void *x, const void *y)
{
	gva_t a = *(const gva_t *)x, b = *(const gva_t *)y;

	return a < b ? -1 : a > b;
}

static void add(gva_t *list, unsigned *count, gva_t at)
{
	if (*count == QEMU_BREAKPOINTS)
		die(EXIT_HOST, "more than %u stops at a time", QEMU_BREAKPOINTS);
	list[(*count)++] = at;
}

/* Where breakpoints must be: at the stops, at what the bench executes, and where a triple fault goes. In order, without duplicates. */
static unsigned wanted(const struct entry *e, gva_t *list)
{
	unsigned count = 0, n = 0;

	add(list, &count, QEMU_RESET);
	for (unsigned k = 0; k < e->v->specials; k++)
		add(list, &count, e->v->special[k].at);
	for (unsigned k = 0; k < e->stops->ranges; k++) {
		const struct text_range *r = &e->stops->range[k];
		const bool *set = r->set, *end = set + r->size;

		while ((set = memchr(set, true, end - set)))
			add(list, &count, r->va + (set++ - r->set));
	}
	qsort(list, count, sizeof(*list), by_address);
	for (unsigned k = 0; k < count; k++)
		if (!n || list[n - 1] != list[k])
			list[n++] = list[k];
	return n;
}

/* Two ordered lists, side by side: what is only in the first goes, what is only in the second comes. */
static void place_breakpoints(const struct entry *e)
{
	struct qemu_vcpu *v = e->v;
	gva_t list[QEMU_BREAKPOINTS];
	unsigned count = wanted(e, list), old = 0, new = 0;

	while (old < v->breakpoints || new < count) {
		bool goes = new == count || (old < v->breakpoints && v->breakpoint[old] < list[new]);
		bool comes = old == v->breakpoints || (new < count && list[new] < v->breakpoint[old]);

		if (goes || comes)
			gdb_queue(&v->gdb, "%c1,%lx,1", goes ? 'z' : 'Z', (unsigned long)(goes ? v->breakpoint[old] : list[new]));
		old += !comes;
		new += !goes;
	}
	memcpy(v->breakpoint, list, count * sizeof(*list));
	v->breakpoints = count;
}

/* False if that has decided why the guest is left. */
static bool resume(struct entry *e, const char *how)
{
	double left = e->until - clock_now();
	bool late = left <= 0;

	e->m->exits++;
	if (!late && !gdb_resume(&e->v->gdb, how, left, &late) && !late)
		qemu_vcpu_die(e->m);
	if (late && left > 0 && !gdb_interrupt(&e->v->gdb))
		qemu_vcpu_die(e->m);
	qemu_vcpu_arrive(e->m);
	if (e->m->regs->rip == (uint16_t)QEMU_RESET && !(e->m->sregs->cr0 & 1)) {
		e->v->lost = true;
		e->left->why = LEAVE_SHUTDOWN;
		return false;
	}
	e->left->why = LEAVE_HANG;
	return !late;
}

/* Both copies. */
static void set_nmi(struct qemu_vcpu *v, bool masked, bool pending)
{
	v->have.events.nmi.masked = v->want.events.nmi.masked = masked;
	v->have.events.nmi.pending = v->want.events.nmi.pending = pending;
}

/* One instruction, or the delivery of an event in its place. What that does to the NMI mask is known: only delivery sets it, only an
 * IRET clears it (SDM vol. 3, 6.7.1). */
static bool step(struct entry *e)
{
	struct kvm_vcpu_events *events = e->m->events;
	bool iret = stops_is_iretq(e->stops, e->m->regs->rip), masked = events->nmi.masked, pending = events->nmi.pending;
	uint64_t target = 0;

	if (iret)
		mem_read(&e->m->mem, e->m->sregs->cr3, e->m->regs->rsp, &target, sizeof(target));
	if (!resume(e, "s"))
		return false;
	if (iret && e->m->regs->rip == target)
		set_nmi(e->v, false, pending);
	else if (pending && !masked && e->m->regs->rip == machine_gate(e->m, ABI_VECTOR_NMI))
		set_nmi(e->v, true, false);
	e->v->stops_again = e->m->regs->rip == machine_gate(e->m, ABI_VECTOR_DB);
	return true;
}

/* The instruction there is a port access, if the processor executes it. True if the guest is left by that. */
static bool by_port(struct entry *e, const struct qemu_special *s)
{
	const struct kvm_regs before = *e->m->regs;
	uint64_t mask = s->size == 4 ? 0xffffffff : (1u << 8 * s->size) - 1;

	if (!step(e))
		return true;
	if (e->m->regs->rip != s->at + s->length)
		return false;
	e->v->after_port = true;
	*e->left = (struct left){ .why = LEAVE_PORT, .port = s->by_dx ? (uint16_t)before.rdx : s->port, .value = before.rax & mask };
	return true;
}

/* A HLT of the guest's own, at CPL 0 and with nothing pending: it is not executed, QEMU would wait for ever. */
static bool by_halt(struct entry *e, const struct qemu_special *s)
{
	if (s->kind != SPECIAL_HLT || e->m->sregs->cs.selector & 3)
		return false;
	*e->left = (struct left){ .why = LEAVE_STOP, .at = s->at };
	e->m->regs->rip = s->at + s->length;
	return true;
}

static bool has_event(const struct kvm_vcpu_events *e)
{
	return e->exception.injected || e->interrupt.injected || (e->nmi.pending && !e->nmi.masked);
}

static void no_exception(struct kvm_vcpu_events *e)
{
	memset(&e->exception, 0, sizeof(e->exception));
	e->interrupt.injected = e->interrupt.nr = 0;
}

/* Delivered with the first instruction. Nothing of them stays behind: see follow() in qemu_vcpu.c. */
static void events_are_gone(struct qemu_vcpu *v)
{
	no_exception(&v->have.events);
	no_exception(&v->want.events);
}

/* True if the guest is left. */
static bool go(struct entry *e)
{
	const struct qemu_special *s = qemu_special_at(e->v, e->m->regs->rip);
	bool event = has_event(e->m->events);

	events_are_gone(e->v);
	if (s && !event && by_halt(e, s))
		return true;
	if (s && s->kind == SPECIAL_OUT) {
		if (by_port(e, s))
			return true;
	} else if (s || e->stops->carpet) {
		if (!step(e))
			return true;
	} else {
		place_breakpoints(e);
		if (!resume(e, "c"))
			return true;
		if (e->m->events->nmi.pending)
			set_nmi(e->v, true, false);
	}
	*e->left = (struct left){ .why = LEAVE_STOP, .at = e->m->regs->rip };
	return stops_is_set(e->stops, e->m->regs->rip);
}

/* Behind an OUT is a boundary like any other; what the OUT has raised comes first. */
static bool is_stop_behind_port(struct machine *m, const struct stops *stops)
{
	bool after_port = m->qemu->after_port;

	m->qemu->after_port = false;
	return after_port && !has_event(m->events) && stops_is_set(stops, m->regs->rip);
}

void qemu_run(struct machine *m, struct stops *stops, struct left *left)
{
	struct entry e = { m, m->qemu, stops, 0, left };

	*left = (struct left){ .why = LEAVE_SHUTDOWN };
	if (m->qemu->was_reset) {
		m->qemu->lost = true;
		return;
	}
	if (is_stop_behind_port(m, stops)) {
		*left = (struct left){ .why = LEAVE_STOP, .at = m->regs->rip };
		return;
	}
	qemu_specials_find(m->qemu, stops);
	qemu_vcpu_send(m);
	e.until = clock_now() + m->host->timeout;
	while (!go(&e))
		;
}
