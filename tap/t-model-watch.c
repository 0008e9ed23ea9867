/* SPDX-License-Identifier: MIT */
/* t-model-watch.c: in the model of the user program, which instructions hit the eight bytes that it watches, and what the program is told. */
#include "tap/model_text.h"

#define SYSCALL 0x0f, 0x05
#define WATCHED (ABI_USER_DATA + 8)

static bool call(uint64_t number, uint64_t arg)
{
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RAX] = number;
	m.gpr[GPR_RDI] = arg;
	return step();
}

static void begin_watching(uint64_t at)
{
	BEGIN(SYSCALL);
	ok(call(ABI_SYS_WATCH, at) && !m.gpr[GPR_RAX] && m.watch == at, "%#lx is watched", (unsigned long)at);
}

/* One instruction with RSI and RSP at these addresses: does it hit? */
static void access_at(const uint8_t *text, size_t size, uint64_t addr, bool hits, const char *name)
{
	begin_watching(WATCHED);
	m.text = text;
	m.text_size = size;
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RSI] = m.gpr[GPR_RSP] = addr;
	steps_to(addr == ABI_USER_UNMAPPED ? 0x40 : size, name);
	ok(m.watch_hit == hits, hits ? "it hits" : "it does not hit");
	is_u64(m.hits, hits, "and is counted");
}

#define ACCESS(addr, hits, name, ...) do { \
	static const uint8_t text[] = { __VA_ARGS__ }; \
	access_at(text, sizeof(text), addr, hits, name); \
} while (0)

static void test_accesses(void)
{
	ACCESS(WATCHED, true, "a load of it", 0x48, 0x8b, 0x16);
	ACCESS(WATCHED, true, "a store to it", 0x48, 0x89, 0x2e);
	ACCESS(WATCHED - 7, true, "a load up to its first byte", 0x48, 0x8b, 0x16);
	ACCESS(WATCHED - 8, false, "a load of what is before", 0x48, 0x8b, 0x16);
	ACCESS(WATCHED + 7, true, "a store of four bytes from its last on", 0x89, 0x2e);
	ACCESS(WATCHED + 8, false, "a store to what is behind", 0x48, 0x89, 0x2e);
	ACCESS(WATCHED + 8, true, "a push", 0x53);
	ACCESS(WATCHED, true, "a pop", 0x5a);
	ACCESS(WATCHED, true, "a load from it and a push beside it, once,", 0xff, 0x36);
	ACCESS(WATCHED, false, "an address of it", 0x48, 0x8d, 0x16);
	ACCESS(ABI_USER_UNMAPPED, false, "a fault elsewhere", 0x48, 0x8b, 0x16);
}

/* PUSH of the watched word to where nothing can be stored. */
static void test_fault(void)
{
	begin_watching(WATCHED);
	m.text = (const uint8_t[]){ 0xff, 0x36 };
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RSI] = WATCHED;
	m.gpr[GPR_RSP] = ABI_USER_UNMAPPED;
	ok(step() && m.gpr[GPR_RAX] == 14, "touched, and then a fault");
	ok(!m.watch_hit && !m.hits, "is no hit");
}

static void test_kernel(void)
{
	begin_watching(WATCHED);
	ok(call(ABI_SYS_READ, WATCHED - 8) && !m.hits, "READ of what is before does not hit");
	ok(call(ABI_SYS_READ, WATCHED + 1) && m.hits == 1, "READ of a part of it does");
	ok(!m.watch_hit, "but not at CPL 3");
	ok(call(ABI_SYS_SIGRETURN, WATCHED - 8) && m.hits == 2, "of the five words of SIGRETURN one hits");
	BEGIN(SYSCALL);
	call(ABI_SYS_WATCH, ABI_USER_DATA + 0xff8);
	ok(call(ABI_SYS_SIGRETURN, ABI_USER_DATA + 0xff8) && m.gpr[GPR_RAX] == -14ull && m.hits == 1, "also if the next one faults");
	ok(call(ABI_SYS_WATCH, 0) && m.gpr[GPR_RAX] == 1 && !m.watch && !m.hits, "the program is told of it once");
	is_u64(model_dr7(&m), ABI_DR7_ARMED, "and nothing is watched then");
}

static void test_refusals(void)
{
	begin_watching(WATCHED);
	ok(call(ABI_SYS_WATCH, WATCHED + 4) && m.gpr[GPR_RAX] == -22ull, "EINVAL if not aligned");
	ok(call(ABI_SYS_WATCH, ABI_TASK_SIZE_MAX) && m.gpr[GPR_RAX] == -14ull, "EFAULT at the end of user space");
	ok(call(ABI_SYS_WATCH, ABI_KERNEL_VIRT) && m.gpr[GPR_RAX] == -14ull, "EFAULT in the kernel");
	ok(m.watch == WATCHED && model_dr7(&m) == (ABI_DR7_ARMED | ABI_DR7_WATCH), "and what was watched still is");
}

int main(void)
{
	plan(11 * 4 + 3 + 8 + 5);
	test_accesses();
	test_fault();
	test_kernel();
	test_refusals();
	return done();
}
