/* SPDX-License-Identifier: MIT */
/* cpu.h: one inline function per instruction that C has no word for, and the bits it takes. */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include "guest/abi.h"

#define CR4_DE       (1ull << 3)
#define CR4_MCE      (1ull << 6)
#define CR4_FSGSBASE (1ull << 16)
#define EFER_SCE     (1ull << 0)
#define RFLAGS_FIXED (1ull << 1)
#define RFLAGS_TF    (1ull << 8)
#define RFLAGS_IF    (1ull << 9)
#define RFLAGS_DF    (1ull << 10)
#define RFLAGS_RF    (1ull << 16)

#define CPUID_FEATURES_7      7
#define CPUID_7_EBX_FSGSBASE  (1u << 0)

#define MSR_MCG_CAP        0x179
#define MSR_MCG_STATUS     0x17a
#define MSR_MCG_CTL        0x17b
#define MSR_MC_CTL(bank)    (0x400 + 4 * (bank))
#define MSR_MC_STATUS(bank) (0x401 + 4 * (bank))
#define MSR_PKRS           0x6e1
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_FMASK          0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#ifndef __ASSEMBLER__
static inline void cpu_outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void cpu_outl(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

/* IF is 0 everywhere in this kernel: only an NMI or a machine check ends a HLT, and then it halts again. */
/* Interrupts may come from the second instruction after it on. */
static inline void cpu_sti(void)
{
	asm volatile("sti" ::: "memory");
}

static inline void cpu_nop(void)
{
	asm volatile("nop");
}

static inline void cpu_cli(void)
{
	asm volatile("cli" ::: "memory");
}

static inline __attribute__((noreturn)) void cpu_halt(void)
{
	for (;;)
		asm volatile("hlt");
}

static inline uint64_t cpu_rdmsr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

static inline void cpu_wrmsr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void cpu_load_fs(uint16_t selector)
{
	asm volatile("mov %0, %%fs" : : "r"((uint32_t)selector) : "memory");
}

static inline uint32_t cpu_cpuid_eax(uint32_t leaf)
{
	uint32_t eax = leaf, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return eax;
}

static inline uint32_t cpu_cpuid_ebx(uint32_t leaf)
{
	uint32_t eax = leaf, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ebx;
}

static inline uint64_t cpu_rflags(void)
{
	uint64_t flags;

	asm volatile("pushfq; popq %0" : "=r"(flags));
	return flags;
}

/* IF := 0, and back to what it was. */
static inline uint64_t cpu_irq_save(void)
{
	uint64_t flags = cpu_rflags();

	cpu_cli();
	return flags;
}

static inline void cpu_irq_restore(uint64_t flags)
{
	asm volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

/* Of the running thread; there is no inactive FS base. */
static inline uint64_t cpu_rdfsbase(void)
{
	uint64_t base;

	asm volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static inline void cpu_wrfsbase(uint64_t base)
{
	asm volatile("wrfsbase %0" : : "r"(base) : "memory");
}

static inline uint16_t cpu_read_fs(void)
{
	uint32_t selector;

	asm volatile("mov %%fs, %0" : "=r"(selector));
	return selector;
}

static inline uint16_t cpu_read_gs(void)
{
	uint32_t selector;

	asm volatile("mov %%gs, %0" : "=r"(selector));
	return selector;
}

static inline uint64_t cpu_read_cr2(void)
{
	uint64_t value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t cpu_read_cr4(void)
{
	uint64_t value;

	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void cpu_write_cr4(uint64_t value)
{
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

#define CPU_DEBUG_REGISTER(n)                                                       \
	static inline uint64_t cpu_read_dr##n(void)                                 \
	{                                                                           \
		uint64_t value;                                                     \
		asm volatile("mov %%dr" #n ", %0" : "=r"(value));                   \
		return value;                                                       \
	}                                                                           \
	static inline void cpu_write_dr##n(uint64_t value)                          \
	{                                                                           \
		asm volatile("mov %0, %%dr" #n : : "r"(value) : "memory");          \
	}
CPU_DEBUG_REGISTER(0)
CPU_DEBUG_REGISTER(1)
CPU_DEBUG_REGISTER(2)
CPU_DEBUG_REGISTER(3)
CPU_DEBUG_REGISTER(6)
CPU_DEBUG_REGISTER(7)

struct cpu_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static inline void cpu_sgdt(struct cpu_table *t)
{
	asm volatile("sgdt %0" : "=m"(*t));
}

static inline void cpu_sidt(struct cpu_table *t)
{
	asm volatile("sidt %0" : "=m"(*t));
}

static inline void cpu_lidt(const struct cpu_table *t)
{
	asm volatile("lidt %0" : : "m"(*t));
}

static inline void cpu_ltr(uint16_t selector)
{
	asm volatile("ltr %0" : : "r"(selector));
}
#endif
#endif
