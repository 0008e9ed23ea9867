/* SPDX-License-Identifier: MIT */
/* canary.c: the judge must be seen to look: damage that the bench does itself, each to be reported by its rule. */
#include "vmm/canary.h"

#include <string.h>

#include "vmm/case.h"
#include "vmm/msr.h"
#include "vmm/walk.h"

static void damage_a(struct session *s, const struct cpu_state *now)
{
	machine_sregs(&s->machine)->gs.base = now->a ^ 0x1000;
	machine_touched_sregs(&s->machine);
}

static void damage_i(struct session *s, const struct cpu_state *now)
{
	machine_set_msr(&s->machine, MSR_KERNEL_GS_BASE, now->i ^ 0x1000);
}

static void damage_gpr(struct session *s, const struct cpu_state *now)
{
	machine_regs(&s->machine)->r12 = ~now->gpr[GPR_R12];
	machine_touched_regs(&s->machine);
}

static void damage_rsp(struct session *s, const struct cpu_state *now)
{
	machine_regs(&s->machine)->rsp = now->gpr[GPR_RSP] - 0x8000;
	machine_touched_regs(&s->machine);
}

static void damage_mask(struct session *s, const struct cpu_state *now)
{
	machine_events(&s->machine)->nmi.masked = !now->nmi_masked;
	machine_touched_events(&s->machine);
}

static void damage_dr7(struct session *s, const struct cpu_state *now)
{
	struct kvm_debugregs d;

	(void)now;
	machine_get_debug(&s->machine, &d);
	d.dr7 = ABI_DR7_ARMED;
	machine_set_debug(&s->machine, &d);
}

static void flip_byte(struct session *s, gva_t at)
{
	gpa_t gpa;
	uint8_t *byte;

	if (!mem_walk(&s->machine.mem, machine_sregs(&s->machine)->cr3, at, &gpa, NULL))
		return;
	byte = mem_at(&s->machine.mem, gpa, 1);
	*byte ^= 0x80;
	machine_mark_dirty(&s->machine, gpa);
}

/* The saved RIP, lowest of the five words. */
static void damage_frame(struct session *s, const struct cpu_state *now)
{
	flip_byte(s, now->gpr[GPR_RSP]);
}

/* The handler's own counting goes to the other CPU's area: a store of the guest's, which the bench must notice by itself. */
static void damage_memory(struct session *s, const struct cpu_state *now)
{
	(void)now;
	machine_sregs(&s->machine)->gs.base = s->layout.k_other;
	machine_touched_sregs(&s->machine);
}

static const struct canary {
	const char *name;
	enum rule expected;
	unsigned cpl;                   /* of the boundary where the NMI is injected */
	struct sabotage sabotage;
} canaries[CANARIES] = {
	{ "active GS base", RULE_HANDLER_GS, 0, { CASE_HANDLER, false, damage_a } },
	{ "inactive GS base", RULE_TRANSPARENT, 0, { CASE_BACK, false, damage_i } },
	{ "frame word", RULE_FRAME, 0, { CASE_GATE, false, damage_frame } },
	{ "general register", RULE_TRANSPARENT, 0, { CASE_BACK, false, damage_gpr } },
	{ "stack pointer", RULE_HANDLER_STACK, 0, { CASE_HANDLER, false, damage_rsp } },
	{ "NMI mask", RULE_MASKING, 3, { CASE_BACK, false, damage_mask } },
	{ "DR7", RULE_DEBUG, 0, { CASE_BODY, false, damage_dr7 } },
	{ "word of memory", RULE_TRANSPARENT, 0, { CASE_BODY, false, damage_memory } },
	{ "delivery", RULE_DELIVERY, 0, { CASE_GATE, true, NULL } },
};

static void run_canary(struct session *s, const struct case_start *start, const struct canary *c, struct canary_result *r)
{
	struct case_options options = { .sabotage = &c->sabotage };
	struct case_result result;

	case_inject(s, start, EVENT_NMI, &options, &result);
	r->ran = true;
	r->breach = result.breach;
	r->caught = result.breach.broken && result.breach.rule == c->expected;
}

/* The first boundary of entry text where A is K, and the first at CPL 3, will do. */
static bool visit(struct session *s, const struct place *p, void *context)
{
	struct canary_result *out = context;
	bool suitable = p->visit->cpl == 3 || (p->visit->a == CLASS_K && range_has(&s->layout.entry_text, p->visit->rip));
	struct case_start start;
	unsigned left = 0;

	if (!suitable || p->visit->raised)
		return true;
	walk_pause(s);
	case_begin(s, &start);
	for (unsigned n = 0; n < CANARIES; n++) {
		if (!out[n].ran && canaries[n].cpl == p->visit->cpl)
			run_canary(s, &start, &canaries[n], &out[n]);
		left += !out[n].ran;
	}
	walk_resume(s);
	return left;
}

bool canary_run(const struct bench *bench, const struct unit *unit, struct canary_result out[CANARIES], char *err,
		size_t err_size)
{
	struct walk_result walk;
	struct session s;

	for (unsigned n = 0; n < CANARIES; n++)
		out[n] = (struct canary_result){ .name = canaries[n].name, .expected = canaries[n].expected };
	if (!session_open(&s, bench, unit, err, err_size))
		return false;
	walk_golden(&s, visit, out, &walk);
	session_close(&s);
	return true;
}
