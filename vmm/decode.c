/* SPDX-License-Identifier: MIT */
/* decode.c: one instruction by Zydis; instruction starts by linear sweep and by walking the flow. */
#include "vmm/decode.h"

#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

struct full {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

static bool decode_full(const uint8_t *bytes, size_t size, struct full *f)
{
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, size, &f->insn, f->op));
}

static enum flow flow_of(const struct full *f)
{
	bool direct = f->insn.operand_count_visible && f->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		      f->op[0].imm.is_relative;

	switch (f->insn.meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		return FLOW_BRANCH;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return direct ? FLOW_JUMP : FLOW_END;
	case ZYDIS_CATEGORY_CALL:
		return direct ? FLOW_CALL : FLOW_CALL_INDIRECT;
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSRET:
		return FLOW_END;
	default:
		break;
	}
	switch (f->insn.mnemonic) {
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return FLOW_END;
	default:
		return FLOW_NEXT;
	}
}

static bool is_iret(ZydisMnemonic m)
{
	return m == ZYDIS_MNEMONIC_IRET || m == ZYDIS_MNEMONIC_IRETD || m == ZYDIS_MNEMONIC_IRETQ;
}

/* STI, and a load of SS: both hold events off until after the next instruction. */
static bool sets_shadow(const struct full *f)
{
	if (f->insn.mnemonic == ZYDIS_MNEMONIC_STI)
		return true;
	return (f->insn.mnemonic == ZYDIS_MNEMONIC_MOV || f->insn.mnemonic == ZYDIS_MNEMONIC_POP) &&
	       f->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER && f->op[0].reg.value == ZYDIS_REGISTER_SS;
}

/* Address-only operands (LEA), wide NOPs and prefetches name memory without an access that can fault. */
static bool touches_memory(const struct full *f)
{
	size_t i;

	if (f->insn.mnemonic == ZYDIS_MNEMONIC_NOP || f->insn.meta.category == ZYDIS_CATEGORY_PREFETCH ||
	    f->insn.meta.category == ZYDIS_CATEGORY_PREFETCHWT1)
		return false;
	for (i = 0; i < f->insn.operand_count; i++)
		if (f->op[i].type == ZYDIS_OPERAND_TYPE_MEMORY && f->op[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
			return true;
	return false;
}

static enum insn_return return_of(const struct full *f)
{
	if (is_iret(f->insn.mnemonic))
		return RETURN_IRET;
	if (f->insn.mnemonic == ZYDIS_MNEMONIC_SYSRET)
		return RETURN_SYSRET;
	return f->insn.mnemonic == ZYDIS_MNEMONIC_RET ? RETURN_NEAR : RETURN_NONE;
}

static bool is_mov_to_gs(const struct full *f)
{
	return f->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER && f->op[0].reg.value == ZYDIS_REGISTER_GS;
}

static enum tallied tallied_of(const struct full *f)
{
	switch (f->insn.mnemonic) {
	case ZYDIS_MNEMONIC_SWAPGS:
		return TALLIED_SWAPGS;
	case ZYDIS_MNEMONIC_RDMSR:
		return TALLIED_RDMSR;
	case ZYDIS_MNEMONIC_WRMSR:
		return TALLIED_WRMSR;
	case ZYDIS_MNEMONIC_RDFSBASE:
		return TALLIED_RDFSBASE;
	case ZYDIS_MNEMONIC_WRFSBASE:
		return TALLIED_WRFSBASE;
	case ZYDIS_MNEMONIC_RDGSBASE:
		return TALLIED_RDGSBASE;
	case ZYDIS_MNEMONIC_WRGSBASE:
		return TALLIED_WRGSBASE;
	case ZYDIS_MNEMONIC_MOV:
		return is_mov_to_gs(f) ? TALLIED_MOV_GS : TALLIED_COUNT;
	case ZYDIS_MNEMONIC_CLI:
		return TALLIED_CLI;
	case ZYDIS_MNEMONIC_STI:
		return TALLIED_STI;
	default:
		return TALLIED_COUNT;
	}
}

static bool decode_anew(const uint8_t *bytes, size_t size, uint64_t addr, struct insn *out)
{
	struct full f;
	ZyanU64 target = 0;

	if (!decode_full(bytes, size, &f))
		return false;
	memset(out, 0, sizeof(*out));
	out->length = f.insn.length;
	out->flow = flow_of(&f);
	if (out->flow == FLOW_JUMP || out->flow == FLOW_BRANCH || out->flow == FLOW_CALL) {
		ZydisCalcAbsoluteAddress(&f.insn, &f.op[0], addr, &target);
		out->target = target;
	}
	out->is_return = return_of(&f);
	out->is_sysret = out->is_return == RETURN_SYSRET;
	out->is_return_to_user = out->is_sysret || out->is_return == RETURN_IRET;
	out->tallied = tallied_of(&f);
	out->is_syscall = f.insn.mnemonic == ZYDIS_MNEMONIC_SYSCALL;
	out->is_swapgs = f.insn.mnemonic == ZYDIS_MNEMONIC_SWAPGS;
	out->is_sets_shadow = sets_shadow(&f);
	out->touches_memory = touches_memory(&f);
	return true;
}

/* The same few thousand instructions are asked for again and again: the last one of each slot is kept, with all that it was made from. */
bool decode_insn(const uint8_t *bytes, size_t size, uint64_t addr, struct insn *out)
{
	static _Thread_local struct known {
		uint64_t addr;
		uint8_t bytes[ZYDIS_MAX_INSTRUCTION_LENGTH];
		bool valid;
		struct insn insn;
	} known[4096];
	struct known *k = &known[addr % 4096];

	if (size < sizeof(k->bytes))
		return decode_anew(bytes, size, addr, out);
	if (!k->valid || k->addr != addr || memcmp(k->bytes, bytes, sizeof(k->bytes))) {
		k->valid = decode_anew(bytes, size, addr, &k->insn);
		k->addr = addr;
		memcpy(k->bytes, bytes, sizeof(k->bytes));
	}
	*out = k->insn;
	return k->valid;
}

bool decode_lsl(const uint8_t *bytes, size_t size, struct insn_lsl *out)
{
	struct full f;

	if (!decode_full(bytes, size, &f) || f.insn.mnemonic != ZYDIS_MNEMONIC_LSL ||
	    f.op[0].type != ZYDIS_OPERAND_TYPE_REGISTER || f.op[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	out->length = f.insn.length;
	out->to = ZydisRegisterGetId(f.op[0].reg.value);
	out->from = ZydisRegisterGetId(f.op[1].reg.value);
	out->bits = f.insn.operand_width;
	return true;
}

bool decode_text(const uint8_t *bytes, size_t size, uint64_t addr, char *out, size_t out_size)
{
	ZydisFormatter formatter;
	struct full f;

	if (decode_full(bytes, size, &f) &&
	    ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_ATT)) &&
	    ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &f.insn, f.op, f.insn.operand_count_visible,
							 out, out_size, addr, NULL)))
		return true;
	snprintf(out, out_size, "(bad)");
	return false;
}

void decode_sweep(const uint8_t *bytes, uint64_t start, size_t size, struct insn_starts *out)
{
	struct insn insn;
	size_t at, step;

	out->addr = xcalloc(size, sizeof(*out->addr));
	out->count = 0;
	for (at = 0; at < size; at += step) {
		step = 1;
		if (decode_insn(bytes + at, size - at, start + at, &insn)) {
			out->addr[out->count++] = start + at;
			step = insn.length;
		}
	}
}

/* One flag per byte of the region, and the starts still to be looked at. Every start is pushed once. */
struct walk {
	uint64_t start;
	size_t size;
	bool *seen;
	size_t *todo, n_todo;
};

static void walk_push(struct walk *w, uint64_t addr)
{
	size_t at = addr - w->start;            /* an address below start wraps to a huge offset */

	if (at >= w->size || w->seen[at])
		return;
	w->seen[at] = true;
	w->todo[w->n_todo++] = at;
}

static void walk_one(struct walk *w, const uint8_t *bytes, size_t at)
{
	uint64_t addr = w->start + at;
	struct insn insn;

	if (!decode_insn(bytes + at, w->size - at, addr, &insn)) {
		w->seen[at] = false;            /* no instruction starts here after all */
		return;
	}
	if (insn.flow == FLOW_JUMP || insn.flow == FLOW_BRANCH || insn.flow == FLOW_CALL)
		walk_push(w, insn.target);
	if (insn.flow != FLOW_JUMP && insn.flow != FLOW_END)
		walk_push(w, addr + insn.length);
}

void decode_walk(const uint8_t *bytes, uint64_t start, size_t size, const uint64_t *roots, size_t n_roots,
		 struct insn_starts *out)
{
	struct walk w = { .start = start, .size = size };
	size_t i;

	w.seen = xcalloc(size, sizeof(*w.seen));
	w.todo = xcalloc(size, sizeof(*w.todo));
	for (i = 0; i < n_roots; i++)
		walk_push(&w, roots[i]);
	while (w.n_todo)
		walk_one(&w, bytes, w.todo[--w.n_todo]);
	out->addr = xcalloc(size, sizeof(*out->addr));
	out->count = 0;
	for (i = 0; i < size; i++)
		if (w.seen[i])
			out->addr[out->count++] = start + i;
	free(w.seen);
	free(w.todo);
}

bool insn_starts_has(const struct insn_starts *s, uint64_t addr)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->addr[mid] < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->count && s->addr[low] == addr;
}

void insn_starts_free(struct insn_starts *s)
{
	free(s->addr);
	s->addr = NULL;
	s->count = 0;
}
