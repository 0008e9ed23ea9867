/* SPDX-License-Identifier: MIT */
/* t-map-why.c: which events are injected at a planned visit, and the reason that is given for those that are not. */
#include <stdio.h>
#include <string.h>

#include "tap/tap.h"
#include "vmm/map.h"

#define IRQS     (1 << EVENT_IRQ | 1 << EVENT_TIMER)
#define NMI_LIKE ((1 << EVENT_RETURNING) - 1 - IRQS)
#define NMIS     (1 << EVENT_NMI | 1 << EVENT_NMI_RESCHED)
#define ASKING   (1 << EVENT_NMI_RESCHED | 1 << EVENT_MCE_RESCHED | 1 << EVENT_DB_RESCHED | 1 << EVENT_TIMER)
#define GP       (1 << EVENT_GP | 1 << EVENT_PF)
#define DEBUG    (1 << EVENT_DB | 1 << EVENT_DB_RESCHED)

/* One of the reasons, which are separated by '|'. */
static bool gives(const char *says, const char *why)
{
	char one[100];
	size_t length = strcspn(why, "|");

	snprintf(one, sizeof(one), "%.*s", (int)length, why);
	return strstr(says, one) || (why[length] && gives(says, why + length + 1));
}

/* A visit where all is injected, with this done to it: which events are not, and why. */
static void why_not(struct visit v, unsigned events, const char *why, const char *name)
{
	unsigned good = 0;

	for (enum event e = 0; e < EVENT_COUNT; e++) {
		const char *says = map_why_not(&v, e);

		good += events >> e & 1 ? says && gives(says, why) : !says;
		if (says)
			printf("# %s: %s\n", event_name(e), says);
	}
	is_u64(good, EVENT_COUNT, "%s", name);
}

static void test_why_not(void)
{
	struct visit all = { .interrupts = true, .inject = true, .inject_irq = true, .dr7_armed = true, .no_ist = true }, v;

	why_not(all, 0, "", "planned, with DR7 armed, IF = 1, and a death predicted: everything");
	v = all;
	v.shadow = true;
	why_not(v, NMI_LIKE | GP | IRQS, "interrupt shadow", "in a shadow: nothing");
	v = all;
	v.no_idt = true;
	why_not(v, NMI_LIKE | GP | IRQS, "no IDT", "a CPU without an IDT: nothing");
	v = all;
	v.no_timer = true;
	why_not(v, 1 << EVENT_TIMER, "in user code alone", "a timer that takes the thread away, in the kernel: not the timer");
	v = all;
	v.interrupts = false;
	why_not(v, IRQS, "IF is 0", "IF = 0: no interrupt");
	v = all;
	v.inject_irq = false;
	why_not(v, IRQS, "does not plan", "interrupts not planned: none");
	v = all;
	v.inject = false;
	why_not(v, NMI_LIKE | GP, "does not plan", "NMI-like events not planned: nothing but interrupts");
	v = all;
	v.no_ist = false;
	why_not(v, GP, "no death is predicted", "no death predicted: no #GP, no #PF");
	v.inject = v.inject_irq = false;
	why_not(v, NMI_LIKE | GP | IRQS, "does not plan", "what is not planned is said before that");
	v = all;
	v.dr7_armed = false;
	why_not(v, DEBUG, "DR7 is disarmed", "DR7 disarmed: no #DB");
	v = all;
	v.nmi_masked = true;
	why_not(v, NMIS, "NMIs are masked", "NMIs masked: none of them");
	v = all;
	v.raised = ABI_VECTOR_MC;
	why_not(v, ASKING, "no reschedule", "in a handler of the golden run: none that asks for a reschedule");
	v = all;
	v.raised = ABI_VECTOR_DB;
	why_not(v, ASKING, "no reschedule", "in that of a #DB on its stack: the same");
	v.db_mixes = true;
	why_not(v, ASKING | 1 << EVENT_DB, "#DB|no reschedule", "in that of a #DB: no #DB either");
	v = all;
	v.dr7_armed = false;
	v.inject = v.inject_irq = false;
	why_not(v, NMI_LIKE | GP | IRQS, "does not plan", "what is not planned is said before DR7");
	v.shadow = true;
	v.interrupts = false;
	why_not(v, NMI_LIKE | GP | IRQS, "interrupt shadow", "and the shadow before all else");
}

int main(void)
{
	plan(16);
	test_why_not();
	return done();
}
