# azbackup. `make` lists the targets.
SHELL := /bin/sh
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GORELEASER := github.com/goreleaser/goreleaser/v2@v2.15.4
VULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
PKG ?= ./...
N ?= 100000
SEEDS ?= 2000
FIRST ?= 1
CHAINS ?= 10000
# As many processes as there are processors; each simulates on one thread.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
FUZZTIME ?= 30s
SHORT ?=
ROWS ?=
BIG ?=
TIMES ?= 2
WORLDS ?= 8760h:UTC:1 -8760h:America/New_York:2 8760h:Asia/Kolkata:8 -8760h:Pacific/Auckland:1,2,8
MUTANTS ?= -sample 400
ROOMS ?=
# What runs in a user's program; the rest are tests and tools.
COVERED ?= ./config ./plan ./apply ./internal/armid ./internal/audit ./internal/azure/... ./internal/cli ./internal/crash ./internal/deadline \
	./internal/export ./internal/report ./internal/telemetry ./internal/simulator

# unchanged_by fails when making a target changes a file of the repository.
define unchanged_by
git rev-parse >/dev/null || exit 1; before=$$(git diff; git status --porcelain); $(MAKE) $(1) || exit 1; \
	if [ "$$before" != "$$(git diff; git status --porcelain)" ]; then \
		git status --short; echo "$(1): files were rewritten: read the diff and commit it"; exit 1; \
	fi
endef

.DEFAULT_GOAL := help
.PHONY: help build test test-worlds race lint fmt golden golden-check generate generate-check cover bench demo check ci vulncheck stress simtest \
	bench-readme bench-check bench-baseline simtest-mutants mutants conformance fuzz estate clean lint-templates release release-snapshot release-check

help: ## list the targets
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Every day

build: ## build bin/azbackup
	$(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/azbackup ./cmd/azbackup

test: ## run all tests (what a newcomer runs)
	$(GO) test $(PKG)

demo: build ## watch a simulated fleet of 60 VMs get its backup
	@sh examples/demo.sh bin/azbackup

lint: ## check the code with golangci-lint (pinned; built on first use)
	$(GO) run $(LINT) run

fmt: ## format the code
	$(GO) run $(LINT) fmt

check: ## what to run before each commit: tests, lint, and whether what is generated is fresh
	$(MAKE) test
	$(MAKE) lint
	$(MAKE) generate-check

ci: ## all that CI checks: check, other worlds, the race detector, costs, other clients
	$(MAKE) check
	$(MAKE) golden-check
	$(MAKE) test-worlds SHORT=-short TIMES=1 WORLDS="8760h:Asia/Kolkata:1,8 -8760h:America/New_York:2"
	$(MAKE) race SHORT=-short
	$(MAKE) bench-check
	$(MAKE) conformance

vulncheck: ## look for known vulnerabilities in what the program calls (asks Go's vulnerability database)
	$(GO) run $(VULNCHECK) ./...

clean: ## remove what was built
	rm -rf bin .tools

##@ Expected outputs, and what is generated

golden: ## rewrite the expected outputs of the tests
	$(GO) test $$(grep -rl 'flag.Bool("update"' --include='*_test.go' . | xargs -n 1 dirname | sort -u) -args -update

golden-check: ## fail when an expected output is not what the code writes now
	@$(call unchanged_by,golden)

generate: ## make again what is made from code: the schema, the keys in docs/config.md, the table of time zones, the pictures
	$(GO) generate ./...

generate-check: ## fail when something generated is not what its source makes now
	@$(call unchanged_by,generate)

##@ Tests that go further

test-worlds: ## run all tests TIMES times in each of WORLDS (clock moved by:time zone:processors), in any order
	@overlay=$$($(GO) run ./internal/tools/movedclock bin/moved) || exit 1; \
	for world in $(WORLDS); do \
		offset=$${world%%:*}; cpus=$${world##*:}; zone=$${world#*:}; zone=$${zone%:*}; \
		echo "== the machine's clock moved by $$offset, in $$zone, with $$cpus processors"; \
		AZBACKUP_TEST_CLOCK_OFFSET=$$offset TZ=$$zone GOFLAGS="-overlay=$$overlay $$GOFLAGS" \
			$(GO) test $(SHORT) -shuffle=on -timeout 60m -count=$(TIMES) -cpu=$$cpus $(PKG) || exit 1; \
	done

race: ## run all tests under the race detector, the engine's on 1, 2 and 8 processors (needs a C compiler)
	@if command -v "$$($(GO) env CC)" >/dev/null 2>&1; then \
		CGO_ENABLED=1 $(GO) test -race $(SHORT) $(PKG) && CGO_ENABLED=1 $(GO) test -race $(SHORT) -cpu 1,2,8 ./apply; \
	else \
		echo "race: no C compiler on this machine: the race detector was not run"; \
	fi

cover: ## say what share of each room its tests reach, and which lines of ROOMS none does (ROOMS="plan apply")
	@mkdir -p bin
	$(GO) test $(SHORT) -coverprofile=bin/cover.txt $(COVERED)
	@# The rooms of the simulator are tested through its requests.
	$(GO) test $(SHORT) -coverpkg=$$($(GO) list ./internal/simulator/... | grep /simulator/ | paste -sd, -) -coverprofile=bin/cover-simulator.txt ./internal/simulator
	tail -n +2 bin/cover-simulator.txt >> bin/cover.txt
	@$(GO) run ./internal/tools/covered bin/cover.txt $(ROOMS)

fuzz: ## run each fuzz target for FUZZTIME
	@grep -rl '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "== $$target in $$(dirname "$$file")"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
		done; \
	done

stress: ## run CHAINS small random plans in real time, on 1, 2 and 8 processors; a failure names its seed
	$(GO) test ./apply -count=1 -run RealTime -cpu 1,2,8 -timeout 0 -v -args -chains $(CHAINS)

simtest: ## simulate SEEDS random estates from seed FIRST on, with faults, crashes and other actors
	$(GO) test ./internal/simtest -run TestSimulation -timeout 0 -v -seeds $(SEEDS) -first $(FIRST) -jobs $(JOBS)

conformance: ## run recordings and clients that nobody here wrote against the simulator, and say what none of them proves
	@rm -rf bin/conformance && mkdir -p bin/conformance
	$(GO) build -cover -coverpkg=./internal/simulator/...,./cmd/azbackup -o bin/azbackup-cover ./cmd/azbackup
	$(GO) test -count=1 -v -run 'Recordings|Broken' -coverpkg=./internal/simulator/... -coverprofile=bin/conformance/recordings.txt ./internal/simulator
	$(GO) test -count=1 -v -run AzureSDK -coverpkg=./internal/simulator/... -coverprofile=bin/conformance/azuresdk.txt ./internal/conformance
	sh internal/conformance/run.sh bin/azbackup-cover bin/conformance
	@$(GO) run ./internal/tools/rules internal/simulator \
		"recordings of Azure CLI"=bin/conformance/recordings.txt "Azure SDK for Go"=bin/conformance/azuresdk.txt \
		"HashiCorp's client"=bin/conformance/hashicorp.txt "Azure SDK for JavaScript"=bin/conformance/javascript.txt

# Not in the repository, for their size: what GitLab and Azure Pipelines say a pipeline is.
GITLAB_SCHEMA ?= https://gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json
AZURE_SCHEMA ?= https://raw.githubusercontent.com/microsoft/azure-pipelines-vscode/main/service-schema.json

lint-templates: ## check the templates of pipelines against their makers' schemas, which this fetches
	@mkdir -p bin/schemas
	curl -fsSL -o bin/schemas/gitlab.json $(GITLAB_SCHEMA)
	curl -fsSL -o bin/schemas/azure.json $(AZURE_SCHEMA)
	$(GO) test ./examples -count=1 -v -run Schemas -args -schemas $(CURDIR)/bin/schemas

##@ Tests of the tests

mutants: ## break plan, apply, audit, azure and wire one operator at a time, and see that the tests of the room notice
	$(GO) run ./internal/tools/mutants $(MUTANTS) plan apply internal/audit internal/azure internal/azure/arm internal/azure/wire

simtest-mutants: ## break the program in named ways, and see that the simulation notices
	$(GO) test ./internal/simtest -run 'TestMutants$$' -timeout 0 -v -mutants

##@ Releasing

# A release is named after the project's own repository, whatever a clone calls its remote.
RELEASING = env GOFLAGS= IMAGE=azbackup GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://github.com/azbackup/azbackup

release-snapshot: ## build all of a release that needs no network, into bin/dist
	$(RELEASING) $(GO) run $(GORELEASER) release --snapshot --clean --skip=sign,ko

release-check: release-snapshot ## build the release a second time elsewhere, compare, unpack everything and run it
	rm -rf bin/again && git clone -q . bin/again
	$(MAKE) -C bin/again release-snapshot
	$(GO) test ./internal/tools/release -count=1 -v -args -dist $(CURDIR)/bin/dist -again $(CURDIR)/bin/again/bin/dist

release: ## publish the tag that is checked out (what the workflow does)
	$(GO) run $(GORELEASER) release --clean

##@ Measuring

bench: ## print what is measured beside its target: ROWS (all but the biggest; BIG=1 for these too), and how costs grow
	$(GO) run ./internal/tools/bench $(if $(BIG),-big) -rows "$(ROWS)"
	$(GO) test ./internal/simtest -run TestARunIsAsFastAsTheQuotasAllow -timeout 0 -v -args -table
	$(GO) test ./config ./plan ./internal/audit ./internal/azure -run '^$$' -bench 'BenchmarkMatch|BenchmarkMake|BenchmarkItems|BenchmarkAssess' -benchmem -timeout 0
	$(GO) test ./internal/tools/costs -run TestNoCostGrowsFasterThanWhatItIsFor -count=1 -v -args -check

bench-readme: ## measure ROWS (BIG=1 as above) and write the README's tables
	$(GO) run ./internal/tools/bench $(if $(BIG),-big) -rows "$(ROWS)" -write README.md

bench-check: ## fail when work costs more than it did: statements, allocations, requests, virtual time; no seconds
	$(GO) test ./internal/tools/costs ./internal/simtest -count=1 -v -run 'TestNoWorkCostsMoreThanItDid|TestNoCostGrowsFasterThanWhatItIsFor|TestNoRunTakesLongerThanItDid' -args -check

bench-baseline: ## accept what work costs now
	$(GO) test ./internal/tools/costs ./internal/simtest -count=1 -run 'TestNoWorkCostsMoreThanItDid|TestNoRunTakesLongerThanItDid' -args -accept
	@git diff --stat -- internal/tools/costs/testdata internal/simtest/testdata

estate: ## write a big estate of N machines and the config that fits it to bin/
	@mkdir -p bin
	$(GO) run ./internal/tools/estategen -vms $(N) -config bin/estate-$(N).yaml > bin/estate-$(N).json
	@ls -l bin/estate-$(N).json bin/estate-$(N).yaml
