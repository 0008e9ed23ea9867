/* SPDX-License-Identifier: MIT */
/* judge_event.c: an injected event on its way in: delivery, the gate, the C handler, the body. */
#include <stddef.h>
#include <string.h>

#include "vmm/judge.h"
#include "vmm/vector.h"

static bool is_paranoid(const struct injected *in)
{
	return cpu_cpl(in->before) == 0;
}

/* Where delivery begins to push (SDM vol. 3, 6.14.2 and 6.14.5): the top of the IST stack, or of the thread stack from CPL 3, or
 * the stack in use aligned to 16. */
static uint64_t expected_top(const struct judge *j, const struct injected *in)
{
	const struct kernel_stack *s = layout_stack_of(j->layout, event_vector(in->event), 0);

	if (event_is_interrupt(in->event) && !cpu_cpl(in->before))
		return in->before->gpr[GPR_RSP] & ~15ull;
	return s->base + s->size;
}

/* Delivery by an IST gate pushes five words below the top of the vector's own stack (SDM vol. 3, 6.14.5); RFLAGS is
 * saved as it is, RF included, for interrupts and trap-class exceptions (6.8.3, table 17-2 for #DB). */
void judge_gate(struct judge *j, const struct injected *in, const struct cpu_state *now,
		const struct hardware_frame *f)
{
	const struct cpu_state *b = in->before;
	bool masked = event_base(in->event) == EVENT_NMI || b->nmi_masked;

	judge_expect(j, b->a, b->i);
	judge_inactive(j, now);
	judge_equal(j, RULE_DELIVERY, "RIP at the gate", now->rip, j->layout->gate[event_vector(in->event)]);
	judge_equal(j, RULE_DELIVERY, "CPL at the gate", cpu_cpl(now), 0);
	judge_equal(j, RULE_DELIVERY, "the NMI mask at the gate", now->nmi_masked, masked);
	judge_equal(j, RULE_HANDLER_STACK, "RSP at the gate", now->gpr[GPR_RSP], expected_top(j, in) - sizeof(*f));
	judge_equal(j, RULE_FRAME, "saved RIP", f->rip, b->rip);
	judge_equal(j, RULE_FRAME, "saved CS", f->cs, b->cs);
	judge_equal(j, RULE_FRAME, "saved RFLAGS", f->rflags, b->rflags);
	judge_equal(j, RULE_FRAME, "saved RSP", f->rsp, b->gpr[GPR_RSP]);
	judge_equal(j, RULE_FRAME, "saved SS", f->ss, b->ss);
	for (unsigned n = 0; n < GPR_COUNT; n++)
		if (n != GPR_RSP)
			judge_equal(j, RULE_FRAME, gpr_name(n), now->gpr[n], b->gpr[n]);
}

/* What I must be in the C handler. From CPL 3 the entry swapped, so I is U. A paranoid entry of the schemes with FSGSBASE writes A
 * alone; that of scheme `swapgs` swaps if A looks like a user base. Under `pure` I never changes. */
static uint64_t expected_i(const struct judge *j, const struct injected *in)
{
	const struct cpu_state *b = in->before;

	if (j->scheme == SCHEME_PURE || !is_paranoid(in))
		return judge_i_kernel(j, in->user);
	if (j->scheme == SCHEME_SWAPGS && !(b->a >> 63))
		return b->a;
	return b->i;
}

static void judge_saved(struct judge *j, const struct cpu_state *b, const struct abi_frame *f, uint64_t rflags)
{
	const uint64_t saved[GPR_COUNT] = {
		f->rax, f->rcx, f->rdx, f->rbx, f->rsp, f->rbp, f->rsi, f->rdi,
		f->r8, f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15,
	};

	for (unsigned n = 0; n < GPR_COUNT; n++)
		judge_check(j, RULE_FRAME, saved[n] == b->gpr[n], "saved %s is %#lx, must be %#lx", gpr_name(n),
			    (unsigned long)saved[n], (unsigned long)b->gpr[n]);
	judge_equal(j, RULE_FRAME, "saved RIP", f->rip, b->rip);
	judge_equal(j, RULE_FRAME, "saved CS", f->cs, b->cs);
	judge_equal(j, RULE_FRAME, "saved RFLAGS", f->rflags, rflags);
	judge_equal(j, RULE_FRAME, "saved SS", f->ss, b->ss);
}

/* The frame lies on s, at its top if user code was left, and so does RSP, aligned as the ABI wants it at a function's first instruction. */
static void judge_stack(struct judge *j, const struct kernel_stack *s, const struct cpu_state *now, unsigned from_cpl)
{
	uint64_t rsp = now->gpr[GPR_RSP], frame = now->gpr[GPR_RDI], top = s->base + s->size;

	judge_check(j, RULE_HANDLER_STACK, rsp > s->base + s->slot_bytes && rsp < top,
		    "RSP is %#lx, must lie on the %s stack, %#lx to %#lx", (unsigned long)rsp, s->name,
		    (unsigned long)s->base, (unsigned long)top);
	judge_equal(j, RULE_HANDLER_STACK, "RSP modulo 16", rsp & 15, 8);
	if (from_cpl)
		judge_equal(j, RULE_HANDLER_STACK, "the frame's end", frame + sizeof(struct abi_frame), top);
	judge_check(j, RULE_HANDLER_STACK, frame > rsp && frame <= top - sizeof(struct abi_frame),
		    "the frame is at %#lx, must lie on the %s stack above RSP", (unsigned long)frame, s->name);
}

/* A handler in C may rely on DF = 0 (ABI), runs with IF = TF = NT = 0 (interrupt gate, SDM vol. 3, 6.12.1.3). */
static void judge_flags(struct judge *j, const struct cpu_state *now, bool ac_clear)
{
	uint64_t off = RFLAGS_DF | RFLAGS_IF | RFLAGS_TF | RFLAGS_NT | (ac_clear ? RFLAGS_AC : 0);

	judge_check(j, RULE_FLAGS, !(now->rflags & off), "RFLAGS is %#lx, must have none of %#lx",
		    (unsigned long)now->rflags, (unsigned long)off);
}

void judge_handler(struct judge *j, const struct injected *in, const struct cpu_state *now,
		   const struct abi_frame *saved)
{
	judge_expect(j, j->layout->k_own, expected_i(j, in));
	judge_equal(j, RULE_HANDLER_GS, "A", now->a, j->expected_a);
	judge_equal(j, RULE_HANDLER_GS, "I", now->i, j->expected_i);
	judge_equal(j, RULE_HANDLER_GS, "CPL", cpu_cpl(now), 0);
	judge_stack(j, judge_stack_of(j, in), now, cpu_cpl(in->before));
	judge_saved(j, in->before, saved, in->before->rflags);
	judge_equal(j, RULE_FRAME, "saved error code", saved->error, ABI_NO_ERROR);
	judge_flags(j, now, false);
}

/* RDGSBASE and WRGSBASE raise #UD while CR4.FSGSBASE is 0 (SDM vol. 2B), and scheme ist has executed them by then if kernel code was interrupted. */
void judge_offered(struct judge *j, const struct cpu_state *now)
{
	if (j->scheme != SCHEME_SWAPGS)
		judge_check(j, RULE_PROGRESS, now->cr4 & CR4_FSGSBASE, "CR4.FSGSBASE is 0 in a handler of scheme ist, whose entry needs it");
}

void judge_body(struct judge *j, const struct injected *in, const struct cpu_state *now)
{
	judge_expect(j, j->layout->k_own, expected_i(j, in));
	judge_inactive(j, now);
	judge_flags(j, now, false);
	judge_equal(j, RULE_DEBUG, "DR7 in the body", now->dr7, ABI_DR7_DISARMED);
	if (event_base(in->event) != EVENT_DB)
		return;
	judge_equal(j, RULE_DEBUG, "DR6 handed over", now->gpr[GPR_RSI], in->dr6);
	judge_equal(j, RULE_DEBUG, "DR6 in the body", now->dr6, ABI_DR6_RESET);
}

/* What an exception of the program saves. A fault: the instruction that faulted, and RF = 1, so that an instruction breakpoint
 * does not hit again on the way back (SDM vol. 3, 17.3.1.1). INT3 and INT n are traps: the boundary after them, RF as it was (table 6-1);
 * an interrupt: the boundary at which it came, RF as it was. */
static struct cpu_state saved_by(const struct judge *j, const struct cpu_state *b, unsigned vector)
{
	bool fault = !vector_called_by(vector) && !vector_is_interrupt(vector);
	struct cpu_state saved = *b;

	saved.rip += vector_called_by(vector);
	saved.rflags |= fault && !j->faults_keep_rf ? RFLAGS_RF : 0;
	return saved;
}

/* A gate without IST: the thread stack's top from CPL 3, else the stack in use aligned to 16 (SDM vol. 3, 6.14.2). */
void judge_ordinary_gate(struct judge *j, const struct cpu_state *b, const struct cpu_state *now,
			 const struct hardware_frame *f, unsigned error_bytes)
{
	const struct kernel_stack *thread = layout_stack_of(j->layout, 0, 3);
	uint64_t top = cpu_cpl(b) ? thread->base + thread->size : b->gpr[GPR_RSP] & ~15ull;
	struct cpu_state saved = saved_by(j, b, layout_gate_vector(j->layout, now->rip));

	judge_expect(j, b->a, b->i);
	judge_equal(j, RULE_HANDLER_STACK, "RSP at the gate", now->gpr[GPR_RSP], top - sizeof(*f) - error_bytes);
	for (unsigned n = 0; n < GPR_COUNT; n++)
		if (n != GPR_RSP)
			judge_equal(j, RULE_FRAME, gpr_name(n), now->gpr[n], b->gpr[n]);
	judge_equal(j, RULE_FRAME, "saved RIP", f->rip, saved.rip);
	judge_equal(j, RULE_FRAME, "saved CS", f->cs, b->cs);
	judge_equal(j, RULE_FRAME, "saved RFLAGS", f->rflags, saved.rflags);
	judge_equal(j, RULE_FRAME, "saved RSP", f->rsp, b->gpr[GPR_RSP]);
	judge_equal(j, RULE_FRAME, "saved SS", f->ss, b->ss);
	judge_equal(j, RULE_DELIVERY, "CPL at the gate", cpu_cpl(now), 0);
}

/* SYSCALL leaves no frame in memory: its entry builds one in which RIP is RCX and RFLAGS is R11. */
static void judge_syscall_saved(struct judge *j, const struct cpu_state *b, const struct abi_frame *f)
{
	struct cpu_state after = *b;

	after.rip = b->rip + 2;                 /* the length of SYSCALL */
	after.gpr[GPR_RCX] = after.rip;
	after.gpr[GPR_R11] = b->rflags;
	after.gpr[GPR_RAX] = f->rax;            /* the result's place: its first value is the kernel's own */
	judge_saved(j, &after, f, b->rflags);
	judge_equal(j, RULE_FRAME, "saved system call number", f->error, b->gpr[GPR_RAX]);
}

/* What I must be in the C handler of an ordinary exception: U if user code has raised it. In the kernel it stays, whoever's it is in the middle
 * of a switch; only at the fixups where A is U the entry swaps. */
static uint64_t ordinary_i(const struct judge *j, const struct cpu_state *b, const struct model *user)
{
	if (cpu_cpl(b))
		return judge_i_kernel(j, user);
	return layout_fixup(j->layout, b->rip) ? b->a : b->i;
}

/* b: what was interrupted; from CPL 0 its stack stays in use. */
static void judge_in_c(struct judge *j, const struct cpu_state *b, const struct cpu_state *now, bool ac_clear,
		       const struct model *user)
{
	unsigned used = cpu_cpl(b) ? LAYOUT_STACK_USER : layout_stack(j->layout, b->gpr[GPR_RSP]);
	const struct kernel_stack *s = used == LAYOUT_STACK_USER ? layout_stack_of(j->layout, 0, 3) : &j->layout->stack[used];

	judge_expect(j, j->layout->k_own, ordinary_i(j, b, user));
	judge_equal(j, RULE_HANDLER_GS, "A", now->a, j->expected_a);
	judge_equal(j, RULE_HANDLER_GS, "I", now->i, j->expected_i);
	judge_equal(j, RULE_HANDLER_GS, "CPL", cpu_cpl(now), 0);
	judge_stack(j, s, now, cpu_cpl(b));
	judge_flags(j, now, ac_clear);
}

void judge_ordinary_handler(struct judge *j, const struct cpu_state *b, const struct cpu_state *now,
			    const struct abi_frame *saved, int vector, const struct model *user)
{
	struct cpu_state state;

	judge_in_c(j, b, now, vector < 0, user);
	if (vector < 0) {
		judge_syscall_saved(j, b, saved);
		return;
	}
	state = saved_by(j, b, vector);
	judge_saved(j, &state, saved, state.rflags);
}

void judge_refused_iret(struct judge *j, const struct cpu_state *refused, const struct cpu_state *now,
			const struct abi_frame *saved, const struct model *user)
{
	judge_in_c(j, refused, now, false, user);
	judge_saved(j, refused, saved, refused->rflags);
}
