# Every target does its own set-up; what was set up once is not set up again.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
# Without written bytecode each of the many short processes would compile its imports again.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
# What a user needs for the quickstart: no torch, no compiler.
USER_EXTRAS := --extra runner --extra llamacpp --extra report --group model
# What the tests need besides: every sampler (one of them loads torch), Postgres, the checks.
TEST_EXTRAS := $(USER_EXTRAS) --extra operator --extra cluster --extra postgres --extra gp --extra hf --extra dashboard --group dev --group docs
RESULTS ?= results
# Where `make docs` and `make verify` build the documentation.
SITE ?= site
# `make release`: where its files are written, and the tag that it is for, which must be the version's.
DIST ?= dist
TAG ?=
# What the bill of materials lists: everything but the engines and what loads torch.
RELEASED_EXTRAS := --extra runner --extra llamacpp --extra cluster --extra operator --extra postgres --extra report --extra hub --extra hf --extra dashboard
# `make images`: with what, under which registry and path, and for which engines.
CONTAINERS ?= $(shell command -v docker || command -v podman)
REGISTRY ?=
IMAGES ?= base llamacpp
BUILD_OPTIONS ?=
VERSION := $(shell sed -n '/^version = /{s/.*"\(.*\)"/\1/;p;q}' pyproject.toml)

.PHONY: help quickstart setup-user setup-test setup-engines setup-cluster setup-images cluster cluster-down format lint unit check verify generate images release test test-gpu bench docs clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

quickstart: setup-user ## Optimise a real 135M model on this machine, end to end
	@echo "==> [2/2] Running the optimization (about 5 minutes; Ctrl-C keeps what is done, make quickstart resumes)"
	@$(BIN)/llmopt run config/samples/quickstart.yaml --results $(RESULTS)

setup-user:
	@echo "==> [1/2] Installing llmopt, llama.cpp's server and a 135M model (under 2 minutes the first time)"
	@scripts/uv sync --frozen --inexact $(USER_EXTRAS)
	@scripts/system-libraries $(BIN)/python

setup-test:
	@echo "==> Installing what the tests need (a few minutes the first time: one sampler loads torch)"
	@scripts/uv sync --frozen $(TEST_EXTRAS)
	@scripts/system-libraries $(BIN)/python

setup-engines: setup-test
	@echo "==> Making the environments of transformers and vLLM and the test model (GBs the first time, then kept)"
	@scripts/engine-environment transformers >/dev/null
	@scripts/engine-environment vllm >/dev/null
	@scripts/safetensors-model >/dev/null

setup-cluster: setup-test
	@echo "==> Building Kubernetes for the test cluster (about ten minutes the first time, then kept)"
	@PYTHONPATH=tests $(BIN)/python -m cluster.programs kubernetes coredns helm kubeconform >/dev/null

setup-images: setup-cluster
	@echo "==> Building the images that the test cluster runs (ten minutes the first time, then what changed)"
	@PYTHONPATH=tests $(BIN)/python -m cluster.images pause debian operator runner-with-model dashboard postgres

cluster: setup-images ## Run a Kubernetes cluster of one node on this machine, with the operator installed
	@echo "==> Starting the cluster"
	@PYTHONPATH=tests $(BIN)/python -m cluster.background up

cluster-down: setup-test ## End the cluster that `make cluster` started
	@PYTHONPATH=tests $(BIN)/python -m cluster.background down

format: ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint:
	@echo "==> ruff"; $(BIN)/ruff format --check . && $(BIN)/ruff check .
	@echo "==> spelling"; $(BIN)/codespell
	@echo "==> mypy --strict"; $(BIN)/mypy
	@echo "==> import-linter"; $(BIN)/lint-imports --no-cache

unit:
	@echo "==> unit tests"; $(BIN)/pytest tests/unit -q

check: setup-test lint unit ## Lint, types, import rules and unit tests, in under two minutes

generate: setup-test ## Write what is generated again: CRDs, reference pages, dashboards, lock
	@$(BIN)/python -m llmopt_core.resources.generate
	@$(BIN)/python scripts/grafana
	@$(BIN)/python scripts/command_page
	@scripts/uv lock

verify: setup-test ## Fail when something generated is not up to date, or a page has a broken link
	@echo "==> generated files"; $(BIN)/python -m llmopt_core.resources.generate --check
	@$(BIN)/python scripts/grafana --check
	@$(BIN)/python scripts/command_page --check
	@scripts/uv lock --check
	@echo "==> documentation"; NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(SITE)

images: ## Build the images: make images [REGISTRY=registry.example.com/llmopt] [IMAGES="llamacpp transformers vllm"]
	@[ -n "$(CONTAINERS)" ] || { echo "make images needs docker or podman on the PATH" >&2; exit 1; }
	@build() { echo "==> $$4"; $(CONTAINERS) build --file "$$1" --target "$$2" --tag "$(REGISTRY:%=%/)$$3" \
	    --build-arg VERSION=$(VERSION) --build-arg REVISION="$$(git rev-parse HEAD)" $(BUILD_OPTIONS) .; }; \
	for target in operator dashboard; do \
	    build Dockerfile.operator "$$target" "llmopt-$$target:$(VERSION)" "$$target"; \
	done; \
	for target in $(IMAGES); do \
	    build Dockerfile.runner "$$target" "llmopt-runner:$(VERSION)-$$target" "runner for $$target"; \
	done

release: ## Write the wheel, the sdist, the chart, a bill of materials (CycloneDX) and checksums into dist/
	@[ -z "$(TAG)" ] || [ "$(TAG)" = "v$(VERSION)" ] || { echo "the tag $(TAG) is not the version of pyproject.toml, v$(VERSION)" >&2; exit 1; }
	@rm -rf $(DIST) && mkdir -p $(DIST)
	@echo "==> wheel and sdist"; scripts/uv build --quiet --no-create-gitignore --out-dir $(DIST)
	@echo "==> chart"; tar --create --gzip --file $(DIST)/llmopt-$(VERSION).tgz --directory helm --sort name --owner 0 --group 0 --numeric-owner --mtime 2020-02-02 llmopt
	@echo "==> bill of materials"; scripts/uv export --quiet --frozen --preview-features sbom-export --format cyclonedx1.5 $(RELEASED_EXTRAS) --output-file $(DIST)/llmopt-$(VERSION).cdx.json
	@echo "==> checksums"; cd $(DIST) && sha256sum llmopt-* | tee SHA256SUMS

test: setup-engines setup-images lint verify ## Everything that CI runs: checks, unit and integration tests
	@echo "==> all tests (real engines, real Postgres, killed processes, a cluster: about 45 minutes)"; $(BIN)/pytest tests -n 3 --dist loadscope --durations 15

test-gpu: setup-engines ## The tests for a machine with an NVIDIA GPU; elsewhere they say that they were skipped
	@echo "==> tests on the GPU"; $(BIN)/pytest tests/gpu -rs

bench: setup-engines setup-images ## Run the benchmarks and print their tables
	@scripts/uv sync --frozen --inexact --group bench
	@for program in bench/*.py; do echo "==> $$program"; $(BIN)/python $$program; done

docs: setup-test ## Build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(SITE)

clean: ## Remove the environment and the caches of the checkout
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
