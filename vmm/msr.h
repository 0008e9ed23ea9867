/* SPDX-License-Identifier: MIT */
/* msr.h: the model-specific registers that the bench reads or saves (SDM vol. 4). */
#ifndef VMM_MSR_H
#define VMM_MSR_H

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_MCG_CAP 0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MCG_CTL 0x17b
#define MSR_MC0_CTL 0x400
#define MSR_MC0_STATUS 0x401            /* bank n: + 4 * n */

#endif
