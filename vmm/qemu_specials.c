/* SPDX-License-Identifier: MIT */
/* qemu_specials.c: the instructions of the guest's text that the bench must not let QEMU run past: port writes and HLT. */
#include "vmm/qemu_specials.h"

#include "vmm/die.h"

#define OPERAND_16 0x66
#define OUT_IMM_8 0xe6
#define OUT_IMM 0xe7
#define OUT_DX_8 0xee
#define OUT_DX 0xef
#define HLT 0xf4

/* SDM vol. 2B, OUT: 8 bits, or 32, with the operand size prefix 16. */
static bool is_special(const uint8_t *bytes, uint64_t left, struct qemu_special *s)
{
	unsigned prefix = left > 1 && bytes[0] == OPERAND_16;
	uint8_t op = left > prefix ? bytes[prefix] : 0;

	*s = (struct qemu_special){ .kind = SPECIAL_OUT, .length = prefix + 1, .size = 1 };
	if (op == OUT_IMM || op == OUT_DX)
		s->size = prefix ? 2 : 4;
	s->by_dx = op == OUT_DX_8 || op == OUT_DX;
	if (s->by_dx)
		return true;
	if ((op == OUT_IMM_8 || op == OUT_IMM) && left > prefix + 1) {
		s->port = bytes[prefix + 1];
		s->length++;
		return true;
	}
	s->kind = SPECIAL_HLT;
	return op == HLT && !prefix;
}

static void find_in(struct qemu_vcpu *v, const struct text_range *r)
{
	struct qemu_special s;

	for (size_t n = 0; n < r->starts.count; n++) {
		uint64_t offset = r->starts.addr[n] - r->va;

		if (!is_special(r->plain + offset, r->size - offset, &s))
			continue;
		if (v->specials == QEMU_SPECIALS)
			die(EXIT_USAGE, "the image has more than %u port accesses: the engine cannot watch them all", QEMU_SPECIALS);
		s.at = r->starts.addr[n];
		v->special[v->specials++] = s;
	}
}

void qemu_specials_find(struct qemu_vcpu *v, const struct stops *stops)
{
	if (v->specials)
		return;
	for (unsigned n = 0; n < stops->ranges; n++)
		find_in(v, &stops->range[n]);
}

const struct qemu_special *qemu_special_at(const struct qemu_vcpu *v, gva_t at)
{
	for (unsigned n = 0; n < v->specials; n++)
		if (v->special[n].at == at)
			return &v->special[n];
	return NULL;
}
