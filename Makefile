# The front door: meson and ninja do the work, scripts/ holds what is longer than a line.
# `make run` and `make test` work as the first command in a fresh clone.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
NINJA = scripts/as-owner ninja -C

all: $(BUILD)/build.ninja
	@$(NINJA) $(BUILD)

$(BUILD)/build.ninja: | deps
	@scripts/as-owner meson setup --prefix=$(PREFIX) $(BUILD)

deps:
	@scripts/deps.sh

run: all
	@scripts/run-demo $(BUILD)

test: all
	@scripts/run-tests $(BUILD)

test-vm: all
	@tests/vm/run $(BUILD)

bench: all
	@scripts/run-bench $(BUILD)

explore: all
	@$(BUILD)/tests/explore/explore

stress: all $(BUILD)-asan/build.ninja $(BUILD)-tsan/build.ninja
	@$(NINJA) $(BUILD)-asan
	@$(NINJA) $(BUILD)-tsan
	@scripts/run-stress $(BUILD)

fuzz: $(BUILD)-fuzz/build.ninja
	@$(NINJA) $(BUILD)-fuzz fuzzers
	@scripts/run-fuzz $(BUILD)-fuzz $(SECONDS)

lint: all
	@scripts/lint

$(BUILD)-asan/build.ninja: | deps
	@scripts/as-owner meson setup -Db_sanitize=address,undefined -Db_lundef=false $(BUILD)-asan

$(BUILD)-tsan/build.ninja: | deps
	@scripts/as-owner meson setup -Db_sanitize=thread -Db_lundef=false $(BUILD)-tsan

$(BUILD)-fuzz/build.ninja: | deps
	@CC=clang scripts/as-owner meson setup -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
		$(BUILD)-fuzz

asan: $(BUILD)-asan/build.ninja
	@$(NINJA) $(BUILD)-asan
	@ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		scripts/run-tests $(BUILD)-asan --suite unit

tsan: $(BUILD)-tsan/build.ninja
	@$(NINJA) $(BUILD)-tsan
	@TSAN_OPTIONS=allocator_may_return_null=1 scripts/run-tests $(BUILD)-tsan --suite unit --no-suite slow

install: all
	@meson configure $(BUILD) --prefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz

.PHONY: all deps run test test-vm bench explore stress fuzz lint asan tsan install clean
