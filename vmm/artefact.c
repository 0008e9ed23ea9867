/* SPDX-License-Identifier: MIT */
/* artefact.c: what a host does that the architecture does not, undone as if it had not been. */
#include "vmm/artefact.h"

#include <string.h>

#include "guest/abi.h"
#include "vmm/msr.h"
#include "vmm/run.h"

#define TSS_RSP0 4
#define EFER_SCE 1
#define GATE_PRESENT_DPL3 7             /* bits 47 to 45 of a gate */
#define ERROR_USER 4                    /* #PF error code: from CPL 3; bit 0 may be set besides */

/* What the processor pushes for an exception with an error code, lowest address first. */
struct pushed {
	uint64_t error, rip, cs, rflags, rsp, ss;
};

void artefact_prepare(struct run *r)
{
	struct machine *m = r->machine;
	const struct kvm_sregs *s = machine_sregs(m);
	uint64_t rsp0;
	gpa_t top;
	void *p = NULL;

	r->cr2_before = s->cr2;
	r->rsp0_frame = 0;
	if (mem_read(&m->mem, s->cr3, s->tr.base + TSS_RSP0, &rsp0, sizeof(rsp0)) &&
	    mem_walk(&m->mem, s->cr3, (rsp0 & ~15ull) - sizeof(struct pushed), &top, NULL))
		p = mem_at(&m->mem, top, sizeof(struct pushed));
	if (!p)
		return;
	r->rsp0_frame = top;
	memcpy(r->under_frame, p, sizeof(r->under_frame));
}

/* The frame just pushed, at RSP if the vector has an error code, if it came from CPL 3. */
static bool pushed_from_user(struct run *r, gva_t at, struct pushed *f)
{
	struct machine *m = r->machine;

	return mem_read(&m->mem, machine_sregs(m)->cr3, at, f, sizeof(*f)) && (f->cs & 3) == 3;
}

/* What was kept lay where the frame has been pushed, unless RSP0 has changed since: then another thread's stack has it, which is idle while
 * its user code runs. */
static bool is_kept(struct run *r)
{
	struct machine *m = r->machine;
	gpa_t pushed;

	return r->rsp0_frame && mem_walk(&m->mem, machine_sregs(m)->cr3, machine_regs(m)->rsp, &pushed, NULL) && pushed == r->rsp0_frame;
}

/* The exception never happened: its frame is gone and CR2 is what it was. RF was set by the exception. */
static void forget_exception(struct run *r, const struct pushed *f)
{
	struct kvm_regs *regs = machine_regs(r->machine);

	if (is_kept(r))
		memcpy(mem_at(&r->machine->mem, r->rsp0_frame, sizeof(r->under_frame)), r->under_frame, sizeof(r->under_frame));
	machine_sregs(r->machine)->cr2 = r->cr2_before;
	regs->rip = f->rip;
	regs->rsp = f->rsp;
	regs->rflags = f->rflags & ~RFLAGS_RF;
	machine_touched_regs(r->machine);
	machine_touched_sregs(r->machine);
}

bool artefact_user_stop(struct run *r)
{
	struct pushed f;

	if (!pushed_from_user(r, machine_regs(r->machine)->rsp, &f) || !stops_is_set(r->stops, f.rip))
		return false;
	forget_exception(r, &f);
	machine_set_user(r->machine, f.cs, f.ss);
	r->user_stops++;
	return true;
}

static bool after_syscall_insn(struct run *r, uint64_t rcx)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(r->stops, rcx - 2, &left);

	return bytes && left >= 2 && bytes[0] == 0x0f && bytes[1] == 0x05;
}

bool artefact_syscall(struct run *r)
{
	struct machine *m = r->machine;
	struct kvm_regs *regs = machine_regs(m);
	struct pushed f;
	uint64_t star;

	if (!pushed_from_user(r, regs->rsp, &f) || !(f.error & ERROR_USER) || !after_syscall_insn(r, regs->rcx))
		return false;
	if (!(machine_get_msr(m, MSR_EFER) & EFER_SCE) || f.rip != machine_get_msr(m, MSR_LSTAR))
		return false;
	forget_exception(r, &f);
	regs->rflags = (regs->r11 & ~machine_get_msr(m, MSR_FMASK)) | RFLAGS_FIXED;
	star = machine_get_msr(m, MSR_STAR) >> 32;
	machine_set_cpl(m, 0, star & 0xfffc, (star & 0xfffc) + 8);
	r->syscall_assists++;
	return true;
}

/* The length of the INT n or INT3 there, and which vector it asks for; 0 if it is neither. */
static unsigned int_there(struct run *r, uint64_t rip, unsigned *vector)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(r->stops, rip, &left);

	if (bytes && left >= 1 && bytes[0] == 0xcc) {
		*vector = ABI_VECTOR_BP;
		return 1;
	}
	if (!bytes || left < 2 || bytes[0] != 0xcd)
		return 0;
	*vector = bytes[1];
	return 2;
}

/* The gate's lower half, if user code may ask for it: present and DPL 3. */
static bool may_be_called(const struct machine *m, unsigned vector)
{
	const struct kvm_sregs *s = m->sregs;
	uint64_t gate;

	return 16 * vector + 15 <= s->idt.limit && mem_read(&m->mem, s->cr3, s->idt.base + 16 * vector, &gate, sizeof(gate)) &&
	       (gate >> 45 & 7) == GATE_PRESENT_DPL3;
}

bool artefact_int(struct run *r)
{
	struct machine *m = r->machine;
	struct kvm_regs *regs = machine_regs(m);
	const gva_t at = regs->rsp - sizeof(uint64_t);  /* #UD has no error code */
	struct pushed f;
	unsigned vector, length;

	if (!pushed_from_user(r, at, &f))
		return false;
	length = int_there(r, f.rip, &vector);
	if (!length || !may_be_called(m, vector))
		return false;
	f.rip += length;
	f.rflags &= ~RFLAGS_RF;
	mem_write(&m->mem, machine_sregs(m)->cr3, at, &f, sizeof(f));
	regs->rip = machine_gate(m, vector);
	machine_touched_regs(m);
	r->int_assists++;
	return true;
}
