# Thin: cmake builds, ctest and pytest test. BUILD is where the release goes.
BUILD := build
BINARY := $(BUILD)/sgp-webhook
PYTEST ?= $(shell command -v /usr/bin/pytest-3 || echo python3 -m pytest)
FUZZ_SECONDS ?= 30
BENCH_SECONDS ?= 270

.PHONY: setup setup-test setup-lint setup-bench build demo run test unit integration sanitize lint fuzz bench install package clean

setup: ; @examples/setup.sh build
setup-test: ; @examples/setup.sh build test
setup-lint: ; @examples/setup.sh build test lint
setup-bench: ; @examples/setup.sh build bench

build: setup
	@cmake --preset release -DSGP_TESTS=OFF >/dev/null
	@cmake --build $(BUILD)

demo: build
	@examples/demo.sh $(BINARY)

run: build
	@examples/run.sh $(BINARY)

test: setup-test unit integration

unit:
	@cmake --preset release -DSGP_TESTS=ON >/dev/null
	@cmake --build $(BUILD)
	@cd $(BUILD) && CK_VERBOSITY=normal ctest --output-on-failure

integration:
	@SGP_WEBHOOK=$(CURDIR)/$(BINARY) $(PYTEST) -q -p no:cacheprovider tests/integration

sanitize: setup-lint
	@tests/sanitize.sh

lint: setup-lint
	@tests/lint/lint.sh $(BUILD)

fuzz: setup-lint
	@tests/fuzz/fuzz.sh $(FUZZ_SECONDS)

# A build of its own: measured is what is shipped, whatever the other targets are built with.
bench: setup-bench
	@cmake --preset release -B $(BUILD)/bench -DSGP_TESTS=OFF -DSGP_BENCH=ON >/dev/null
	@cmake --build $(BUILD)/bench
	@python3 bench/run.py --build $(BUILD)/bench --seconds $(BENCH_SECONDS)

install: build
	@cmake --install $(BUILD)

package: build
	@cd $(BUILD) && cpack -G DEB

clean: ; @rm -rf $(BUILD)
