/* SPDX-License-Identifier: MIT */
/* lapic.c: the local APIC as the way in for NMIs: QEMU's monitor raises them at its pin LINT1. */
#include "guest/abi.h"
#include "guest/lapic.h"

/* Where every processor has it after reset, and the last large page of the kernel's GB. */
#define LAPIC_PHYS    0xfee00000
#define LAPIC_PD      511
#define LAPIC_VIRT    (ABI_KERNEL_VIRT + LAPIC_PD * 0x200000ull)
#define LARGE_DEVICE  0xfb                      /* P RW PWT PCD A D PS */

#define LAPIC_SVR     0xf0
#define LAPIC_LINT1   0x360
#define SVR_ENABLED   0x1ff                     /* the spurious vector is 0xff */
#define LVT_NMI       0x400                     /* delivery mode NMI, not masked */

extern uint64_t kernel_pd[512];

static void write_register(unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(LAPIC_VIRT + offset) = value;
}

/* Not mapped by the image: a machine without one has the same page tables as ever. */
void lapic_init(void)
{
	*(volatile uint64_t *)&kernel_pd[LAPIC_PD] = LAPIC_PHYS | LARGE_DEVICE;
	write_register(LAPIC_SVR, SVR_ENABLED);
	write_register(LAPIC_LINT1, LVT_NMI);
}
