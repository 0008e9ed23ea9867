/* SPDX-License-Identifier: MIT */
/* walk_watch.c: which #DB a data watchpoint or a single step owes the golden run: a trap behind the instruction that has touched what the user program
 * watches, whoever executes it, or that user code has begun with TF. */
#include "vmm/walk_watch.h"

#include <string.h>

#include <Zydis/Zydis.h>

struct access {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	const ZydisDecodedOperand *memory;
	uint64_t addr;
};

static uint64_t gpr_value(const struct cpu_state *at, ZydisRegister r)
{
	if (r == ZYDIS_REGISTER_NONE || ZydisRegisterGetClass(r) != ZYDIS_REGCLASS_GPR64)
		return 0;
	return at->gpr[ZydisRegisterGetId(r)];
}

static uint64_t linear_address(const struct cpu_state *at, const struct access *a)
{
	const ZydisDecodedOperandMem *m = &a->memory->mem;
	uint64_t base = m->base == ZYDIS_REGISTER_RIP ? at->rip + a->insn.length : gpr_value(at, m->base);

	base += m->segment == ZYDIS_REGISTER_GS ? at->a : m->segment == ZYDIS_REGISTER_FS ? at->fs_base : 0;
	return base + gpr_value(at, m->index) * m->scale + (uint64_t)m->disp.value;
}

/* The memory that a kernel instruction names. What it pushes and pops is a kernel stack's, which nobody may watch. */
static bool find_access(struct session *s, const struct cpu_state *at, struct access *a)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(&s->stops, at->rip, &left);
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (!bytes || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, left, &a->insn, a->op)))
		return false;
	for (unsigned n = 0; n < a->insn.operand_count_visible; n++) {
		if (a->op[n].type != ZYDIS_OPERAND_TYPE_MEMORY || a->op[n].mem.type != ZYDIS_MEMOP_TYPE_MEM)
			continue;
		a->memory = &a->op[n];
		a->addr = linear_address(at, a);
		return true;
	}
	return false;
}

/* A load leaves what memory has; a store changes no register. The kernel touches user memory by MOV alone. */
static void complete(struct session *s, const struct access *a, struct cpu_state *after)
{
	const ZydisDecodedOperand *to = &a->op[0];
	uint64_t value = 0;

	after->rip += a->insn.length;
	if (a->insn.mnemonic != ZYDIS_MNEMONIC_MOV || to->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return;
	session_read(s, a->addr, &value, a->memory->size / 8);
	after->gpr[ZydisRegisterGetId(to->reg.value)] = value;
}

static bool hit_in_kernel(struct session *s, const struct cpu_state *at, struct cpu_state *after)
{
	struct access a = { .memory = NULL };

	if (!s->next.watch || !find_access(s, at, &a) || !model_is_watched(&s->next, a.addr, a.memory->size / 8))
		return false;
	*after = *at;
	complete(s, &a, after);
	return true;
}

uint64_t walk_watch_due(struct session *s, const struct cpu_state *at, struct cpu_state *after)
{
	if (!cpu_cpl(at))
		return hit_in_kernel(s, at, after) ? WATCH_DR6 : 0;
	if (!s->next.watch_hit && !s->next.stepped && !s->next.broke)
		return 0;
	*after = *at;
	memcpy(after->gpr, s->next.trap.gpr, sizeof(after->gpr));
	after->rip = s->next.trap.rip;
	after->rflags = s->next.trap.rflags;
	return s->next.stepped ? STEP_DR6 : s->next.broke ? BREAK_DR6 : WATCH_DR6;
}
