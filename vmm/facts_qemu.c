/* SPDX-License-Identifier: MIT */
/* facts_qemu.c: what an engine of QEMU's does with the image under test, measured for doctor with the engine itself. */
#include "vmm/facts_qemu.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/apart.h"
#include "vmm/bench.h"
#include "vmm/case.h"
#include "vmm/die.h"
#include "vmm/facts.h"
#include "vmm/floor.h"
#include "vmm/inject.h"
#include "vmm/qemu_pool.h"
#include "vmm/walk.h"

#define MOST_BOUNDARIES 1000
#define FLOOR_SECONDS 0.2

/* The first visit to each kernel boundary, in the order of the golden run. */
struct look {
	struct options options;
	struct qemu_facts *out;         /* seen by both processes */
	struct bench bench;
	struct cpu_state way[MOST_BOUNDARIES];
};

/* Delivered at this boundary and to its gate, with the bases as they were. What the guest makes of it is not looked at. */
static bool is_at_gate(struct session *s, const struct cpu_state *before, enum event event)
{
	struct cpu_state now = { 0 };
	struct hardware_frame pushed;

	machine_get(&s->machine, MACHINE_CORE | MACHINE_I, &now);
	session_read(s, now.gpr[GPR_RSP], &pushed, sizeof(pushed));
	return now.rip == s->layout.gate[event_vector(event)] && now.a == before->a && now.i == before->i && pushed.rip == before->rip &&
	       pushed.cs == before->cs && pushed.rsp == before->gpr[GPR_RSP];
}

static void see_event(struct session *s, const struct case_start *start, enum event event, struct qemu_facts *out)
{
	s->run.ipi = 0;
	stops_set(&s->stops, s->layout.gate[event_vector(event)]);
	inject_event(&s->machine, event, &start->state);
	run_to_stop(&s->run);
	out->came[event] += is_at_gate(s, &start->before, event);
	case_put_back(s, start, false, false);
}

static bool see_boundary(struct session *s, const struct place *p, void *context)
{
	struct look *l = context;
	struct case_start start;

	if (p->visit->cpl || p->visit->number > 1 || l->out->boundaries == MOST_BOUNDARIES)
		return true;
	l->way[l->out->boundaries++] = *p->now;
	if (p->visit->shadow)
		return true;
	l->out->injectable++;
	walk_pause(s);
	case_begin(s, &start);
	for (enum event event = 0; event < EVENT_NMI_LIKE; event++)
		see_event(s, &start, event, l->out);
	walk_resume(s);
	return true;
}

/* By single steps, each kernel boundary of the program once. */
static void see_way(struct look *l)
{
	struct session *s = facts_session(&l->bench);
	struct walk_result golden;

	walk_golden(s, see_boundary, l, &golden);
	facts_session_close(s);
}

static bool same_state(const struct cpu_state *x, const struct cpu_state *y)
{
	return x->rip == y->rip && x->rflags == y->rflags && x->cs == y->cs && x->a == y->a && x->i == y->i &&
	       !memcmp(x->gpr, y->gpr, sizeof(x->gpr));
}

static bool same_saved(const struct machine_state *x, const struct machine_state *y)
{
	return !memcmp(&x->regs, &y->regs, sizeof(x->regs)) && !memcmp(&x->debug, &y->debug, sizeof(x->debug)) &&
	       !memcmp(x->msr, y->msr, SAVED_MSRS * sizeof(x->msr[0])) && x->sregs.gs.base == y->sregs.gs.base && x->sregs.cr2 == y->sregs.cr2 &&
	       x->events.nmi.masked == y->events.nmi.masked;
}

/* Loaded, and then what QEMU itself says that it has. */
static bool load_and_save(struct machine *m, const struct machine_state *state)
{
	struct machine_state now;

	machine_restore(m, state);
	machine_flush(m);
	m->qemu->deep = false;
	machine_save(m, &now);
	return same_saved(&now, state);
}

static bool loads(struct machine *m)
{
	struct machine_state old, other;

	machine_save(m, &old);
	other = old;
	other.regs.rax = ~old.regs.rax;
	other.regs.r15 = ~old.regs.r15;
	other.sregs.gs.base ^= PAGE_SIZE;
	other.sregs.cr2 ^= PAGE_SIZE;
	other.debug.db[0] ^= PAGE_SIZE;
	other.msr[SAVED_KERNEL_GS_BASE] ^= PAGE_SIZE;
	other.events.nmi.masked ^= 1;
	return load_and_save(m, &other) & load_and_save(m, &old);       /* both, whatever comes of the first */
}

/* The same way by breakpoints, in a guest that nothing is injected into. */
static void see_stops(struct look *l)
{
	struct session *s = facts_session(&l->bench);
	struct cpu_state now = { 0 };

	for (unsigned n = 0; n < l->out->boundaries; n++) {
		stops_set(&s->stops, l->way[n].rip);
		run_to_stop(&s->run);
		stops_clear(&s->stops);
		machine_get(&s->machine, MACHINE_CORE | MACHINE_I, &now);
		if (!same_state(&now, &l->way[n]))
			break;
		l->out->same++;
		l->out->loaded += loads(&s->machine);
	}
	facts_session_close(s);
}

/* In the process of its own. */
static void look(void *context)
{
	struct look *l = context;
	struct bench *b = &l->bench;
	struct qemu_facts *f = l->out;
	struct machine m;

	bench_start(b, &l->options);
	memcpy(f->version, b->host.qemu->version, sizeof(f->version));
	machine_create(&m, &b->host, ABI_RAM_SIZE);
	machine_destroy(&m);
	f->answers = true;
	facts_measure(b);
	f->host = b->facts;
	f->boots = true;
	see_way(l);
	see_stops(l);
	f->steps_one = floor_exits_per_second(b, 1, FLOOR_SECONDS);
	f->steps_all = floor_exits_per_second(b, l->options.jobs, FLOOR_SECONDS);
	bench_close(b);
}

void facts_qemu(const struct options *o, enum engine_choice engine, struct qemu_facts *out)
{
	struct look *l = xcalloc(1, sizeof(*l));

	l->options = *o;
	l->options.engine = engine;
	l->out = apart_memory(sizeof(*out));
	apart_do(look, l, out->why, sizeof(out->why));
	memcpy(l->out->why, out->why, sizeof(out->why));
	*out = *l->out;
	apart_free(l->out, sizeof(*out));
	free(l);
}
