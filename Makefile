# viewduct: `make run` and `make test` do all the set-up that they need on Debian 12.
# SPDX-License-Identifier: MIT
#
#   make                 build/viewduct, the release build
#   make run             what is missing is installed, then the quick start runs
#   make test            what is missing is installed, then all tests run
#   make check           format, layers, static analysis
#   make test-sanitized  the tests again, with AddressSanitizer and UndefinedBehaviorSanitizer
#   make bench           measures viewduct beside its peers (BENCH_ROWS=pattern, BENCH_MB=256, BENCH_ROUNDS=3)
#   make bench-guard     instructions a MB against the bounds in the tree; GUARD=write sets new ones
#   make fuzz            each target of tests/fuzz for FUZZ_SECONDS (60), with clang's libFuzzer
#   make test-systemd    the unit in a booted systemd; make test-docker: the image and its compose file (as root)
#   make docs            schema, reference, manual pages and completion, made from the tables; make format: clang-format
#   make install         DESTDIR= PREFIX=/usr/local; also: uninstall, clean, deps
#   make help            these lines
#
# V=1 shows the commands; CC=clang, MODE=debug and LOGS=folder of real logs are understood.

VERSION := 0.1.0
MODE ?= release
PREFIX ?= /usr/local
LOGS ?= $(wildcard ../shared/data/loghub)
SHELL := /bin/bash
.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc) --no-print-directory
endif
ifeq ($(origin CC),default)
CC := gcc
endif
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' $(1) '$(2)')

# --- what is needed ---------------------------------------------------------------------------------------------------

BUILD_PACKAGES := gcc libc6-dev make libuv1-dev liburing-dev libcjson-dev libpcre2-dev \
	libzstd-dev liblz4-dev libisal-dev zlib1g-dev libmicrohttpd-dev
TEST_PACKAGES := libcriterion-dev python3 strace util-linux bsdutils socat grep zstd gzip lz4 iproute2 \
	coreutils diffutils
CHECK_PACKAGES := clang clang-format clang-tidy cppcheck
GUARD_PACKAGES := python3 valgrind binutils
PAGE_PACKAGES := chromium fonts-liberation
FUZZ_PACKAGES := clang libclang-rt-14-dev libcriterion-dev
BENCH_PACKAGES := python3 coreutils grep ripgrep zstd gzip lz4 isal pigz socat haproxy rsyslog
LIBRARIES := -luring -luv -lcjson -lpcre2-8 -lzstd -llz4 -lisal -lz -lmicrohttpd

DEPLOY_PACKAGES := debootstrap systemd-container docker.io docker-compose util-linux python3 python3-yaml make zstd

# What stands at the top of this file.
.PHONY: help
help:
	@sed -n '/^#   make /,/^$$/s/^# *//p' Makefile

.PHONY: deps deps-build deps-test deps-page deps-fuzz deps-bench deps-guard deps-deploy
deps:
	@tests/check/packages $(BUILD_PACKAGES) $(TEST_PACKAGES) $(CHECK_PACKAGES) $(GUARD_PACKAGES)
deps-build:
	@tests/check/packages $(BUILD_PACKAGES)
deps-test:
	@tests/check/packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
# A browser to see the page in; where there is none, those tests are skipped.
deps-page:
	@tests/check/packages $(PAGE_PACKAGES)
deps-guard:
	@tests/check/packages $(BUILD_PACKAGES) $(GUARD_PACKAGES)
deps-fuzz:
	@tests/check/packages $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
deps-deploy:
	@tests/check/packages $(DEPLOY_PACKAGES)
deps-bench:
	@tests/check/packages $(BUILD_PACKAGES) $(BENCH_PACKAGES)

# --- how it is built --------------------------------------------------------------------------------------------------

OUT := build/$(MODE)
BINARY := $(if $(filter release,$(MODE)),build/viewduct,$(OUT)/viewduct)

LANGUAGE := -std=gnu11 -D_GNU_SOURCE -I. -isystem /usr/include/hs
WARNINGS := -Wall -Wextra -Wformat=2 -Wconversion -Wshadow -Werror
# Each is taken if the compiler takes it.
HARDENING := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-ftrivial-auto-var-init=zero -fno-strict-overflow -fPIE
LINK_HARDENING := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

WANTED_release := -O2 -g $(HARDENING)
WANTED_debug := -Og -g3
WANTED_sanitized := -O1 -g $(SANITIZERS)
WANTED_fuzz := -O1 -g $(SANITIZERS) -fsanitize=fuzzer-no-link
LINK_WANTED_release := $(LINK_HARDENING)
LINK_WANTED_sanitized := $(SANITIZERS)
LINK_WANTED_fuzz := $(SANITIZERS)

# Probed when the first file is compiled, not when make starts: by then the compiler is installed.
takes = $(shell echo 'int main(void){return 0;}' | $(CC) -Werror -O2 $(1) -x c -o /dev/null - 2>/dev/null && echo $(1))
OPTIMISE = $(eval OPTIMISE := $$(foreach flag,$$(WANTED_$(MODE)),$$(call takes,$$(flag))))$(OPTIMISE)
LINK = $(eval LINK := $$(foreach flag,$$(LINK_WANTED_$(MODE)),$$(call takes,$$(flag))))$(LINK)
COMPILE = $(CC) $(LANGUAGE) $(OPTIMISE) $(WARNINGS) $(CFLAGS) -MMD -MP

SOURCES := $(sort $(wildcard config/*.c pipeline/*.c pipeline/*/*.c daemon/*.c))
PROGRAM_SOURCES := $(sort $(wildcard tests/support/programs/*.c))
TEST_SOURCES := $(sort $(filter-out tests/scenarios/% tests/bench/% tests/fuzz/% tests/deploy/% \
	tests/support/programs/%,$(shell find tests -name '*.c' 2>/dev/null)))

OBJECTS := $(SOURCES:%.c=$(OUT)/%.o)
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(OUT)/%.o)
PROGRAMS := $(PROGRAM_SOURCES:tests/support/programs/%.c=$(OUT)/programs/%)
BENCH_SOURCES := $(sort $(wildcard tests/bench/programs/*.c))
BENCH_SHARED := $(sort $(wildcard tests/bench/shared/*.c))
BENCH_PROGRAMS := $(BENCH_SOURCES:tests/bench/programs/%.c=$(OUT)/bench/%)
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_TARGETS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(OUT)/fuzz/%)

.PHONY: all tests-built
all: $(BINARY)
tests-built: $(BINARY) $(OUT)/unit $(PROGRAMS) $(FUZZ_TARGETS)

$(BINARY): $(OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPTIMISE) $(CFLAGS) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBRARIES)

$(OUT)/unit: $(filter-out $(OUT)/daemon/main.o,$(OBJECTS)) $(TEST_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPTIMISE) $(CFLAGS) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBRARIES) -lcriterion

$(OUT)/programs/%: $(OUT)/tests/support/programs/%.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPTIMISE) $(CFLAGS) $(LINK) -o $@ $< $(LDFLAGS) -lz

$(OUT)/bench/%: $(OUT)/tests/bench/programs/%.o $(BENCH_SHARED:%.c=$(OUT)/%.o)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPTIMISE) $(CFLAGS) $(LINK) -o $@ $^ $(LDFLAGS)

# libFuzzer drives the targets where it is built in; elsewhere they replay what it found.
FUZZ_DRIVER := $(if $(filter fuzz,$(MODE)),,$(OUT)/tests/fuzz/driver/replay.o)
FUZZ_HELPERS := $(patsubst %.c,$(OUT)/%.o,$(filter-out %/replay.c,$(sort $(wildcard tests/fuzz/driver/*.c))) \
	tests/support/bench.c tests/support/copies_told.c)
$(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(FUZZ_DRIVER) $(FUZZ_HELPERS) $(filter-out $(OUT)/daemon/%,$(OBJECTS))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPTIMISE) $(CFLAGS) $(LINK) $(if $(FUZZ_DRIVER),,-fsanitize=fuzzer) -o $@ $^ $(LDFLAGS) $(LIBRARIES) \
		-lcriterion

$(OUT)/%.o: %.c Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(DEFINES) -c -o $@ $<

$(OUT)/daemon/page.o: daemon/page.html

$(OUT)/daemon/version.o: DEFINES = -DVIEWDUCT_VERSION='"$(VERSION)"' \
	-DVIEWDUCT_BUILD='"$(notdir $(CC)) $(strip $(OPTIMISE) $(CFLAGS) $(LINK))"'

.SECONDARY:
-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(PROGRAM_SOURCES:%.c=$(OUT)/%.d) $(FUZZ_SOURCES:%.c=$(OUT)/%.d) $(FUZZ_HELPERS:.o=.d)
-include $(BENCH_SOURCES:%.c=$(OUT)/%.d) $(BENCH_SHARED:%.c=$(OUT)/%.d)

# --- running and testing ----------------------------------------------------------------------------------------------

.PHONY: run test test-sanitized tests unit scenarios replay fuzz fuzz-each check check-format check-layers check-bench check-tidy \
	check-cppcheck format
run: deps-build
	@$(MAKE) all
	@config/examples/quickstart.sh build/viewduct

test: deps-test
	@$(MAKE) tests

test-sanitized: deps-test
	@$(MAKE) MODE=sanitized tests

tests: tests-built
	@tests/check/copies
	@$(MAKE) unit
	@$(MAKE) replay
	@$(MAKE) scenarios

ifneq ($(LOGS),)
export VIEWDUCT_LOGS := $(abspath $(LOGS))
endif
export ASAN_OPTIONS := detect_leaks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS := print_stacktrace=1

unit: $(OUT)/unit
	@$(if $(LOGS),,echo 'no real logs beside the project (LOGS=): the tests that need them are skipped')
	$(Q)tests/check/unit $(OUT)/unit $(UNIT_FLAGS)

scenarios: $(BINARY) $(PROGRAMS)
	$(Q)tests/scenarios/run --binary $(BINARY) --programs $(OUT)/programs $(if $(filter sanitized,$(MODE)),--sanitized) $(SCENARIO_FLAGS)

# Each target on its seeds, and on what it found.
replay: $(FUZZ_TARGETS)
	$(Q)tests/check/replay $(OUT)/fuzz

FUZZ_SECONDS ?= 60
fuzz: deps-fuzz
	@$(MAKE) MODE=fuzz CC=clang fuzz-each

fuzz-each: $(FUZZ_TARGETS)
	$(Q)tests/check/fuzz $(OUT) $(FUZZ_SECONDS)

# The service and the image, in a booted systemd and a Docker engine of their own: as root, with Debian's mirror in reach.
# Where that is not to be had, they say so and pass.
.PHONY: test-systemd test-docker
test-systemd: all
	@tests/deploy/run systemd

test-docker:
	@tests/deploy/run docker

# --- measuring --------------------------------------------------------------------------------------------------------

.PHONY: bench bench-built
bench: deps-build
	@tests/check/packages $(BENCH_PACKAGES) || echo 'bench: it goes on without what is missing'
	@$(MAKE) bench-built
	$(Q)tests/bench/run --binary $(BINARY) --programs $(OUT)/bench $(BENCH_FLAGS)

bench-built: $(BINARY) $(BENCH_PROGRAMS)
.PHONY: bench-guard guard-built
bench-guard: deps-guard
	@$(MAKE) guard-built
	$(Q)tests/bench/guard/run --binary $(BINARY) --steady $(OUT)/guard/steady.so --folder $(OUT)/guard \
		$(if $(filter write,$(GUARD)),--write)

guard-built: $(BINARY) $(OUT)/guard/steady.so
	@:

$(OUT)/guard/steady.so: tests/bench/guard/steady.c Makefile
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LANGUAGE) -O2 $(WARNINGS) $(CFLAGS) -fPIC -shared -o $@ $<

# --- checking ---------------------------------------------------------------------------------------------------------

ALL_C := $(shell find config pipeline daemon tests -name '*.[ch]' 2>/dev/null | sort)
TIDIED := $(SOURCES:%.c=build/tidy/%.done)

check: deps
	@$(MAKE) check-format check-layers check-bench check-cppcheck check-tidy
	@echo 'check: all well'

check-format:
	$(call say,FORMAT,)
	$(Q)clang-format --dry-run -Werror $(ALL_C)

check-layers:
	$(call say,LAYERS,)
	$(Q)tests/check/layers
	$(Q)tests/check/manners
	$(Q)tests/check/copies

# The bench's arithmetic; nothing is measured.
check-bench: $(BENCH_PROGRAMS)
	$(call say,BENCH,)
	$(Q)tests/bench/selftest $(OUT)/bench --quiet

check-cppcheck:
	$(call say,CPPCHECK,)
	@mkdir -p build/cppcheck
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem --cppcheck-build-dir=build/cppcheck -I. -D_GNU_SOURCE \
		config pipeline daemon

check-tidy: $(TIDIED)

build/tidy/%.done: %.c tests/check/clang-tidy Makefile
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet --config-file=tests/check/clang-tidy $< -- $(LANGUAGE) -O2 $(filter-out -Werror,$(WARNINGS)) \
		-DVIEWDUCT_VERSION='""' -DVIEWDUCT_BUILD='""' 2>build/tidy/$*.log || { cat build/tidy/$*.log; exit 1; }
	@touch $@

format:
	$(Q)clang-format -i $(ALL_C)

# --- documents made from the option tables ----------------------------------------------------------------------------

.PHONY: docs
docs: $(BINARY)
	$(Q)$(BINARY) schema > config/viewduct.schema.json
	$(Q)$(BINARY) help --format roff > config/viewduct.1
	$(Q)$(BINARY) list --format roff > config/viewduct.json.5
	$(Q)$(BINARY) help --format bash > config/viewduct.bash
	$(Q)$(BINARY) list --format markdown > build/reference.md
	$(Q)[ ! -e README.md ] || sed -i -e '/^<!-- reference: made by/,/^<!-- reference ends -->/{//!d}' \
		-e '/^<!-- reference: made by/r build/reference.md' README.md

# --- installing -------------------------------------------------------------------------------------------------------

.PHONY: install uninstall clean
UNITS := $(wildcard systemd/*.service systemd/*.socket)
# file:folder, below PREFIX.
INSTALLED := config/viewduct.schema.json:share/viewduct \
	config/viewduct.1:share/man/man1 config/viewduct.json.5:share/man/man5 \
	config/viewduct.bash:share/bash-completion/completions \
	$(addsuffix :share/viewduct/examples,$(wildcard config/examples/*.json)) \
	$(addsuffix :share/viewduct/systemd,$(wildcard systemd/drop-ins/*.conf)) \
	$(addsuffix :lib/systemd/system,$(UNITS))

# Units and what they say name /usr/local: what is installed names PREFIX.
install: all
	install -D -m 0755 -t '$(DESTDIR)$(PREFIX)/bin' $(BINARY)
	@for pair in $(INSTALLED); do \
		install -D -m 0644 -v -t "$(DESTDIR)$(PREFIX)/$${pair#*:}" "$${pair%:*}" || exit; done
	@sed -i 's,/usr/local/,$(PREFIX)/,g' $(UNITS:systemd/%='$(DESTDIR)$(PREFIX)/lib/systemd/system/%')

uninstall:
	rm -f '$(DESTDIR)$(PREFIX)/bin/viewduct'
	@for pair in $(INSTALLED); do \
		file=$${pair%:*}; rm -fv "$(DESTDIR)$(PREFIX)/$${pair#*:}/$${file##*/}" || exit; done
	@cd '$(DESTDIR)$(PREFIX)/share' && rmdir --ignore-fail-on-non-empty viewduct/examples viewduct/systemd viewduct

clean:
	rm -rf build
