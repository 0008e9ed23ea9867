/* SPDX-License-Identifier: MIT */
/* model_ops.c: the instructions that user programs may use, one function each, and their table. */
#include "guest/abi.h"
#include "vmm/model_step.h"

#define VECTOR_UD 6

/* What POPFQ can change at CPL 3 with IOPL 0: CF PF AF ZF SF OF besides the named ones. */
#define ARITHMETIC_FLAGS 0x8d5ull
#define RFLAGS_CF (1ull << 0)
#define RFLAGS_PF (1ull << 2)
#define RFLAGS_AF (1ull << 4)
#define RFLAGS_ZF (1ull << 6)
#define RFLAGS_SF (1ull << 7)
#define RFLAGS_OF (1ull << 11)
#define POPF_CHANGES (ARITHMETIC_FLAGS | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID)
#define RFLAGS_VM (1ull << 17)

static void op_mov(struct step *s)
{
	uint64_t value;

	if (step_read(s, &s->op[1], &value))
		step_write(s, &s->op[0], value);
}

static void op_lea(struct step *s)
{
	uint64_t addr;

	if (step_address(s, &s->op[1].mem, &addr))
		step_write_reg(s, s->op[0].reg.value, addr);
}

static void op_not(struct step *s)
{
	uint64_t value;

	if (s->op[0].type != ZYDIS_OPERAND_TYPE_REGISTER)
		step_unknown(s, "NOT of memory");
	else if (step_read_reg(s, s->op[0].reg.value, &value))
		step_write_reg(s, s->op[0].reg.value, ~value);
}

/* All arithmetic flags but CF, from the result of so many bits (SDM vol. 2A, INC). */
static uint64_t flags_of_inc(uint64_t result, unsigned bits)
{
	const uint64_t sign = 1ull << (bits - 1);
	bool even = !__builtin_parity(result & 0xff);

	return (even ? RFLAGS_PF : 0) | (result & 0xf ? 0 : RFLAGS_AF) | (result ? 0 : RFLAGS_ZF) |
	       (result & sign ? RFLAGS_SF : 0) | (result == sign ? RFLAGS_OF : 0);
}

static void op_inc(struct step *s)
{
	const unsigned bits = s->op[0].size;
	uint64_t value;

	if (bits != 64 && bits != 32) {
		step_unknown(s, "INC of %u bits", bits);
		return;
	}
	if (!step_read_to_write(s, &s->op[0], &value))
		return;
	value = bits == 32 ? (uint32_t)(value + 1) : value + 1;
	if (step_write(s, &s->op[0], value))
		s->m->rflags = (s->m->rflags & ~(ARITHMETIC_FLAGS & ~RFLAGS_CF)) | flags_of_inc(value, bits);
}

/* Bytes of a push or pop: eight, of 32-bit code four; 0 if it is another one. */
static unsigned pushed_bytes(struct step *s)
{
	unsigned bytes = s->m->cs == ABI_USER32_CS ? 4 : 8;

	if (s->insn.operand_width == 8 * bytes)
		return bytes;
	step_unknown(s, "a push or pop that is not %u bytes", bytes);
	return 0;
}

static bool push(struct step *s, uint64_t value)
{
	unsigned bytes = pushed_bytes(s);

	if (!bytes || !step_store(s, s->m->gpr[GPR_RSP] - bytes, bytes, value))
		return false;
	s->m->gpr[GPR_RSP] -= bytes;
	return true;
}

static bool pop(struct step *s, uint64_t *value)
{
	unsigned bytes = pushed_bytes(s);

	if (!bytes || !step_load(s, s->m->gpr[GPR_RSP], bytes, value))
		return false;
	s->m->gpr[GPR_RSP] += bytes;
	return true;
}

static void op_push(struct step *s)
{
	uint64_t value;

	if (step_read(s, &s->op[0], &value))
		push(s, value);
}

static void op_pop(struct step *s)
{
	uint64_t value;

	if (s->op[0].type != ZYDIS_OPERAND_TYPE_REGISTER || !step_is_gpr(s->op[0].reg.value))
		step_unknown(s, "POP into something else than a general register");
	else if (pop(s, &value))
		step_write_reg(s, s->op[0].reg.value, value);        /* POP RSP: the value wins over the increment */
}

static void op_pushfq(struct step *s)
{
	push(s, s->m->rflags & ~(RFLAGS_RF | RFLAGS_VM));
}

static void op_popfq(struct step *s)
{
	uint64_t value;

	if (pop(s, &value))
		s->m->rflags = (s->m->rflags & ~(POPF_CHANGES | RFLAGS_RF)) | (value & POPF_CHANGES);
}

static void op_jmp(struct step *s)
{
	if (s->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		s->next += s->op[0].imm.value.u;
	else
		step_read(s, &s->op[0], &s->next);
}

/* JRCXZ and LOOP never touch the flags. */
static void op_jrcxz(struct step *s)
{
	if (!s->m->gpr[GPR_RCX])
		op_jmp(s);
}

static void op_loop(struct step *s)
{
	if (s->insn.address_width != 64)
		step_unknown(s, "LOOP on ECX");
	else if (--s->m->gpr[GPR_RCX])
		op_jmp(s);
}

static void op_nop(struct step *s)
{
	(void)s;
}

static void op_cld(struct step *s)
{
	s->m->rflags &= ~RFLAGS_DF;
}

static void op_std(struct step *s)
{
	s->m->rflags |= RFLAGS_DF;
}

/* The ports that user code may write to; what it sends there is no change that user code sees. */
static void op_out(struct step *s)
{
	uint64_t port = s->op[0].imm.value.u;

	if (s->op[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE || (port != ABI_PORT_IPI && port != ABI_PORT_SPIN))
		step_unknown(s, "OUT to another port than ABI_PORT_IPI or ABI_PORT_SPIN");
}

/* #UD if CR4.FSGSBASE is 0 (SDM vol. 2B, RDFSBASE). */
static bool base_insns_run(struct step *s)
{
	if (s->m->fsgsbase || !s->m->fsgsbase_can_be_off)
		return true;
	step_fault(s, VECTOR_UD, 0);
	return false;
}

static void op_rdgsbase(struct step *s)
{
	if (base_insns_run(s))
		step_write_reg(s, s->op[0].reg.value, s->m->gs_base);
}

static void op_rdfsbase(struct step *s)
{
	if (base_insns_run(s))
		step_write_reg(s, s->op[0].reg.value, s->m->fs_base);
}

static void write_base(struct step *s, uint64_t *base)
{
	uint64_t value;

	if (!base_insns_run(s) || !step_read_reg(s, s->op[0].reg.value, &value))
		return;
	if (value >= 1ull << 47 && value < -(1ull << 47))
		step_unknown(s, "WRFSBASE or WRGSBASE of non-canonical 0x%llx", (unsigned long long)value);
	else
		*base = value;
}

static void op_wrgsbase(struct step *s)
{
	write_base(s, &s->m->gs_base);
}

static void op_wrfsbase(struct step *s)
{
	write_base(s, &s->m->fs_base);
}

static const struct {
	ZydisMnemonic mnemonic;
	void (*run)(struct step *s);
} ops[] = {
	{ ZYDIS_MNEMONIC_MOV, op_mov },
	{ ZYDIS_MNEMONIC_LEA, op_lea },
	{ ZYDIS_MNEMONIC_NOT, op_not },
	{ ZYDIS_MNEMONIC_INC, op_inc },
	{ ZYDIS_MNEMONIC_PUSH, op_push },
	{ ZYDIS_MNEMONIC_POP, op_pop },
	{ ZYDIS_MNEMONIC_PUSHFQ, op_pushfq },
	{ ZYDIS_MNEMONIC_POPFQ, op_popfq },
	{ ZYDIS_MNEMONIC_JMP, op_jmp },
	{ ZYDIS_MNEMONIC_JRCXZ, op_jrcxz },
	{ ZYDIS_MNEMONIC_LOOP, op_loop },
	{ ZYDIS_MNEMONIC_NOP, op_nop },
	{ ZYDIS_MNEMONIC_CLD, op_cld },
	{ ZYDIS_MNEMONIC_STD, op_std },
	{ ZYDIS_MNEMONIC_SYSCALL, step_syscall },
	{ ZYDIS_MNEMONIC_UD2, step_ud2 },
	{ ZYDIS_MNEMONIC_INT3, step_int3 },
	{ ZYDIS_MNEMONIC_INT, step_int },
	{ ZYDIS_MNEMONIC_CLI, step_cli },
	{ ZYDIS_MNEMONIC_OUT, op_out },
	{ ZYDIS_MNEMONIC_RDGSBASE, op_rdgsbase },
	{ ZYDIS_MNEMONIC_WRGSBASE, op_wrgsbase },
	{ ZYDIS_MNEMONIC_RDFSBASE, op_rdfsbase },
	{ ZYDIS_MNEMONIC_WRFSBASE, op_wrfsbase },
};

void step_execute(struct step *s)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (ops[i].mnemonic == s->insn.mnemonic) {
			ops[i].run(s);
			return;
		}
	}
	step_unknown(s, "%s is not an instruction the model knows", ZydisMnemonicGetString(s->insn.mnemonic));
}
