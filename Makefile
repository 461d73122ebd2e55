# Everything that development needs. `make` alone says what there is. Each target prepares what it needs itself, and
# nothing is built twice: bin/ and the one target folder are shared by all of them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
GROUNDCREW := $(TARGET)/debug/groundcrew
PYTHON := bin/aws/venv/bin/python
GO_MODULES := hack/control-plane/launcher hack/node
SCRIPTS := .ci/run $(wildcard hack/*.sh hack/*/*.sh) hack/aws/serve
# Tests below tests/, by name: each is one binary.
SUITES := $(patsubst tests/%/main.rs,%,$(wildcard tests/*/main.rs)) $(patsubst tests/%.rs,%,$(wildcard tests/*.rs))
# The simulation as it is run at length: compiled for that once more, with some optimization.
SIMULATION := --profile simulation --test sim
OTHERS := --lib --bins $(addprefix --test ,$(filter-out sim,$(SUITES)))
# The one scenario of tests/it that `make check` runs.
CHECK_SCENARIO := scenarios::promotion::a_release_goes_through_hold_and_approval_to_everybody

export PYTHONPYCACHEPREFIX := $(abspath bin/aws/pycache)

.PHONY: help
help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up ---

.PHONY: control-plane
control-plane: ## put kube-apiserver, etcd, kubectl and helm into bin/k8s (minutes, once)
	@hack/control-plane/build.sh

.PHONY: aws
aws: ## put the AWS stand-in's Python packages into bin/aws
	@hack/aws/setup.sh

.PHONY: build
build: ## build the groundcrew command
	@cargo build --locked --bin groundcrew

# --- to look at it ---

.PHONY: demo
demo: control-plane aws build ## watch a good release, a bad one, and one that waits for its window, on real Kubernetes (about 3 minutes)
	@$(PYTHON) hack/demo run --operator $(GROUNDCREW)

.PHONY: demo-up
demo-up: control-plane aws build ## the same set-up, left running for you to try
	@$(PYTHON) hack/demo up --operator $(GROUNDCREW)

.PHONY: demo-down
demo-down: aws ## stop what demo-up started
	@$(PYTHON) hack/demo down

# --- tests ---

.PHONY: check
check: lint control-plane aws ## lints and the fast tests, before every commit
	@GROUNDCREW_SIM_SEEDS=200 GROUNDCREW_SIM_ONE_OF=20 cargo test --locked --lib --bins $(addprefix --test ,$(filter-out it,$(SUITES)))
ifneq ($(filter it,$(SUITES)),)
	@cargo test --locked --test it -- --exact $(CHECK_SCENARIO) | tee /dev/stderr | grep ' 1 passed;' >/dev/null
endif

.PHONY: test
test: test-go test-python test-chart test-rust ## every test

# Random schedules of the simulation that take about half an hour on two cores.
SOAK_SEEDS ?= 180000
# Sequences of calls, compared between the simulated world and the stand-in, that take about ten minutes.
SOAK_SEQUENCES ?= 1200
# How often two years in five time zones are played, each time otherwise: about twelve minutes of one core each.
SOAK_YEARS ?= 1
.PHONY: soak
soak: aws ## the simulation with very many random faults, edits and calls, and over years (about 50 minutes; SOAK_SEEDS=n SOAK_SEQUENCES=n SOAK_YEARS=n)
	@GROUNDCREW_WORLD_SEEDS=$(SOAK_SEQUENCES) cargo test --locked $(SIMULATION) the_world_answers_as_the_stand_in_does
	@GROUNDCREW_SIM_SEEDS=$(SOAK_SEEDS) cargo test --locked $(SIMULATION) random_faults_and_edits_break_nothing
	@GROUNDCREW_YEARS_SEEDS=$(SOAK_YEARS) cargo test --locked $(SIMULATION) two_years_in_five_time_zones -- --ignored --nocapture

# How often everything is measured, and which tests measure.
SCALE_RUNS ?= 1
SCALE_TESTS ?= scale:: scenarios::storm::
# The operator alone, as it is shipped; the tests themselves are built as always.
.PHONY: scale
scale: control-plane aws ## memory, CPU, calls and latency of the release build, with their bounds (about 45 minutes; SCALE_RUNS=n, SCALE_TESTS=name)
	@cargo build --locked --release --bin groundcrew
	@export GROUNDCREW_SCALE=full GROUNDCREW_OPERATOR=$(TARGET)/release/groundcrew; \
	{ failed=0; for run in $$(seq $(SCALE_RUNS)); do \
		cargo test --locked --test it -- --include-ignored --nocapture --test-threads=1 $(SCALE_TESTS) || failed=1; \
	done; exit $$failed; } | $(PYTHON) hack/scale/summary.py

.PHONY: bench
bench: ## how long schedules take to work out, as released, with its bound (minutes to build)
	@cargo bench --locked --bench schedules

.PHONY: test-go
test-go: control-plane ## tests of the control plane's launcher and of the node
	@for module in $(GO_MODULES); do (cd $$module && go test -count=1 ./...); done

.PHONY: test-python
test-python: aws ## tests of the AWS stand-in and of the dependency rules
	@hack/aws/test.sh
	@$(PYTHON) -m pytest -q -p no:cacheprovider hack/deny hack/scale

.PHONY: test-chart
test-chart: control-plane ## lint the chart
	@bin/k8s/helm lint --strict --quiet --set clusterName=test charts/groundcrew

# Some of tests/it watch for minutes, and need no core meanwhile.
test-rust: export RUST_TEST_THREADS ?= $(shell echo $$(($$(nproc) + 2)))

.PHONY: test-rust
test-rust: control-plane aws ## unit tests, doc tests, and every suite below tests/
	@failed=0; \
	cargo test --locked --no-fail-fast $(OTHERS) || failed=1; \
	cargo test --locked --doc || failed=1; \
	cargo test --locked $(SIMULATION) || failed=1; \
	exit $$failed

.PHONY: compile
compile: ## compile every test, and run none
	@cargo test --locked --no-run $(OTHERS)
	@cargo test --locked --no-run $(SIMULATION)

.PHONY: lint
lint: ## formats, compilers' warnings, syntax of scripts
	@cargo fmt --check
	@cargo clippy --locked --all-targets -- -D warnings
	@for module in $(GO_MODULES); do (cd $$module && test -z "$$(gofmt -l . | tee /dev/stderr)" && go vet ./...); done
	@for script in $(SCRIPTS); do bash -n $$script; done
	@python3 -m compileall -q hack

.PHONY: deny
deny: aws ## check licences, sources and banned crates by deny.toml
	@$(PYTHON) -m pytest -q -p no:cacheprovider hack/deny

# --- files that are generated ---

.PHONY: crds
crds: build ## write crds/ and the chart's copy from the Rust types
	@hack/crds.sh $(GROUNDCREW)

.PHONY: clean
clean: ## remove what was compiled and fetched: the next build takes as long as the first
	@cargo clean
	@rm -rf bin
