# azbackup. `make` lists the targets.
SHELL := /bin/sh
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
PKG ?= ./...
N ?= 100000
SEEDS ?= 2000

.DEFAULT_GOAL := help
.PHONY: help build test race lint fmt golden bench demo check simtest simtest-mutants conformance fuzz estate clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/azbackup
	$(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/azbackup ./cmd/azbackup

test: ## run all tests (what a newcomer runs)
	$(GO) test $(PKG)

race: ## run all tests under the race detector (needs a C compiler)
	@if command -v "$$($(GO) env CC)" >/dev/null 2>&1; then \
		CGO_ENABLED=1 $(GO) test -race $(PKG); \
	else \
		echo "race: no C compiler on this machine: the race detector was not run"; \
	fi

lint: ## check the code with golangci-lint (pinned; built on first use)
	$(GO) run $(LINT) run

fmt: ## format the code
	$(GO) run $(LINT) fmt

golden: ## rewrite the expected outputs of the tests
	$(GO) run ./internal/tools/golden

demo: build ## watch a simulated fleet of 60 VMs get its backup
	@sh examples/demo.sh bin/azbackup

simtest: ## simulate SEEDS random estates, with faults, crashes and other actors
	$(GO) test ./internal/simtest -run TestSimulation -timeout 0 -v -seeds $(SEEDS)

simtest-mutants: ## break the program in twelve named ways, and see that the simulation notices
	$(GO) test ./internal/simtest -run TestMutants -timeout 0 -mutants

bench: ## measure an apply against what the quotas allow (virtual time), and planning and decoding (real time)
	$(GO) test ./internal/simtest -run TestARunIsAsFastAsTheQuotasAllow -timeout 0 -v -table
	$(GO) test ./plan ./internal/azure -run '^$$' -bench 'BenchmarkMake|BenchmarkItems' -benchmem -timeout 0

estate: ## write a big estate of N machines and the config that fits it to bin/
	@mkdir -p bin
	$(GO) run ./internal/tools/estategen -vms $(N) -config bin/estate-$(N).yaml > bin/estate-$(N).json
	@ls -l bin/estate-$(N).json bin/estate-$(N).yaml

check: ## all that CI checks
	$(MAKE) test
	$(MAKE) race
	$(MAKE) lint

clean: ## remove what was built
	rm -rf bin .tools
