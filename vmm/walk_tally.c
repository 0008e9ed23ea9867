/* SPDX-License-Identifier: MIT */
/* walk_tally.c: the boundaries of the golden run as the tally wants them. */
#include "vmm/walk_tally.h"

/* A kernel that has no function of this name has nothing there to tell. */
static struct range function(const struct session *s, const char *name)
{
	const struct elf_symbol *f = elf_symbol(s->bench->elf, name);

	return f ? (struct range){ f->addr, f->addr + f->size } : (struct range){ 0, 0 };
}

void walk_tally_begin(struct walk_tally *w, const struct session *s)
{
	*w = (struct walk_tally){ .check = function(s, "trap_check_entry"), .reschedule = function(s, "thread_reschedule"), .to = function(s, "switch_to") };
}

/* IF is 0 in a switch, and nothing but a fault of its own comes there. */
static bool is_switching(struct walk_tally *w, uint64_t rip, const struct insn *insn)
{
	bool own = range_has(&w->reschedule, rip) || range_has(&w->to, rip);

	w->switching = rip == w->reschedule.start || (w->switching && !w->last_returns);
	w->last_returns = own && insn && insn->is_return == RETURN_NEAR;
	return w->switching;
}

void walk_tally(struct walk_tally *w, struct session *s, const struct cpu_state *now)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(&s->stops, now->rip, &left);
	int gate = layout_gate_vector(&s->layout, now->rip);
	struct insn insn;
	const struct insn *known = bytes && decode_insn(bytes, left, now->rip, &insn) ? &insn : NULL;
	const struct tally_visit v = {
		.cpl = cpu_cpl(now), .rsp = now->gpr[GPR_RSP], .vector = gate < 0 ? TALLY_NONE : gate, .insn = known,
		.left_out = range_has(&w->check, now->rip),
		.switching = is_switching(w, now->rip, known), .switch_begins = now->rip == w->to.start,
	};

	tally_visit(&w->tally, &v);
}
