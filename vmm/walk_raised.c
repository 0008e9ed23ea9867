/* SPDX-License-Identifier: MIT */
/* walk_raised.c: the events that the golden run brings itself (an OUT, or a #DB that is due): from the gate to the way back. */
#include "vmm/walk_raised.h"

#include "vmm/case_context.h"
#include "vmm/case_exit.h"
#include "vmm/inject.h"

enum event walk_raised_of(unsigned vector)
{
	for (enum event e = 0; e < EVENT_NMI_LIKE; e++)
		if (event_vector(e) == vector)
			return e;
	return EVENT_COUNT;
}

static struct injected raised_event(struct session *s)
{
	return (struct injected){ s->raised.event, s->raised.dr6, &s->raised.before, &s->model, false, false };
}

/* The length of the OUT by which the guest has sent itself this event; 0 if the instruction was another. */
static unsigned raising_length(const struct session *s, const struct cpu_state *at, enum event event)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(&s->stops, at->rip, &left);

	if (!bytes || left < 2 || (at->gpr[GPR_RAX] & 0xff) != event_vector(event))
		return 0;
	if (bytes[0] == 0xe6)
		return bytes[1] == ABI_PORT_IPI ? 2 : 0;
	return bytes[0] == 0xee && (at->gpr[GPR_RDX] & 0xffff) == ABI_PORT_IPI;
}

/* It came at the boundary after the OUT, or after the instruction that hit, which the walk has not seen yet. Delivery has changed
 * neither A nor I. */
void walk_raised_gate(struct walk_judge *w, struct session *s, const struct cpu_state *now, enum event event)
{
	struct raised *r = &s->raised;
	unsigned length = raising_length(s, &w->last, event);
	bool hit = w->hit && event == EVENT_DB;
	struct hardware_frame f;
	struct injected in;

	judge_at(&s->judge, "gate", now);
	if (!judge_check(&s->judge, RULE_PROGRESS, hit || length, "%s came, and nobody has raised it", event_name(event)))
		return;
	*r = (struct raised){
		.active = true, .number = r->number + 1, .event = event, .dr6 = hit ? w->hit : INJECT_DR6,
		.before = hit ? w->after_hit : w->last,
	};
	r->before.rip += hit ? 0 : length;
	r->before.i = now->i;
	r->context = case_context(s);
	if (event == EVENT_NMI)
		case_exit_nmi_gate(s, &r->before);
	in = raised_event(s);
	session_read(s, now->gpr[GPR_RSP], &f, sizeof(f));
	judge_gate(&s->judge, &in, now, &f);
}

/* A gate's first instruction is also somebody's jump away: delivery leaves RSP five words below the top. */
static bool is_delivered(const struct session *s, const struct cpu_state *now, enum event event)
{
	const struct kernel_stack *own = layout_stack_of(&s->layout, event_vector(event), 0);

	return own && now->gpr[GPR_RSP] == own->base + own->size - sizeof(struct hardware_frame);
}

/* Of two at a time only the first is followed; the other must have been raised all the same. */
void walk_raised_inside(struct walk_judge *w, struct session *s, const struct cpu_state *now, enum event event)
{
	if (!is_delivered(s, now, event))
		return;
	judge_at(&s->judge, "gate", now);
	judge_check(&s->judge, RULE_PROGRESS, raising_length(s, &w->last, event), "%s came inside the handler of %s, and nobody has raised it",
		    event_name(event), event_name(s->raised.event));
	s->raised.nested = true;
}

void walk_raised_stop(struct session *s, struct cpu_state *now)
{
	const struct event_code *code = &s->layout.event[s->raised.event];
	struct injected in = raised_event(s);
	struct abi_frame saved;

	if (now->rip == code->handler) {
		session_read(s, now->gpr[GPR_RDI], &saved, sizeof(saved));
		judge_at(&s->judge, "handler", now);
		judge_handler(&s->judge, &in, now, &saved);
		case_context_handler(s, &in, s->raised.context);
	} else if (now->rip == code->body) {
		machine_get(&s->machine, MACHINE_DEBUG, now);
		judge_at(&s->judge, "body", now);
		judge_body(&s->judge, &in, now);
		case_context_body(s, s->raised.context);
	} else if (now->rip == in.before->rip && now->gpr[GPR_RSP] == in.before->gpr[GPR_RSP]) {
		machine_get(&s->machine, MACHINE_DEBUG, now);
		judge_at(&s->judge, "back", now);
		judge_raised_back(&s->judge, &in, now);
		case_judge_context(s, s->raised.context);
		s->raised.active = false;
	}
}
