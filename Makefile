# Thin: cmake builds, ctest and pytest test. BUILD is where the release goes.
BUILD := build
BINARY := $(BUILD)/sgp-webhook
PYTEST ?= $(shell command -v /usr/bin/pytest-3 || echo python3 -m pytest)
FUZZ_SECONDS ?= 30

.PHONY: setup setup-test setup-lint build demo run test unit integration sanitize lint fuzz install package clean

setup: ; @examples/setup.sh build
setup-test: ; @examples/setup.sh build test
setup-lint: ; @examples/setup.sh build test lint

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

install: build
	@cmake --install $(BUILD)

package: build
	@cd $(BUILD) && cpack -G DEB

clean: ; @rm -rf $(BUILD)
