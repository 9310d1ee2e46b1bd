# Everything here works on a fresh Debian machine as root: each target installs what it lacks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo demo-live test lint unit lab proof fuzz bench docs clean system

demo: system $(INSTALLED)  ## the main job on a farm of its own: serve, check, drain, fail over
	$(BIN)/python -m tests.lab.demo

demo-live: system $(INSTALLED)  ## the same farm, left running for exploring
	$(BIN)/python -m tests.lab.demo --live

test: system $(INSTALLED) lint  ## everything that decides whether a change may land
	$(BIN)/python -m pytest

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(INSTALLED)  ## the tests that need neither root nor a kernel: seconds
	$(BIN)/python -m pytest -m "not lab" -q

lab: system $(INSTALLED)  ## the real kernel: IPVS, addresses, failover seen by a client
	$(BIN)/python -m pytest -m lab

proof: system $(INSTALLED)  ## the full counts that are too long for `test`
	LVSD_PROOF=1 $(BIN)/python -m pytest

FUZZ_SECONDS ?= 600
FUZZ_DIRECTORY ?= .fuzz

fuzz: $(INSTALLED)  ## looks for inputs that break the reader of configurations; crashes stay in $(FUZZ_DIRECTORY)/crashes
	$(BIN)/python -m tests.fuzz.coverage_guided $(FUZZ_DIRECTORY) -max_total_time=$(FUZZ_SECONDS)

bench: system $(INSTALLED)  ## side by side with keepalived, in one run
	$(BIN)/python -m bench

docs: $(INSTALLED)  ## writes what is derived from the declarations
	$(BIN)/python -m lvsd.core.documents
	$(BIN)/python -m lvsd.admin.metrics >docs/metrics.md.new && mv docs/metrics.md.new docs/metrics.md

system:
	sh tests/lab/install

$(INSTALLED): pyproject.toml
	sh tests/lab/install venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis $(FUZZ_DIRECTORY)
