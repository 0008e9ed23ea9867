/* SPDX-License-Identifier: MIT */
/* state.c: the names of registers. */
#include "vmm/state.h"

static const char *const names[GPR_COUNT] = {
	"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
	"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
};

const char *gpr_name(enum gpr n)
{
	return names[n];
}
