/* SPDX-License-Identifier: MIT */
/* t-model-prctl.c: in the model of the user program, SYS_PRCTL leaves and answers what guest/abi.h promises. */
#include <string.h>

#include "tap/model_text.h"

#define AT (ABI_USER_DATA + 0x20)

static uint64_t word(unsigned offset)
{
	uint64_t value;

	memcpy(&value, m.data + offset, sizeof(value));
	return value;
}

static uint64_t prctl(uint64_t call, uint64_t argument)
{
	static const uint8_t text[] = { 0x0f, 0x05 };   /* syscall */

	m.text = text;
	m.text_size = sizeof(text);
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RAX] = ABI_SYS_PRCTL;
	m.gpr[GPR_RDI] = call;
	m.gpr[GPR_RSI] = argument;
	return step() ? m.gpr[GPR_RAX] : 0xdead;
}

static uint64_t set_percpu(uint64_t base, uint64_t stride)
{
	const uint64_t pair[2] = { base, stride };

	memcpy(m.data + 0x20, pair, sizeof(pair));
	return prctl(ABI_PRCTL_SET_GS_PERCPU, AT);
}

static void test_bases(void)
{
	BEGIN(0x90);
	m.gs = ABI_USER_SS;
	is_u64(prctl(ABI_PRCTL_SET_GS, ABI_TASK_SIZE_MAX), -(uint64_t)ABI_EPERM, "SET_GS above user space is refused");
	is_u64(m.gs, ABI_USER_SS, "and leaves the selector");
	is_u64(prctl(ABI_PRCTL_SET_GS, ABI_TASK_SIZE_MAX - 1), 0, "its last address is not");
	ok(m.gs_base == ABI_TASK_SIZE_MAX - 1 && !m.gs, "the base is set, the selector null");
	is_u64(prctl(ABI_PRCTL_GET_GS, AT), 0, "GET_GS");
	is_u64(word(0x20), ABI_TASK_SIZE_MAX - 1, "writes U");
	is_u64(prctl(ABI_PRCTL_SET_FS, 0x700000001000), 0, "SET_FS");
	is_u64(prctl(ABI_PRCTL_GET_FS, AT + 8), 0, "GET_FS");
	is_u64(word(0x28), 0x700000001000, "writes FS base");
	is_u64(prctl(ABI_PRCTL_SET_FS, ~0ull), -(uint64_t)ABI_EPERM, "SET_FS above user space is refused");
	is_u64(m.fs_base, 0x700000001000, "and changes nothing");
	is_u64(prctl(ABI_PRCTL_GET_GS, ABI_USER_UNMAPPED), -(uint64_t)ABI_EFAULT, "GET_GS to where nothing is");
	is_u64(prctl(ABI_PRCTL_GET_FS, ABI_USER_TEXT), -(uint64_t)ABI_EFAULT, "GET_FS to text");
	is_u64(prctl(ABI_PRCTL_GET_FS, ABI_TASK_SIZE_MAX - 7), -(uint64_t)ABI_EFAULT, "GET_FS half outside");
	is_u64(prctl(ABI_PRCTL_SET_GS - 1, 0), -(uint64_t)ABI_EINVAL, "a number before the first");
	is_u64(prctl(ABI_PRCTL_GET_GS_PERCPU + 1, 0), -(uint64_t)ABI_EINVAL, "a number behind the last");
}

static void test_stride(void)
{
	BEGIN(0x90);
	m.cpu = 1;
	is_u64(prctl(ABI_PRCTL_GET_GS_PERCPU, AT), -(uint64_t)ABI_ENOENT, "no stride to tell at first");
	is_u64(set_percpu(ABI_TASK_SIZE_MAX, 0), -(uint64_t)ABI_EPERM, "a base above user space is refused");
	is_u64(set_percpu(0x10000, (ABI_TASK_SIZE_MAX - 0x10000) / ABI_CPUS + 1), -(uint64_t)ABI_EOVERFLOW,
	       "a stride that leads out of it");
	is_u64(set_percpu(0x10000, -0x1000ull), -(uint64_t)ABI_EOVERFLOW, "or down");
	is_u64(prctl(ABI_PRCTL_SET_GS_PERCPU, ABI_USER_DATA + 0xff8), -(uint64_t)ABI_EFAULT, "half a pair");
	ok(!m.gs_is_percpu && !m.gs_base, "nothing is set by then");
	is_u64(set_percpu(0x10000, 0x1000), 0, "SET_GS_PERCPU");
	is_u64(m.gs_base, 0x11000, "on CPU 1 U is one stride up");
	is_u64(prctl(ABI_PRCTL_GET_GS_PERCPU, AT + 0x20), 0, "GET_GS_PERCPU");
	ok(word(0x40) == 0x10000 && word(0x48) == 0x1000, "writes the pair");
	is_u64(prctl(ABI_PRCTL_GET_GS_PERCPU, ABI_USER_DATA + 0xff8), -(uint64_t)ABI_EFAULT, "half of it to nowhere");
	is_u64(word(0xff8), 0x10000, "the first half is there");
	is_u64(set_percpu(0, 0x2000), 0, "no base is a base, too");
	is_u64(m.gs_base, 0x2000, "with a stride");
}

static void is_taken_back(const char *name)
{
	is_u64(prctl(ABI_PRCTL_GET_GS_PERCPU, AT), -(uint64_t)ABI_ENOENT, "%s takes the stride back", name);
}

static void syscall_with(uint64_t number, uint64_t argument)
{
	set_percpu(0x10000, 0x1000);
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RAX] = number;
	m.gpr[GPR_RDI] = argument;
	step();
}

static void wrgsbase(uint64_t base)
{
	static const uint8_t text[] = { 0xf3, 0x48, 0x0f, 0xae, 0xdf }; /* wrgsbase %rdi */

	m.text = text;
	m.text_size = sizeof(text);
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RDI] = base;
	steps_to(5, "WRGSBASE");
}

static void test_taken_back(void)
{
	BEGIN(0x90);
	set_percpu(0x10000, 0x1000);
	prctl(ABI_PRCTL_SET_GS, 0x10000);
	is_taken_back("SET_GS, even of what U is,");
	syscall_with(ABI_SYS_SET_GS, 0x10000);
	is_taken_back("SYS_SET_GS");
	syscall_with(ABI_SYS_LOAD_GS, ABI_USER_SS);
	is_taken_back("LOAD_GS");
	set_percpu(0x10000, 0x1000);
	wrgsbase(0x5000);
	prctl(ABI_PRCTL_GET_FS, AT);
	m.gs_base = 0x10000;
	is_taken_back("another base, seen by the kernel once,");
}

/* Wherever the thread goes on, and by WRGSBASE of what U is already. */
static void test_moves(void)
{
	BEGIN(0x90);
	m.cpus = 2;
	set_percpu(0, 0x1000);
	model_move(&m, 1);
	is_u64(m.gs_base, 0x1000, "on another CPU U is a stride higher, though the base is 0");
	wrgsbase(0x1000);
	model_move(&m, 0);
	is_u64(m.gs_base, 0, "and back again: WRGSBASE of what U was has taken nothing back");
	model_move(&m, 1);
	wrgsbase(0x5000);
	model_move(&m, 0);
	is_u64(m.gs_base, 0x5000, "that of another base has");
	is_taken_back("which is known there, and");
	set_percpu(0, 0x1000);
	syscall_with(ABI_SYS_EXEC, ABI_USER_TEXT);
	is_u64(m.gs_base, 0, "EXEC");
	is_taken_back("EXEC");
	set_percpu(0, 0x1000);
	syscall_with(ABI_SYS_EXEC, ~0ull);
	is_u64(prctl(ABI_PRCTL_GET_GS_PERCPU, AT), 0, "but not if it is refused");
}

/* The child has the two, and each keeps its own. */
static void test_fork(void)
{
	BEGIN(0x90);
	set_percpu(0x10000, 0x1000);
	m.gpr[GPR_RBX] = ABI_USER_TEXT;
	syscall_with(ABI_SYS_FORK, ABI_USER_RSP_2);
	set_percpu(0x20000, 0x2000);
	model_reschedule(&m);
	is_u64(m.current, 1, "the child's turn");
	is_u64(m.gs_base, 0x10000, "it has the base");
	is_u64(prctl(ABI_PRCTL_GET_GS_PERCPU, AT + 0x20), 0, "and is told that it has a stride");
	ok(word(0x40) == 0x10000 && word(0x48) == 0x1000, "which is its parent's of then");
	prctl(ABI_PRCTL_SET_GS, 0x10000);
	model_reschedule(&m);
	is_u64(prctl(ABI_PRCTL_GET_GS_PERCPU, AT + 0x20), 0, "its parent's own is not taken back with it");
	ok(word(0x40) == 0x20000 && word(0x48) == 0x2000, "and is the later one");
}

int main(void)
{
	plan(16 + 14 + 5 + 9 + 6);
	test_bases();
	test_stride();
	test_taken_back();
	test_moves();
	test_fork();
	return done();
}
