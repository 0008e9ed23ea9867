/* SPDX-License-Identifier: MIT */
/* fuzz.h: what the fuzz targets share: one input a call, and what every parser promises of it. */
#ifndef TAP_FUZZ_H
#define TAP_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding, which libFuzzer keeps the input of. */
#define MUST(condition) do { if (!(condition)) __builtin_trap(); } while (0)

/* What a parser says of bad input: one line, and something. */
#define MUST_SAY(err) MUST(*(err) && !(err)[strcspn((err), "\n")])

#endif
