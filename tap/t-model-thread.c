/* SPDX-License-Identifier: MIT */
/* t-model-thread.c: the model's threads: turns, FS and GS at a switch with FSGSBASE and without, and the system calls about them. */
#include <string.h>

#include "guest/abi.h"
#include "tap/tap.h"
#include "vmm/model.h"

static const uint8_t text[] = { 0x0f, 0x05, 0x90 };     /* syscall; nop */

static struct model fresh(bool fsgsbase, bool second)
{
	struct model_boot boot = { .entry = ABI_USER_TEXT, .entry_2 = second ? ABI_USER_TEXT : 0, .fsgsbase = fsgsbase,
				   .text = text, .text_size = sizeof(text) };
	struct model m;

	model_init(&m, &boot);
	return m;
}

/* The call, made by whoever runs; its result if the turn stays. */
static uint64_t call(struct model *m, uint64_t number, uint64_t arg)
{
	char err[200];

	m->rip = ABI_USER_TEXT;
	m->gpr[GPR_RAX] = number;
	m->gpr[GPR_RDI] = arg;
	return model_step(m, err, sizeof(err)) ? m->gpr[GPR_RAX] : 0xdead;
}

static void test_turns(void)
{
	struct model m = fresh(true, false), first = m, second;
	unsigned same = 0;

	is_u64(model_threads(&m), 1, "one thread");
	model_reschedule(&m);
	ok(!memcmp(&m, &first, sizeof(m)), "whose turn it always is");
	m = first = fresh(true, true);
	is_u64(model_threads(&m), 2, "two threads");
	model_reschedule(&m);
	second = m;
	for (unsigned n = 0; n < GPR_COUNT; n++)
		for (unsigned k = 0; k < GPR_COUNT; k++)
			same += first.gpr[n] == second.gpr[k] && n != GPR_RCX && k != GPR_RCX;
	is_u64(same, 0, "no register of the one equals one of the other, but where they are told the same");
	ok(m.current == 1 && m.gpr[GPR_RSP] == ABI_USER_RSP_2 && m.gpr[GPR_RDI] == ABI_USER_GS_2, "the second one has a stack and a value");
	model_reschedule(&m);
	ok(m.current == 0 && !memcmp(m.gpr, first.gpr, sizeof(m.gpr)) && m.rip == first.rip, "and the first one has its turn again as it was");
	call(&m, ABI_SYS_YIELD, 0);
	is_u64(m.current, 1, "a yield ends in the other");
	model_reschedule(&m);
	ok(m.rip == ABI_USER_TEXT + 2 && m.gpr[GPR_RAX] == 0, "which has its result when it comes back");
}

/* A thread with these goes and comes back. */
static struct model after_switch(bool fsgsbase, uint16_t selector, uint64_t tls, uint64_t base)
{
	struct model m = fresh(fsgsbase, true);

	m.gs = m.fs = selector;
	m.gs_base = m.fs_base = base;
	m.tls = tls;
	model_reschedule(&m);
	ok(!m.gs && !m.fs && !m.gs_base && !m.fs_base && m.tls == MODEL_TLS_NONE, "the other has nothing of it");
	model_reschedule(&m);
	return m;
}

static void base_is(bool fsgsbase, uint16_t selector, uint64_t tls, uint16_t selector_after, uint64_t base_after, const char *name)
{
	struct model m = after_switch(fsgsbase, selector, tls, 0x123000);

	ok(m.gs == selector_after && m.fs == selector_after, "%s: selectors", name);
	ok(m.gs_base == base_after && m.fs_base == base_after, "%s: bases", name);
}

static void test_bases(void)
{
	base_is(true, 0, MODEL_TLS_NONE, 0, 0x123000, "FSGSBASE, null");
	base_is(true, ABI_TLS, 0x5000, ABI_TLS, 0x123000, "FSGSBASE, TLS");
	base_is(true, ABI_TLS, MODEL_TLS_NONE, 0, 0x123000, "FSGSBASE, a TLS that has gone");
	base_is(false, 0, MODEL_TLS_NONE, 0, 0x123000, "by MSR, null");
	base_is(false, ABI_USER_SS, 0x5000, ABI_USER_SS, 0, "by MSR, a selector of base 0");
	base_is(false, ABI_TLS, 0x5000, ABI_TLS, 0x5000, "by MSR, TLS");
	base_is(false, ABI_TLS, MODEL_TLS_NONE, 0, 0, "by MSR, a TLS that has gone");
}

static void test_peek(void)
{
	struct model m = fresh(false, false);

	is_u64(call(&m, ABI_SYS_PEEK_GS, 0), -(uint64_t)ABI_ESRCH, "nobody to look at");
	is_u64(call(&m, ABI_SYS_POKE_FS, 0), -(uint64_t)ABI_ESRCH, "nor to write to");
	m = fresh(false, true);
	is_u64(call(&m, ABI_SYS_POKE_GS, ABI_TASK_SIZE_MAX), -(uint64_t)ABI_EIO, "a base outside of user space is refused");
	is_u64(call(&m, ABI_SYS_POKE_GS, ABI_TASK_SIZE_MAX - 1), 0, "the highest inside is not");
	is_u64(call(&m, ABI_SYS_PEEK_GS, 0), ABI_TASK_SIZE_MAX - 1, "and is read back");
	is_u64(call(&m, ABI_SYS_PEEK_FS, 0), 0, "FS is another");
	m.parked[1].gs = ABI_TLS;
	is_u64(call(&m, ABI_SYS_PEEK_GS, 0), 0, "a selector wins: its descriptor is not there");
	m.parked[1].tls = 0x7000;
	is_u64(call(&m, ABI_SYS_PEEK_GS, 0), 0x7000, "or is");
	m.fsgsbase = true;
	is_u64(call(&m, ABI_SYS_PEEK_GS, 0), ABI_TASK_SIZE_MAX - 1, "with FSGSBASE it does not");
}

static void test_fork_and_exec(void)
{
	struct model m = fresh(true, false);

	m.gs_base = 0x1000;
	m.fs = ABI_USER_SS;
	m.gpr[GPR_RBX] = ABI_TASK_SIZE_MAX;
	is_u64(call(&m, ABI_SYS_FORK, 0x5000), -(uint64_t)ABI_EFAULT, "no thread outside of user space");
	m.gpr[GPR_RBX] = ABI_USER_TEXT + 2;
	is_u64(call(&m, ABI_SYS_FORK, 0x5000), 1, "a thread is made");
	is_u64(call(&m, ABI_SYS_FORK, 0x5000), -(uint64_t)ABI_EAGAIN, "and no third one");
	m.gs_base = 0x2000;
	is_u64(call(&m, ABI_SYS_SET_TLS, 1ull << 32), -(uint64_t)ABI_EINVAL, "a TLS base has 32 bits");
	is_u64(call(&m, ABI_SYS_SET_TLS, 0xffffffff), 0, "all of them");
	is_u64(call(&m, ABI_SYS_EXEC, ABI_TASK_SIZE_MAX), -(uint64_t)ABI_EFAULT, "no program outside of user space");
	ok(m.fs == ABI_USER_SS && m.gs_base == 0x2000, "what is refused changes nothing");
	is_u64(call(&m, ABI_SYS_EXEC, ABI_USER_TEXT + 2), 0, "a program begins anew");
	ok(m.rip == ABI_USER_TEXT + 2 && !m.fs && !m.gs && !m.gs_base && !m.fs_base && m.tls == MODEL_TLS_NONE, "with nothing of the last one");
	model_reschedule(&m);
	ok(m.rip == ABI_USER_TEXT + 2 && m.gpr[GPR_RSP] == 0x5000 && !m.gpr[GPR_RAX] && m.gs_base == 0x1000 && m.fs == ABI_USER_SS,
	   "the child has what its parent had then");
}

int main(void)
{
	plan(8 + 7 * 3 + 9 + 10);
	test_turns();
	test_bases();
	test_peek();
	test_fork_and_exec();
	return done();
}
