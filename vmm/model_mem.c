/* SPDX-License-Identifier: MIT */
/* model_mem.c: the user pages of the model, and every access to anything else. */
#include "guest/abi.h"
#include "vmm/mem.h"
#include "vmm/model_step.h"

#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_USER    4u
#define VECTOR_PF  14

static bool in(uint64_t addr, uint64_t start, uint64_t size)
{
	return addr - start < size;
}

static bool is_canonical(uint64_t addr)
{
	return addr < 1ull << 47 || addr >= -(1ull << 47);
}

static uint64_t second_stack(const struct model *m)
{
	return m->stack_page - ABI_USER_STACK_STEP;
}

static uint64_t text_pages(const struct model *m)
{
	return (m->text_size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
}

/* May user code (or the kernel for it) touch this byte? What follows the text in its last page is not known. */
enum byte_state model_byte(const struct model *m, uint64_t addr, bool write)
{
	if (!is_canonical(addr))
		return BYTE_UNKNOWN;            /* #GP, which no contract covers */
	if (in(addr, ABI_USER_DATA, PAGE_SIZE) || in(addr, m->stack_page, PAGE_SIZE) || in(addr, second_stack(m), PAGE_SIZE))
		return BYTE_GOOD;
	for (unsigned n = 0; n < ABI_THREADS; n++)
		if (in(addr, ABI_USER_STACK - n * ABI_USER_STACK_STEP, PAGE_SIZE))
			return BYTE_UNKNOWN;    /* another CPU's thread's */
	if (write || !in(addr, ABI_USER_TEXT, text_pages(m)))
		return BYTE_FAULT;
	return in(addr, ABI_USER_TEXT, m->text_size) ? BYTE_GOOD : BYTE_UNKNOWN;
}

/* A byte that model_byte called good; NULL for text, which is read only. */
uint8_t *model_byte_at(struct model *m, uint64_t addr)
{
	if (in(addr, ABI_USER_DATA, PAGE_SIZE))
		return &m->data[addr - ABI_USER_DATA];
	if (in(addr, m->stack_page, PAGE_SIZE))
		return &m->stack[addr - m->stack_page];
	if (in(addr, second_stack(m), PAGE_SIZE))
		return &m->stack_2[addr - second_stack(m)];
	return NULL;
}

/* The error code of a user access that faults: text and kernel RAM are there, but not for this. */
static uint64_t error_code(const struct model *m, uint64_t addr, bool write)
{
	bool present = in(addr, ABI_USER_TEXT, text_pages(m)) || in(addr, ABI_KERNEL_VIRT, ABI_RAM_SIZE);

	return PF_USER | (write ? PF_WRITE : 0) | (present ? PF_PRESENT : 0);
}

/* All bytes are checked before the first is touched; CR2 is the first that faults. */
static bool check(struct step *s, uint64_t addr, unsigned size, bool write)
{
	uint64_t error;
	unsigned i;

	if (!is_canonical(addr + size - 1))     /* half out: #GP, not #PF for the other half */
		return step_unknown(s, "accesses non-canonical 0x%llx", (unsigned long long)(addr + size - 1));
	for (i = 0; i < size; i++) {
		switch (model_byte(s->m, addr + i, write)) {
		case BYTE_GOOD:
			continue;
		case BYTE_UNKNOWN:
			return step_unknown(s, "accesses 0x%llx: non-canonical or past the end of the text",
					    (unsigned long long)(addr + i));
		case BYTE_FAULT:
			error = error_code(s->m, addr + i, write);
			s->m->gpr[GPR_RDI] = addr + i;
			step_fault(s, VECTOR_PF, error);
			return false;
		}
	}
	return true;
}

/* One hit an instruction: that of the user's at its end, that of the kernel's here, because it copies word by word. */
static void touch(struct step *s, uint64_t addr, unsigned size)
{
	if (!model_is_watched(s->m, addr, size))
		return;
	if (s->outcome == STEP_KERNEL)
		s->m->hits++;
	else
		s->touched = true;
}

bool step_may_store(struct step *s, uint64_t addr, unsigned size)
{
	return check(s, addr, size, true);
}

bool step_load(struct step *s, uint64_t addr, unsigned size, uint64_t *value)
{
	const uint8_t *p;
	unsigned i;

	if (!check(s, addr, size, false))
		return false;
	touch(s, addr, size);
	for (*value = 0, i = 0; i < size; i++) {
		p = model_byte_at(s->m, addr + i);
		*value |= (uint64_t)(p ? *p : s->m->text[addr + i - ABI_USER_TEXT]) << 8 * i;
	}
	return true;
}

bool step_store(struct step *s, uint64_t addr, unsigned size, uint64_t value)
{
	unsigned i;

	if (!check(s, addr, size, true))
		return false;
	touch(s, addr, size);
	for (i = 0; i < size; i++)
		*model_byte_at(s->m, addr + i) = value >> 8 * i;
	return true;
}
