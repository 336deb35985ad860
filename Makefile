# Everything here works on a machine that has Python 3.11 and make, and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TEST_READY := $(VENV)/.test-ready
LOCKED_INSTALL := $(BIN)/python -m pip install --no-compile --progress-bar off --require-hashes -r
# Every tenth package, so that a person sees that it goes on.
COUNTED := awk '/^(Collecting|Requirement)/ && ++n % 10 == 0 {print "  " n " packages"; fflush()}'

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) web ## Make .venv with castonce and castonce-verify in it, fetch Kafka and the browser's modules.

.PHONY: web
web: $(READY)
	@$(BIN)/python -m deploy.local.web install

$(READY): requirements.lock pyproject.toml verifier/pyproject.toml deploy/local/jars.lock.toml
	@echo "Setting up: Python packages (about 200 MB, once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(LOCKED_INSTALL) requirements.lock | $(COUNTED)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e . -e verifier
	@echo "Setting up: Kafka (45 files, 45 MB, once) ..."
	@$(BIN)/python -m deploy.local.jars install
	@touch $@

.PHONY: setup-test
setup-test: $(TEST_READY) web ## The same, and what the tests need.

$(TEST_READY): $(READY) requirements-test.lock deploy/local/belenios.py deploy/local/chromium.py deploy/local/wrk.py
	@echo "Setting up: packages for tests ..."
	@$(LOCKED_INSTALL) requirements-test.lock | $(COUNTED)
	@echo "Setting up: belenios-tool, to compare with (10 MB and a list of packages, once) ..."
	@$(BIN)/python -m deploy.local.belenios
	@echo "Setting up: Chromium, to test the pages in (150 MB at most, once) ..."
	@$(BIN)/python -m deploy.local.chromium
	@echo "Setting up: wrk, to load the pages with (1 MB, once) ..."
	@$(BIN)/python -m deploy.local.wrk
	@touch $@

.PHONY: lock
lock: setup-test ## Resolve all versions anew and write the lock files.
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.lock
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-test.in -o requirements-test.lock
	@$(BIN)/python -m deploy.local.jars lock
	@$(BIN)/python -m deploy.local.web lock

.PHONY: lint
lint: setup-test ## Style, types and who may import whom.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m deploy.local.web check

.PHONY: test
test: lint ## Lint, then every test but the full matrices.
	@$(BIN)/python -m pytest tests -m 'not long'

.PHONY: test-long
test-long: lint ## Lint, then every test with the full matrices.
	@$(BIN)/python -m pytest tests

.PHONY: mutation
mutation: setup-test ## Delete and negate each check of the verifier in turn: a test must notice (SAMPLE=n SEED=n).
	@$(BIN)/python -m tests.verifier.idle_checks $(if $(SAMPLE),--sample $(SAMPLE) --seed $(or $(SEED),1))

.PHONY: bench
bench: setup-test ## Votes per second and latency beside a plain service.
	@$(BIN)/python -m tests.bench

.PHONY: demo
demo: setup ## Start everything with a demo election that is open.
	@$(BIN)/castonce demo

.PHONY: docs
docs: setup-test ## Write anew what is generated: message documents, PROMISES.md.
	@$(BIN)/python -m shared.contracts.documents docs/
	@$(BIN)/python -m shared.testing.promise_list
