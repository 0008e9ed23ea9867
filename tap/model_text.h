/* SPDX-License-Identifier: MIT */
/* model_text.h: a model at the start of a few bytes of text, for t-model.c and t-model-kernel.c. */
#ifndef TAP_MODEL_TEXT_H
#define TAP_MODEL_TEXT_H

#include <string.h>

#include "guest/abi.h"
#include "tap/tap.h"
#include "vmm/model.h"

static struct model m;
static char err[256];

/* A model at the start of this text, FSGSBASE offered, RBX at a known handler. */
#define BEGIN(...) do { \
	static const uint8_t text[] = { __VA_ARGS__ }; \
	begin(text, sizeof(text)); \
} while (0)

static void begin(const uint8_t *text, size_t size)
{
	struct model_boot boot = { .entry = ABI_USER_TEXT, .gs = 0x1000, .flags = 0x240602, .fsgsbase = true,
				   .text = text, .text_size = size };

	model_init(&m, &boot);
	m.gpr[GPR_RBX] = ABI_USER_TEXT + 0x40;
	strcpy(err, "no error was given");
}

static bool step(void)
{
	return model_step(&m, err, sizeof(err));
}

/* Steps once; the instruction must be one that the model knows, and RIP must go on behind it or to target. */
static void steps_to(uint64_t offset, const char *name)
{
	bool good = step();

	ok(good && m.rip == ABI_USER_TEXT + offset, "%s", name);
	if (!good)
		tap_str(__FILE__, __LINE__, err, "", "no error");
}

#endif
