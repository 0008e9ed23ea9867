# SPDX-License-Identifier: MIT
# Makefile: builds the bench and its guest, runs it, tests it. `make help` lists what can be asked for.

# Where everything lands, and the tree whose guest/ is built: a broken guest is built from a patched copy.
OUT := build
SRC := .
EXTRA :=
# `make Q=` shows the commands.
Q := @
MAKEFLAGS += -r --no-print-directory
CC := gcc
.DELETE_ON_ERROR:
.SECONDARY:

# No path of this machine gets into the debug information: source lines read guest/entry.S:42.
COMMON := -I. -g -MMD -MP
CFLAGS := $(COMMON) -std=gnu11 -O2 -Wall -Wextra -Werror -ffile-prefix-map=$(CURDIR)=. $(EXTRA)
LDLIBS := -lZydis -lelf -ldw -linih -ljansson -lpthread -lm

GUEST_ASFLAGS = $(COMMON) -ffile-prefix-map=$(abspath $(SRC))=.
GUEST_CFLAGS = $(GUEST_ASFLAGS) -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-pie -no-pie \
	-mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fomit-frame-pointer -fno-tree-loop-distribute-patterns -fno-reorder-functions
GUEST_LDFLAGS := -nostdlib -static -z noexecstack -z max-page-size=0x1000

# libvirt is optional: without it one small file says so in place of the others.
LIBVIRT := $(if $(shell $(CC) -E -x c -include libvirt/libvirt-qemu.h /dev/null >/dev/null 2>&1 && echo there),with,without)
LDLIBS += $(if $(filter with,$(LIBVIRT)),-lvirt-qemu -lvirt)
ABSENT := $(if $(filter with,$(LIBVIRT)),vmm/libvirt_none.c,vmm/libvirt.c vmm/libvirt_carrier.c vmm/libvirt_domain.c)

VMM := $(patsubst %,$(OUT)/%.o,$(filter-out vmm/main.c $(ABSENT),$(sort $(wildcard vmm/*.c))))
GUEST := $(patsubst $(SRC)/%,$(OUT)/%.o,$(sort $(wildcard $(SRC)/guest/*.c $(SRC)/guest/*.S)))
UNIT := $(patsubst tap/%.c,$(OUT)/%,$(sort $(wildcard tap/t-*.c)))
BROKEN := $(patsubst tap/%.patch,build/%/guest.elf,$(sort $(wildcard tap/broken/*.patch)))

export GSGATE := $(OUT)/gsgate
# The guest that tests look into; one for all builds of the bench.
export GUEST_ELF := build/guest.elf
PROVE := prove --norc --timer --exec tap/exec.sh
# Two tests at once, where tap/rules.yml says that they may.
PROVE_2 := HARNESS_RULESFILE=tap/rules.yml $(PROVE) -j 2
# A build that nobody has given a -j has one job for each CPU.
ALL_CPUS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
FUZZ := elf scenario caseid gdb vmstate
# What their parsers need; clang, which has libFuzzer, does not take the rest.
PURE = $(filter $(patsubst %,$(OUT)/vmm/%.c.o,caseid death decode die elf event gdb_packet gdb_regs gsvalue judge% layout% lines lsl mem model% noswapgs qcow2 scenario% \
	state symbols vmstate%),$(VMM))
export FUZZ_SECONDS ?= 20
SANITIZE := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
# A finding must not pass for an exit status of the contract. Tests look at SANITIZED before they measure time or memory.
# One test preloads a library of its own.
export ASAN_OPTIONS := abort_on_error=1:exitcode=99:verify_asan_link_order=0
export UBSAN_OPTIONS := abort_on_error=1:print_stacktrace=1

.PHONY: all run check check-long check-more check-engines suite fuzz tests broken lint setup setup-check setup-long doctor help clean

all: $(OUT)/gsgate $(OUT)/guest.elf $(OUT)/guest.asm $(OUT)/guest.sym ## build the bench and its guest (no network, no packages)

run: setup ## the main job: every boundary x event x user GS (ARGS='syscall --scheme ist')
	@$(MAKE) $(ALL_CPUS) all
	$(OUT)/gsgate run $(ARGS)

# What waits for libvirt most of the time is left to check-more: this is to stay under ten minutes.
check: setup-check ## the tests: lint, units, all scenarios, everything in tap/*.t but libvirt
	@$(MAKE) $(ALL_CPUS) all tests broken
	@$(PROVE_2) tap/lint.t $(filter-out %/t-libvirt,$(UNIT)) $(OUT)/gsgate $(filter-out tap/lint.t tap/libvirt.t,$(sort $(wildcard tap/*.t)))

check-long: check ## check, all of make run, the fuzz targets, all of it with ASan and UBSan, and with NDEBUG; the engines at length
	@$(MAKE) check-more

check-more: setup-long
	@$(MAKE) all broken
	@LONG=1 $(PROVE) tap/run.t
	@$(MAKE) fuzz
	@$(MAKE) OUT=build/asan EXTRA='$(SANITIZE)' SANITIZED=1 suite
	@$(MAKE) OUT=build/ndebug EXTRA=-DNDEBUG suite
	@$(MAKE) check-engines

# Every case and every broken guest on engine qemu, too: some twenty minutes.
check-engines: setup-long
	@$(MAKE) all broken
	@LONG=1 TEST_TIMEOUT=14400 $(PROVE) tap/agree.t tap/broken-qemu.t

# All tests but lint, of this build. With PART broken.t takes one guest for each rule. The bench looks for guest.elf in its own folder and for ../scenarios from there.
suite: $(OUT)/gsgate tests
	@ln -sfn ../scenarios build/scenarios && ln -sfn ../guest.elf $(OUT)/guest.elf
	@PART=1 $(PROVE) $(OUT)/gsgate $(UNIT) $(filter-out tap/lint.t,$(sort $(wildcard tap/*.t)))

fuzz: setup-long ## each parser on what libFuzzer makes up (FUZZ_SECONDS=20 each)
	@$(MAKE) OUT=build/fuzz CC=clang EXTRA='$(SANITIZE) -fsanitize=fuzzer-no-link' $(FUZZ:%=build/fuzz/fuzz-%)
	@$(PROVE) $(FUZZ:%=build/fuzz/fuzz-%)

lint: ## what a script can see of our habits
	@$(PROVE) tap/lint.t

setup: ## install missing Debian packages (as root; otherwise tell the one line to run)
	@tap/setup.sh

setup-check:
	@tap/setup.sh check

setup-long: setup
	@tap/setup.sh long

doctor: all ## what this host's KVM, QEMU and libvirt can and cannot do
	@$(OUT)/gsgate doctor

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

clean: ## remove build/
	rm -rf build

tests: $(UNIT)

broken: $(BROKEN) ## the deliberately broken guests, tap/broken/*.patch
	@:

# All but main() is a library, so that a test links the few modules that it asks for.
$(OUT)/gsgate: $(OUT)/vmm/main.c.o $(OUT)/vmm.a
	@echo "  LD   $@"
	$(Q)$(CC) $(EXTRA) -o $@ $^ $(LDLIBS)

# Another set of objects is another library.
$(OUT)/libvirt.%:
	@mkdir -p $(@D); rm -f $(OUT)/libvirt.* && touch $@

$(OUT)/vmm.a: $(VMM) $(OUT)/libvirt.$(LIBVIRT)
	$(Q)rm -f $@ && $(AR) rcs $@ $(VMM)

$(OUT)/t-%: $(OUT)/tap/t-%.c.o $(OUT)/tap/tap.c.o $(OUT)/vmm.a
	@echo "  LD   $@"
	$(Q)$(CC) $(EXTRA) -o $@ $^ $(LDLIBS)

$(OUT)/fuzz-%: $(OUT)/tap/fuzz-%.c.o $(PURE)
	@echo "  LD   $@"
	$(Q)$(CC) $(EXTRA) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

$(OUT)/guest.elf: $(GUEST) $(SRC)/guest/guest.ld
	@echo "  LD   $@"
	$(Q)$(LD) $(GUEST_LDFLAGS) -T $(SRC)/guest/guest.ld -o $@ $(GUEST)

%.asm: %.elf
	$(Q)objdump -dS $< > $@

%.sym: %.elf
	$(Q)nm -n $< > $@

# The guest is compiled from within its tree; -P because gcc believes PWD.
$(OUT)/guest/%.c.o: $(SRC)/guest/%.c Makefile | $(OUT)/probed
	@mkdir -p $(@D); echo "  CC   $@"
	$(Q)cd -P $(SRC) && $(CC) $(GUEST_CFLAGS) -MT $@ -c guest/$*.c -o $(abspath $@)

$(OUT)/guest/%.S.o: $(SRC)/guest/%.S Makefile | $(OUT)/probed
	@mkdir -p $(@D); echo "  AS   $@"
	$(Q)cd -P $(SRC) && $(CC) $(GUEST_ASFLAGS) -MT $@ -c guest/$*.S -o $(abspath $@)

$(OUT)/%.c.o: %.c Makefile | $(OUT)/probed
	@mkdir -p $(@D); echo "  CC   $@"
	$(Q)cd -P . && $(CC) $(CFLAGS) -c $< -o $@

# One clear line about a missing library instead of a compiler's flood.
$(OUT)/probed: tap/setup.sh
	@mkdir -p $(@D); tap/setup.sh probe && touch $@

# What a patch does not reach is the good guest's: objects are older than no source of theirs then, and are kept.
build/broken/%/guest.elf: tap/broken/%.patch build/guest.elf Makefile
	@rm -rf $(@D) && mkdir -p $(@D)/src && cp -rp guest $(@D)/src && cp -rp build/guest build/probed $(@D)
	@patch -p1 --fuzz=0 -s -d $(@D)/src < $< || { echo "$<: does not apply to guest/"; exit 1; } >&2
	@sed -n 's,^+++ b/,,p' $< | while read -r file; do grep -lwF "$$file" build/guest/*.d; done | sed 's,.*/\(.*\)d$$,$(@D)/guest/\1o,' | xargs -r rm -f
	@echo "  MAKE $@"; $(MAKE) -s OUT=$(@D) SRC=$(@D)/src $@ > $(@D)/log || { cat $(@D)/log; exit 1; }

-include $(VMM:.o=.d) $(GUEST:.o=.d) $(OUT)/vmm/main.c.d $(patsubst %,$(OUT)/tap/%.c.d,tap $(notdir $(UNIT)))
