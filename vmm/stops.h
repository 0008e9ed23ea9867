/* SPDX-License-Identifier: MIT */
/* stops.h: where the guest stops: HLT bytes in its text, single ones or on every instruction start (the
 * carpet); or, for an engine that has other means, the list of places alone. Pure: works on RAM and knows nothing of KVM. */
#ifndef VMM_STOPS_H
#define VMM_STOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/decode.h"
#include "vmm/mem.h"

/* Text that may hold stops: virtually and physically contiguous. */
struct text_range {
	gva_t va;
	uint64_t size;
	uint8_t *ram;           /* where the guest executes it */
	uint8_t *stopped;       /* where the bytes of stops are: there, or in a copy */
	uint8_t *plain;         /* the image's bytes */
	uint8_t *carpet;        /* HLT on every instruction start */
	bool *set;              /* a stop of ours is here now */
	bool *kept;             /* stops_keep() */
	struct insn_starts starts;
};

#define STOPS_RANGES 2

struct stops {
	struct text_range range[STOPS_RANGES];
	unsigned ranges;
	bool apart;             /* text stays as it is; to be set before stops_add() */
	bool carpet;            /* a stop everywhere, but for those lifted since */
};

/* Adds text that lies at va and, in RAM, at gpa. The bytes there now are what it is without stops. */
void stops_add(struct stops *s, const struct mem *m, gva_t va, gpa_t gpa, uint64_t size);
void stops_free(struct stops *s);

void stops_set(struct stops *s, gva_t at);
void stops_lift(struct stops *s, gva_t at);
bool stops_is_set(const struct stops *s, gva_t at);

/* Has the guest written to its text? Then *at is the first byte that is neither the image's nor a stop. */
bool stops_text_changed(const struct stops *s, gva_t *at);

/* All lifted; or one on every instruction start. */
void stops_clear(struct stops *s);
void stops_carpet(struct stops *s);

/* Remembers which stops are set, and sets exactly those again. One level deep. */
void stops_keep(struct stops *s);
void stops_bring_back(struct stops *s);

/* Is there an IRETQ of the image's? */
bool stops_is_iretq(const struct stops *s, gva_t at);

/* The image's bytes from `at` to the end of its text (NULL outside of it), whatever stops are set. */
const uint8_t *stops_text(const struct stops *s, gva_t at, uint64_t *available);

#endif
