/* SPDX-License-Identifier: MIT */
/* model.c: the model of the user program: its first state, and one step of it. */
#include "vmm/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/model_step.h"

#define KERNEL_LIMIT 10000              /* instructions between two visits to the kernel */

void model_init(struct model *m, const struct model_boot *boot)
{
	unsigned n;

	memset(m, 0, sizeof(*m));
	for (n = 0; n < GPR_COUNT; n++)
		m->gpr[n] = ABI_USER_GPR + n * ABI_USER_GPR_STEP;
	m->gpr[GPR_RSP] = ABI_USER_RSP - boot->cpu * ABI_THREADS_OF_CPU * ABI_USER_STACK_STEP;
	m->stack_page = ABI_USER_STACK - boot->cpu * ABI_THREADS_OF_CPU * ABI_USER_STACK_STEP;
	m->cpu = boot->cpu;
	m->cpus = boot->cpus ? boot->cpus : 1;
	m->gpr[GPR_RDI] = boot->gs;
	m->gpr[GPR_RCX] = boot->fsgsbase;
	m->gpr[GPR_RSI] = boot->flags;
	m->rip = boot->entry;
	m->cs = ABI_USER_CS;
	m->rflags = RFLAGS_FIXED | RFLAGS_IF;
	m->fsgsbase = boot->fsgsbase;
	m->fsgsbase_can_be_off = boot->fsgsbase_can_be_off;
	m->absent_ss_is_np = boot->absent_ss_is_np;
	m->text = boot->text;
	m->text_size = boot->text_size;
	model_init_threads(m, boot->entry_2);
}

/* Always false, so that a caller can return it. Only the first reason is kept. */
bool step_unknown(struct step *s, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	if (s->outcome == STEP_UNKNOWN)
		return false;
	s->outcome = STEP_UNKNOWN;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(s->err, s->err_size, "model: user RIP 0x%llx: %s", (unsigned long long)s->m->rip, what);
	return false;
}

static bool decode(struct step *s, ZydisMachineMode mode, ZydisStackWidth width)
{
	uint64_t at = s->m->rip - ABI_USER_TEXT;
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, mode, width);
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, s->m->text + at, s->m->text_size - at, &s->insn, s->op));
}

/* Where instructions begin is told from all of the text as 64-bit code, so 32-bit code keeps to what has the same length there. */
static bool decode_32(struct step *s)
{
	bool good = decode(s, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	unsigned length = s->insn.length;

	if (!decode(s, ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32))
		return false;
	if (!good || s->insn.length != length)
		step_unknown(s, "32-bit code that 64-bit code would read in another way");
	return true;
}

static bool decode_at_rip(struct step *s)
{
	bool good;

	if (s->m->rip - ABI_USER_TEXT >= s->m->text_size)       /* also below the text: then it wrapped */
		return step_unknown(s, "outside the user text");
	if (s->m->cs == ABI_USER32_CS)
		good = decode_32(s);
	else
		good = decode(s, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (!good)
		step_unknown(s, "not a valid instruction");
	s->next = s->m->rip + s->insn.length;
	return s->outcome != STEP_UNKNOWN;
}

/* What faults has neither hit nor been a step: it will be done again. */
static void complete(struct step *s, bool single)
{
	struct model *m = s->m;

	if (single && s->touched)
		step_unknown(s, "a single step that touches what is watched: one #DB for both is not in the contract");
	m->rflags &= ~RFLAGS_RF;
	m->watch_hit = s->touched;
	m->hits += s->touched;
	m->stepped = single;
	m->steps += single;
	m->broke = m->stop_at && s->next == m->stop_at;
	if (m->broke && (single || s->touched))
		step_unknown(s, "a breakpoint behind another reason for #DB: one for both is not in the contract");
	m->breaks += m->broke;
	if (m->broke)
		m->stop_at = 0;
	m->trap = (struct model_trap){ .rip = s->next, .rflags = m->rflags };
	memcpy(m->trap.gpr, m->gpr, sizeof(m->trap.gpr));
	if (single && m->step_signals)
		model_deliver(s);
	s->moves = single && m->step_moves;
}

static enum outcome run_step(struct model *m, char *err, size_t err_size)
{
	struct step s = { .m = m, .err = err, .err_size = err_size };
	bool single = m->rflags & RFLAGS_TF;    /* as it is when the instruction begins (SDM vol. 3, 17.3.1.4) */

	m->refused = m->watch_hit = m->stepped = m->broke = false;
	if (m->exited)
		step_unknown(&s, "the program has ended");
	else if (decode_at_rip(&s))
		step_execute(&s);
	if (s.outcome == STEP_KERNEL && m->stop_at && s.next == m->stop_at)
		step_unknown(&s, "the kernel returns to a breakpoint, which is not in the contract");
	if (s.outcome == STEP_DONE)
		complete(&s, single);
	if (s.outcome != STEP_UNKNOWN)
		m->rip = s.next;
	if (s.reschedules)
		model_reschedule(m);
	if (s.moves)
		model_move(m, !m->cpu);
	return s.outcome;
}

bool model_step(struct model *m, char *err, size_t err_size)
{
	return run_step(m, err, err_size) != STEP_UNKNOWN;
}

bool model_run_to_kernel(struct model *m, char *err, size_t err_size)
{
	enum outcome outcome = STEP_DONE;

	for (unsigned n = 0; n < KERNEL_LIMIT && outcome == STEP_DONE; n++)
		outcome = run_step(m, err, err_size);
	if (outcome == STEP_DONE)
		snprintf(err, err_size, "model: the program makes no system call in %u instructions", KERNEL_LIMIT);
	return outcome == STEP_KERNEL;
}

uint64_t model_dr7(const struct model *m)
{
	return ABI_DR7_ARMED | (m->watch ? ABI_DR7_WATCH : 0) | (m->stop_at ? ABI_DR7_BREAK : 0) | (m->kernel_watch ? ABI_DR7_KERNEL : 0);
}

bool model_is_watched(const struct model *m, uint64_t addr, unsigned size)
{
	return m->watch && addr < m->watch + MODEL_WATCHED && m->watch < addr + size;
}

/* Asked of a copy, so that the answer can never differ from what a step does. */
bool model_enters_kernel(const struct model *m)
{
	struct model copy = *m;
	char err[8];

	return run_step(&copy, err, sizeof(err)) == STEP_KERNEL;
}
