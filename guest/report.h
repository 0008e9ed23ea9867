/* SPDX-License-Identifier: MIT */
/* report.h: what the guest says to the bench through its ports. None of it uses GS. */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

#include "guest/abi.h"

void report_text(const char *text);
void report_hex(uint64_t value);

/* One console line "panic: what: detail" (detail may be NULL), the reason (ABI_PANIC_*) to ABI_PORT_PANIC, halt. */
void report_panic(uint32_t reason, const char *what, const char *detail) __attribute__((noreturn));
/* The same for an exception that nobody expects: its mnemonic and where it happened. */
void report_trap(const char *mnemonic, const struct abi_frame *frame) __attribute__((noreturn));
/* The workload's end. */
void report_done(uint32_t result) __attribute__((noreturn));

#endif
