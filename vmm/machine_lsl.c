/* SPDX-License-Identifier: MIT */
/* machine_lsl.c: LSL, the one instruction that the bench executes for a KVM that does not: one step, as the processor would make it. */
#include "vmm/machine_lsl.h"

#include "vmm/decode.h"
#include "vmm/state.h"

#define RFLAGS_ZF (1ull << 6)

void machine_lsl_ask(struct machine *m)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_ON_EMULATION_FAILURE, .args = { 1 } };

	if (kvm_try(m->host->kvm.sys_fd, KVM_CHECK_EXTENSION, (void *)(uintptr_t)cap.cap) > 0)
		KVM_DO(m->vm_fd, KVM_ENABLE_CAP, &cap);
}

static bool decoded(const struct machine *m, struct insn_lsl *insn)
{
	const struct kvm_run *k = m->run;

	return k->exit_reason == KVM_EXIT_INTERNAL_ERROR && k->emulation_failure.suberror == KVM_INTERNAL_ERROR_EMULATION &&
	       k->emulation_failure.ndata && k->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES &&
	       decode_lsl(k->emulation_failure.insn_bytes, k->emulation_failure.insn_size, insn);
}

/* struct kvm_regs has them in an order of its own. */
__u64 *machine_lsl_gpr(struct machine *m, unsigned number)
{
	struct kvm_regs *r = m->regs;
	__u64 *const low[] = { &r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi };

	return number < 8 ? low[number] : &r->r8 + (number - 8);
}

enum lsl_result machine_lsl_result(const struct machine *m, uint16_t selector, uint32_t *limit)
{
	const struct kvm_sregs *q = m->sregs;
	const struct lsl_machine cpu = {
		.mem = &m->mem, .cr3 = q->cr3, .cpl = q->cs.selector & 3,
		.gdt = { q->gdt.base, q->gdt.limit, true }, .ldt = { q->ldt.base, q->ldt.limit, !q->ldt.unusable },
	};

	return lsl_limit(&cpu, selector, limit);
}

/* A completed instruction ends the shadow of the one before, and clears RF. With TF a #DB would be due: no kernel code here has it. */
static void complete(struct machine *m, unsigned length, bool zf)
{
	m->regs->rip += length;
	m->regs->rflags = (m->regs->rflags & ~(RFLAGS_ZF | RFLAGS_RF)) | (zf ? RFLAGS_ZF : 0);
	machine_touched_regs(m);
	if (!m->events->interrupt.shadow)
		return;
	m->events->interrupt.shadow = 0;
	machine_touched_events(m);
}

bool machine_lsl(struct machine *m)
{
	struct insn_lsl insn;
	enum lsl_result r;
	uint32_t limit = 0;
	__u64 *to;

	if (!decoded(m, &insn) || m->regs->rflags & RFLAGS_TF)
		return false;
	r = machine_lsl_result(m, *machine_lsl_gpr(m, insn.from), &limit);
	if (r == LSL_FAULT)
		return false;
	to = machine_lsl_gpr(m, insn.to);
	if (r == LSL_LIMIT)
		*to = lsl_merge(*to, limit, insn.bits);
	complete(m, insn.length, r == LSL_LIMIT);
	m->lsls++;
	return true;
}
