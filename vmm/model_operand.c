/* SPDX-License-Identifier: MIT */
/* model_operand.c: operands of instructions: registers, immediates, addresses and what lies there. */
#include "vmm/model_step.h"

bool step_is_gpr(ZydisRegister r)
{
	ZydisRegisterClass c = ZydisRegisterGetClass(r);

	return c == ZYDIS_REGCLASS_GPR64 || c == ZYDIS_REGCLASS_GPR32;
}

bool step_read_reg(struct step *s, ZydisRegister r, uint64_t *value)
{
	if (!step_is_gpr(r))
		return step_unknown(s, "register %s", ZydisRegisterGetString(r));
	*value = s->m->gpr[ZydisRegisterGetId(r)];
	if (ZydisRegisterGetClass(r) == ZYDIS_REGCLASS_GPR32)
		*value = (uint32_t)*value;
	return true;
}

/* A write of a 32-bit register clears the upper half. */
bool step_write_reg(struct step *s, ZydisRegister r, uint64_t value)
{
	if (!step_is_gpr(r))
		return step_unknown(s, "register %s", ZydisRegisterGetString(r));
	if (ZydisRegisterGetClass(r) == ZYDIS_REGCLASS_GPR32)
		value = (uint32_t)value;
	s->m->gpr[ZydisRegisterGetId(r)] = value;
	return true;
}

/* Base, index and displacement, modulo 2^64. */
bool step_address(struct step *s, const ZydisDecodedOperandMem *mem, uint64_t *addr)
{
	uint64_t base = 0, index = 0;

	if (s->insn.address_width != 64)
		return step_unknown(s, "32-bit addressing");
	if (mem->base == ZYDIS_REGISTER_RIP)
		base = s->m->rip + s->insn.length;
	else if (mem->base != ZYDIS_REGISTER_NONE && !step_read_reg(s, mem->base, &base))
		return false;
	if (mem->index != ZYDIS_REGISTER_NONE && !step_read_reg(s, mem->index, &index))
		return false;
	*addr = base + index * mem->scale + (uint64_t)mem->disp.value;
	return true;
}

static bool linear_address(struct step *s, const ZydisDecodedOperand *op, uint64_t *addr)
{
	if (op->size != 64 && op->size != 32)
		return step_unknown(s, "a memory operand of %u bits", op->size);
	if (!step_address(s, &op->mem, addr))
		return false;
	if (op->mem.segment == ZYDIS_REGISTER_GS)
		*addr += s->m->gs_base;
	if (op->mem.segment == ZYDIS_REGISTER_FS)
		*addr += s->m->fs_base;
	return true;
}

bool step_read(struct step *s, const ZydisDecodedOperand *op, uint64_t *value)
{
	uint64_t addr;

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		return step_read_reg(s, op->reg.value, value);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		*value = op->imm.value.u;
		return true;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return linear_address(s, op, &addr) && step_load(s, addr, op->size / 8, value);
	default:
		return step_unknown(s, "an operand of unknown kind");
	}
}

/* Of an instruction that reads and then writes: what cannot be written faults as a write, before it is read. */
bool step_read_to_write(struct step *s, const ZydisDecodedOperand *op, uint64_t *value)
{
	uint64_t addr;

	if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && !(linear_address(s, op, &addr) && step_may_store(s, addr, op->size / 8)))
		return false;
	return step_read(s, op, value);
}

bool step_write(struct step *s, const ZydisDecodedOperand *op, uint64_t value)
{
	uint64_t addr;

	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return step_write_reg(s, op->reg.value, value);
	return linear_address(s, op, &addr) && step_store(s, addr, op->size / 8, value);
}
