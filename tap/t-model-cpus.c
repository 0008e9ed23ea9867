/* SPDX-License-Identifier: MIT */
/* t-model-cpus.c: in the model of a user program, what two CPUs add: a stack for each thread, and what one does to the other. */
#include <string.h>

#include "guest/abi.h"
#include "tap/tap.h"
#include "vmm/model.h"

#define SYSCALL 0x0f, 0x05

static struct model m;
static char err[256];

static bool step(void)
{
	return model_step(&m, err, sizeof(err));
}

static void begin_on(unsigned cpu, unsigned cpus, const uint8_t *text, size_t size)
{
	struct model_boot boot = { .entry = ABI_USER_TEXT, .text = text, .text_size = size, .cpu = cpu, .cpus = cpus };

	model_init(&m, &boot);
	strcpy(err, "no error was given");
}

static const uint8_t call[] = { SYSCALL, 0x90 }, turn[] = { 0xe6, ABI_PORT_SPIN, 0x90 }, push[] = { 0x50, 0x90 };

static void calls(uint64_t number, uint64_t arg, uint64_t want, const char *name)
{
	begin_on(1, 2, call, sizeof(call));
	m.gpr[GPR_RAX] = number;
	m.gpr[GPR_RDI] = arg;
	m.gs_base = 0x5000;
	ok(step() && m.gpr[GPR_RAX] == want && m.rip == ABI_USER_TEXT + 2, "%s", name);
	is_u64(m.gs_base, 0x5000, "and its own U stays");
}

static void test_calls(void)
{
	calls(ABI_SYS_SET_GS_OTHER, 0x3000, 0, "SET_GS_OTHER returns 0");
	ok(m.sets_other && m.other_gs == 0x3000 && m.cpu == 1, "and says what the other thread is to have");
	calls(ABI_SYS_SET_GS_OTHER, ABI_TASK_SIZE_MAX, -(uint64_t)ABI_EPERM, "a base that SET_GS refuses is refused");
	ok(!m.sets_other, "and nothing is asked for");
	calls(ABI_SYS_RESCHED_OTHER, 0, 0, "RESCHED_OTHER returns 0");
	ok(m.rescheduled[0] == 1 && !m.rescheduled[1], "and counts for the other CPU");
	calls(ABI_SYS_YIELD, 0, 0, "YIELD returns 0");
	ok(!m.rescheduled[0] && m.rescheduled[1] == 1, "and counts for its own");
	calls(ABI_SYS_MIGRATE, 0, 0, "MIGRATE returns 0");
	is_u64(m.cpu, 0, "and the thread is on the other CPU");
	calls(ABI_SYS_MIGRATE, 2, -(uint64_t)ABI_EINVAL, "MIGRATE to a CPU that is not there is refused");
	is_u64(m.cpu, 1, "and the thread is where it was");
}

/* Work on the way out of a call, and a single step: the thread is on the other CPU behind all else. */
static void test_work(void)
{
	static const uint8_t nop[] = { 0x90, 0x90 };

	calls(ABI_SYS_ASK_WORK, ABI_WORK_MIGRATE | ABI_WORK_RESCHED | ABI_WORK_NOTIFY, 0, "ASK_WORK of MIGRATE returns 0");
	ok(!m.cpu && m.rescheduled[1] == 1 && m.notified == 1, "and is done behind the other work");
	calls(ABI_SYS_STEPS, 2, 0, "STEPS with bit 1");
	is_u64(m.cpu, 1, "is no step itself");
	m.text = nop;
	m.text_size = sizeof(nop);
	m.rip = ABI_USER_TEXT;
	m.gs_is_percpu = true;
	m.gs_percpu_base = 0x4000;
	m.gs_stride = 0x1000;
	ok(step() && m.cpu == 1, "without TF the thread stays");
	m.rflags |= RFLAGS_TF;
	ok(step() && m.cpu == 0 && m.stepped, "behind a single step it is on the other CPU");
	is_u64(m.gs_base, 0x4000, "with the base that it has there");
}

/* Two threads on CPU 1. */
static void begin_two(void)
{
	struct model_boot boot = {
		.entry = ABI_USER_TEXT, .entry_2 = ABI_USER_TEXT, .text = call, .text_size = sizeof(call), .cpu = 1, .cpus = 2,
	};

	model_init(&m, &boot);
	strcpy(err, "no error was given");
}

static void test_two_threads(void)
{
	begin_two();
	m.asked = true;
	ok(m.current == 2 && model_threads(&m) == 2, "CPU 1 begins with thread 2, and has another");
	model_reschedule(&m);
	ok(m.current == 3 && !m.asked, "whose turn it is when what the other CPU has asked for is done");
	ok(m.gpr[GPR_RSP] == ABI_USER_RSP - 3 * ABI_USER_STACK_STEP && m.gpr[GPR_RDI] == ABI_USER_GS_2 + ABI_USER_GS_2_STEP,
	   "it has a stack and a value that CPU 0's second thread has not");
	m.gpr[GPR_RAX] = ABI_SYS_YIELD;
	ok(step() && m.current == 2 && m.rescheduled[1] == 1 && !m.rescheduled[0], "it gives way to thread 2, and no other");
	m.gpr[GPR_RAX] = ABI_SYS_RESCHED_OTHER;
	ok(step() && m.current == 2 && m.rescheduled[0] == 1, "what is asked of the other CPU is no turn here");
	begin_two();
	m.gpr[GPR_RAX] = ABI_SYS_MIGRATE;
	m.gpr[GPR_RDI] = 1;
	ok(step() && m.current == 2, "MIGRATE to its own CPU is nothing");
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RAX] = ABI_SYS_MIGRATE;
	m.gpr[GPR_RDI] = 0;
	ok(!step() && strstr(err, "not in the contract"), "one of two threads does not go to the other CPU");
}

static void test_alone(void)
{
	static const uint64_t number[] = { ABI_SYS_SET_GS_OTHER, ABI_SYS_RESCHED_OTHER };

	for (unsigned n = 0; n < 2; n++) {
		begin_on(0, 1, call, sizeof(call));
		m.gpr[GPR_RAX] = number[n];
		m.gpr[GPR_RDI] = 0;
		ok(!step() && strstr(err, "not in the contract"), "with one CPU call %lu is not in the contract", (unsigned long)number[n]);
	}
	begin_on(0, 1, call, sizeof(call));
	m.gpr[GPR_RAX] = ABI_SYS_ASK_WORK;
	m.gpr[GPR_RDI] = ABI_WORK_MIGRATE | ABI_WORK_NOTIFY;
	ok(step() && m.gpr[GPR_RAX] == -(uint64_t)ABI_EINVAL && !m.notified, "nor is there another one to migrate to, and no work is done");
	begin_on(0, 1, call, sizeof(call));
	m.gpr[GPR_RAX] = ABI_SYS_STEPS;
	m.gpr[GPR_RDI] = 3;
	ok(step() && m.gpr[GPR_RAX] == -(uint64_t)ABI_EINVAL && !m.step_signals, "nor by single steps");
}

static void test_stacks(void)
{
	begin_on(1, 2, push, sizeof(push));
	is_u64(m.gpr[GPR_RSP], ABI_USER_RSP - 2 * ABI_USER_STACK_STEP, "CPU 1's thread has a stack of its own");
	ok(step() && m.stack[(ABI_USER_RSP & 0xfff) - 8 + 7] == ABI_USER_GPR >> 56, "to which it pushes");
	begin_on(1, 2, push, sizeof(push));
	m.gpr[GPR_RSP] = ABI_USER_RSP;
	ok(!step(), "the other thread's is not for it");
	begin_on(0, 2, push, sizeof(push));
	m.gpr[GPR_RSP] = ABI_USER_RSP - 2 * ABI_USER_STACK_STEP;
	ok(!step(), "nor the other way round");
	m.gpr[GPR_RSP] = ABI_USER_RSP - 3 * ABI_USER_STACK_STEP;
	ok(!step(), "nor is that of its second thread");
}

int main(void)
{
	plan(6 * 3 + 9 + 7 + 4 + 5 + 2);
	test_calls();
	test_work();
	test_two_threads();
	test_alone();
	test_stacks();
	begin_on(0, 2, turn, sizeof(turn));
	ok(step() && m.rip == ABI_USER_TEXT + 2, "the turn is given away by an OUT");
	is_u64(m.gpr[GPR_RCX], 0, "and no register changes");
	return done();
}
