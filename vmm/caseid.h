/* SPDX-License-Identifier: MIT */
/* caseid.h: the name of one case, everything needed to repeat it: SCENARIO/SCHEME/GS/[cpuN.]SYM+0xOFF@N:EVENT[,cpuM@N]. */
#ifndef VMM_CASEID_H
#define VMM_CASEID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/event.h"
#include "vmm/gsvalue.h"

#define CASEID_TURNS 100
#define CASEID_SIZE 320                 /* enough for every formatted id */

struct caseid {
	char scenario[64];
	enum scheme scheme;
	enum gs_name gs;
	bool has_cpu;                   /* cpuN. stands before the symbol: where there is more than one */
	unsigned cpu;
	char symbol[128];
	uint64_t offset;
	unsigned visit;                 /* 1 is the first since the snapshot */
	enum event event;
	unsigned turns;                 /* ,cpuM@N: so many turns has the other CPU while the event is in its body; 0: it stands still */
};

/* False with one line in err. */
bool caseid_parse(const char *text, struct caseid *out, char *err, size_t err_size);
/* The same without SCENARIO/: out->scenario is "". */
bool caseid_parse_tail(const char *text, struct caseid *out, char *err, size_t err_size);
void caseid_format(const struct caseid *c, char *out, size_t out_size);

#endif
