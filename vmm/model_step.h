/* SPDX-License-Identifier: MIT */
/* model_step.h: one step of the model while it is being made; private to model*.c. */
#ifndef VMM_MODEL_STEP_H
#define VMM_MODEL_STEP_H

#include <Zydis/Zydis.h>

#include "vmm/model.h"

enum outcome {
	STEP_DONE,              /* the instruction completed; next says where to go on */
	STEP_KERNEL,            /* a system call or fault: the kernel visit is part of the step */
	STEP_UNKNOWN,           /* the model has no answer; err says why */
};

struct step {
	struct model *m;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	uint64_t next;          /* RIP afterwards */
	enum outcome outcome;
	bool reschedules;       /* the visit to the kernel ends in another thread, if there is one */
	bool moves;             /* ... and on the other CPU */
	bool touched;           /* a watched byte, by the instruction itself */
	char *err;
	size_t err_size;
};

/* model.c */
bool step_unknown(struct step *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* model_thread.c */
bool model_can_load(uint16_t selector, uint64_t tls);
void model_init_threads(struct model *m, uint64_t entry_2);
uint64_t step_fork(struct step *s, uint64_t arg);
uint64_t step_exec(struct step *s, uint64_t arg);
uint64_t step_set_tls(struct step *s, uint64_t arg);
uint64_t step_peek_gs(struct step *s, uint64_t arg);
uint64_t step_poke_gs(struct step *s, uint64_t arg);
uint64_t step_peek_fs(struct step *s, uint64_t arg);
uint64_t step_poke_fs(struct step *s, uint64_t arg);

/* model_operand.c: registers, addresses, and operands of any kind; false if the step is over. */
bool step_is_gpr(ZydisRegister r);
bool step_read_reg(struct step *s, ZydisRegister r, uint64_t *value);
bool step_write_reg(struct step *s, ZydisRegister r, uint64_t value);
bool step_address(struct step *s, const ZydisDecodedOperandMem *mem, uint64_t *addr);
bool step_read(struct step *s, const ZydisDecodedOperand *op, uint64_t *value);
bool step_write(struct step *s, const ZydisDecodedOperand *op, uint64_t value);
bool step_read_to_write(struct step *s, const ZydisDecodedOperand *op, uint64_t *value);

/* model_ops.c: executes s->insn on s->m. */
void step_execute(struct step *s);

/* model_mem.c: user memory. load and store are false if the step is over (fault or unknown). */
enum byte_state { BYTE_GOOD, BYTE_FAULT, BYTE_UNKNOWN };
enum byte_state model_byte(const struct model *m, uint64_t addr, bool write);
uint8_t *model_byte_at(struct model *m, uint64_t addr);
bool step_load(struct step *s, uint64_t addr, unsigned size, uint64_t *value);
bool step_may_store(struct step *s, uint64_t addr, unsigned size);
bool step_store(struct step *s, uint64_t addr, unsigned size, uint64_t value);

/* model_kernel.c: what a visit to the kernel does to user state, by guest/abi.h. */
void step_syscall(struct step *s);
void step_to_rbx(struct step *s);
void step_fault(struct step *s, unsigned vector, uint64_t error);
void step_ud2(struct step *s);
void step_int3(struct step *s);
void step_int(struct step *s);
void step_cli(struct step *s);
uint64_t step_error(unsigned number);

/* model_debug.c */
uint64_t model_watch(struct step *s, uint64_t arg);
uint64_t model_break(struct step *s, uint64_t arg);
uint64_t model_watch_kernel(struct step *s, uint64_t arg);
uint64_t model_steps(struct step *s, uint64_t arg);

/* model_signal.c */
void model_deliver(struct step *s);
uint64_t model_handler(struct step *s, uint64_t arg);
uint64_t model_ask_work(struct step *s, uint64_t arg);
uint64_t model_restore(struct step *s, uint64_t arg);

/* model_frame.c: words of user memory that a system call reads, false: -EFAULT; and the calls that give a frame. */
bool step_copy_from(struct step *s, uint64_t from, uint64_t *to, unsigned words);
bool step_copy_to(struct step *s, uint64_t to, uint64_t value);
uint64_t model_sigreturn(struct step *s, uint64_t arg);
uint64_t model_set_rip(struct step *s, uint64_t arg);
uint64_t model_set_frame(struct step *s, uint64_t arg);

/* model_prctl.c: SYS_PRCTL; the kernel looks whether the thread's stride still holds. */
void step_look(struct model *m);
uint64_t step_prctl(struct step *s, uint64_t call);

#endif
