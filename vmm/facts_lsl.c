/* SPDX-License-Identifier: MIT */
/* facts_lsl.c: whether an LSL of the kernel's can run on this host, by itself or with the bench's assistance. */
#include "vmm/facts.h"
#include "vmm/machine_lsl.h"

static uint64_t any_lsl(const struct session *s, struct insn_lsl *insn)
{
	const struct text_range *r = &s->stops.range[0];

	for (size_t n = 0; n < r->starts.count; n++) {
		uint64_t offset = r->starts.addr[n] - r->va;

		if (decode_lsl(r->plain + offset, r->size - offset, insn))
			return r->starts.addr[n];
	}
	return 0;
}

/* Of the segment that scheme lsl asks for. It must lead to the next boundary, with the limit that the manual gives. */
void facts_lsl(struct session *s, struct host_facts *f)
{
	const struct kernel_stack *thread = layout_stack_of(&s->layout, 0, 3);
	struct machine *m = &s->machine;
	uint64_t before = m->lsls, at;
	struct insn_lsl insn;
	struct cpu_state now;
	uint32_t limit;

	at = any_lsl(s, &insn);
	machine_get(m, MACHINE_ALL, &now);      /* the tables' places do not come with every exit of every engine */
	if (!at || machine_lsl_result(m, ABI_CPU_NUMBER, &limit) != LSL_LIMIT)
		return;
	facts_stand_at(s, at, thread->base + thread->size, 0);
	*machine_lsl_gpr(m, insn.from) = ABI_CPU_NUMBER;
	machine_touched_regs(m);
	f->lsl = run_one(&s->run).kind == STOP_BOUNDARY && machine_regs(m)->rip == at + insn.length &&
		 *machine_lsl_gpr(m, insn.to) == limit;
	f->lsl_native = f->lsl && m->lsls == before;
}
