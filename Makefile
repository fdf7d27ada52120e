# Every target does its own set-up in .venv; Python 3.11 and the distribution's packages are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := $(shell find federation node -name '*.py' -not -path '*/v1/*' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench docs protos lock soak soak-nodes storms fuzz clean

help:
	@echo "make demo    start a Secretariat and seven Parties, ask and answer, check the evidence"
	@echo "make test    the whole test suite"
	@echo "make lint    ruff, mypy, import contracts"
	@echo "make bench   speed and memory as ratios against a floor measured in the same run"
	@echo "make docs    write the parts of the documents that are made from the code"
	@echo "make protos  generate the protobuf code again after a change in protos/"
	@echo "make soak    a year of a hundred Parties and 100,000 messages on virtual time: SEED=n; PLAN=file runs a history that failed"
	@echo "make soak-nodes  six real nodes and 5,000 questions under kill -9 and cut links: SEED=n"
	@echo "make storms  the storms of the test suite with a hundred seeds each: SEED=n for one"
	@echo "make fuzz    every parser under a coverage-guided fuzzer: SECONDS=20 for each, TARGET=scan for one"
	@echo "make lock    resolve the dependencies again into requirements.lock"

setup: $(STAMP)

# Two steps: pip refuses an editable install together with hashes. uv is used when it is there, because it is faster.
$(STAMP): pyproject.toml requirements.lock hatch_build.py $(wildcard protos/*/v1/*.proto)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
		uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

demo: setup
	@$(BIN)/gsp demo $(DEMO_ARGUMENTS)

# A file stays together, because its tests share what was started for them; PYTEST_ARGUMENTS=-n0 runs all in one process.
test: setup
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(PYTEST_ARGUMENTS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@$(BIN)/python -m benchmarks $(BENCH_ARGUMENTS)

soak: setup
	@$(BIN)/python -m tests.soak --seed $(or $(SEED),1) $(if $(PLAN),--plan $(PLAN)) $(SOAK_ARGUMENTS)

soak-nodes: setup
	@$(BIN)/python -m tests.soak --seed $(or $(SEED),1) --nodes 6 --messages 5000 $(SOAK_ARGUMENTS)

storms: setup
	@$(BIN)/python -m pytest tests/simulation/test_storms.py --soak $(if $(SEED),--seed $(SEED)) $(PYTEST_ARGUMENTS)

# The fuzzer is for one kind of machine only, so it stands in no lock; its version does.
fuzz: setup
	@$(BIN)/python -c "import atheris" 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check atheris==3.0.0
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),20) $(if $(TARGET),--target $(TARGET))

docs: setup
	@$(BIN)/python -m tests.support.documents

protos: setup
	@$(BIN)/python hatch_build.py

# The lock holds hashes and no registry address, so it works with any mirror.
lock:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) federation/v1 node/v1 .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz .soak
