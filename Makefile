# Every target works as the only command on a bare Debian 12 machine: what is
# missing is installed first (scripts/bootstrap.sh).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BUILD := build
JOBS ?= $(shell nproc)
FILTER ?=
CLANG_FORMAT ?= clang-format-22

# The assembler that packages are compiled with; empty where there is none.
WITH_PTXAS = export FA3_PTXAS="$$(scripts/find_ptxas.sh)";

.PHONY: help
help: ## lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: bootstrap
bootstrap: ## installs what is missing: compilers, LLVM/MLIR, test tools, ptxas
	@scripts/bootstrap.sh

$(BUILD)/build.ninja: CMakePresets.json | bootstrap
	@cmake --preset default

.PHONY: build
build: bootstrap $(BUILD)/build.ninja ## builds the tools into build/bin and the libraries into build/lib
	@cmake --build $(BUILD) -j $(JOBS)

.PHONY: demo
demo: build ## compiles the example specs, runs and checks the kernels (GPU, else emulator)
	@$(WITH_PTXAS) python3 scripts/demo.py --build $(BUILD)

.PHONY: test
test: build ## runs every test; the last line is the sum of all suites
	@$(WITH_PTXAS) python3 scripts/run_tests.py --build $(BUILD) --jobs $(JOBS)

.PHONY: lit
lit: build ## runs the lit tests whose name matches FILTER=...
	@$(WITH_PTXAS) python3 scripts/run_tests.py --build $(BUILD) --jobs $(JOBS) --suite lit --filter '$(FILTER)'

.PHONY: unit
unit: build ## runs the unit tests whose name matches FILTER=...
	@$(WITH_PTXAS) python3 scripts/run_tests.py --build $(BUILD) --jobs $(JOBS) --suite unit --filter '$(FILTER)'

.PHONY: bench
bench: build ## checks and times the example kernels on this machine's GPU (needs PyTorch)
	@scripts/build_gpu_bundle.sh build-gpu
	@python3 build-gpu/bench/run_gpu.py --out build-gpu

.PHONY: docs
docs: build ## regenerates docs/reference from the .td files
	@python3 scripts/gen_docs.py

.PHONY: format
format: bootstrap ## formats the C++ sources
	@scripts/sources.sh | xargs $(CLANG_FORMAT) -i

.PHONY: check-format
check-format: bootstrap ## fails where clang-format would change a source file
	@scripts/sources.sh | xargs $(CLANG_FORMAT) --dry-run --Werror

.PHONY: tidy
tidy: build ## runs clang-tidy over the sources that match FILTER=...
	@scripts/bootstrap.sh --tidy
	@scripts/tidy.sh $(BUILD) $(JOBS) '$(FILTER)'

.PHONY: clean
clean: ## removes what was built
	@rm -rf $(BUILD) build-gpu
