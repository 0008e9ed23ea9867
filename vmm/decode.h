/* SPDX-License-Identifier: MIT */
/* decode.h: questions about instructions, answered by Zydis. Pure: knows nothing of KVM. */
#ifndef VMM_DECODE_H
#define VMM_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flow {
	FLOW_NEXT,              /* falls through */
	FLOW_JUMP,              /* unconditional, direct: target */
	FLOW_BRANCH,            /* conditional: target or next */
	FLOW_CALL,              /* direct call: target, and next after it returns */
	FLOW_CALL_INDIRECT,     /* next after it returns */
	FLOW_END,               /* ret, indirect jump, iret, sysret, hlt, ud2: no static successor */
};

/* What tally.h counts. */
enum tallied {
	TALLIED_SWAPGS, TALLIED_RDMSR, TALLIED_WRMSR,
	TALLIED_RDFSBASE, TALLIED_WRFSBASE, TALLIED_RDGSBASE, TALLIED_WRGSBASE,
	TALLIED_MOV_GS,         /* a selector into GS */
	TALLIED_CLI, TALLIED_STI,
	TALLIED_COUNT
};

enum insn_return { RETURN_NONE, RETURN_NEAR, RETURN_IRET, RETURN_SYSRET };

struct insn {
	uint8_t length;
	enum flow flow;
	uint64_t target;        /* of FLOW_JUMP, FLOW_BRANCH and FLOW_CALL */
	bool is_return_to_user; /* IRETQ or SYSRETQ */
	bool is_sysret, is_syscall;
	bool is_swapgs, is_sets_shadow; /* STI, MOV SS, POP SS */
	enum insn_return is_return;
	enum tallied tallied;   /* TALLIED_COUNT: none of them */
	bool touches_memory;    /* explicit or implicit (stack) data access */
};

/* Decodes one 64-bit-mode instruction at address addr from bytes[0..size). False if not valid. */
bool decode_insn(const uint8_t *bytes, size_t size, uint64_t addr, struct insn *out);

/* An LSL between two registers. */
struct insn_lsl {
	uint8_t length;
	uint8_t to, from;       /* GPRs in hardware numbering; the selector is the lower 16 bits of `from` */
	uint8_t bits;           /* operand size: 16, 32 or 64 */
};

/* False if the instruction is anything else. */
bool decode_lsl(const uint8_t *bytes, size_t size, struct insn_lsl *out);

/* Disassembly in AT&T syntax, one line. False (and "(bad)") if not valid. */
bool decode_text(const uint8_t *bytes, size_t size, uint64_t addr, char *out, size_t out_size);

/* A set of instruction starts, sorted by address. */
struct insn_starts {
	uint64_t *addr;
	size_t count;
};

/* Linear sweep over [start, start + size) whose bytes are given: every instruction start in order. Bytes that do
 * not decode are skipped one at a time (padding). */
void decode_sweep(const uint8_t *bytes, uint64_t start, size_t size, struct insn_starts *out);

/* Static walk from roots, following jumps, branches and direct calls that stay inside [start, start + size): every
 * instruction start that may execute. A call's return point counts as reached. Sorted, without duplicates. */
void decode_walk(const uint8_t *bytes, uint64_t start, size_t size, const uint64_t *roots, size_t n_roots,
		 struct insn_starts *out);

bool insn_starts_has(const struct insn_starts *s, uint64_t addr);
void insn_starts_free(struct insn_starts *s);

#endif
