# `make demo` and `make test` are all that a new checkout needs: each makes the environment it runs in.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
LINT := $(BIN)/ansible-lint --offline --nocolor

.PHONY: demo test test-matrix conformance live bench check docs sanity clean

$(VENV)/.made: pyproject.toml lab/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	$(PIP) install --editable '.[evtx,psrp]' --editable lab --group dev
	touch $@

# What a person sees: the whole way on a simulated fleet of forty.
demo: $(VENV)/.made
	$(BIN)/remediate demo

# The suite. Tests of an environment run by turns on the pairs of Python and ansible-core that this machine has a Python for.
test: $(VENV)/.made
	$(BIN)/python tests/environments.py
	$(BIN)/python -m pytest $(PYTEST)

# The same suite in each of those Pythons, with its own ansible-core alone. Three times as long.
test-matrix: $(VENV)/.made
	$(BIN)/python tests/environments.py matrix $(PYTEST)

# Thousands of examples for each property: both engines of the lab on any configuration, audit and diagnosis on any
# evidence, and all parsers.
conformance: $(VENV)/.made
	REMEDIATE_EXAMPLES=2000 $(BIN)/python -m pytest -m hypothesis $(PYTEST)

# On a real Windows server, named by REMEDIATE_LIVE_INVENTORY and REMEDIATE_LIVE_HOST (docs/testing.md).
live: $(VENV)/.made
	$(BIN)/python -m pytest -n 0 tests/live $(PYTEST)

# How fast a log of a gigabyte is read. BENCH="--size 200M --shape utf-16|gzip" for others.
bench: $(VENV)/.made
	$(BIN)/python -m tests.bench.reading $(BENCH)

check: $(VENV)/.made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.example_plan build/plan
	cd build/plan && ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/playbooks/collections $(CURDIR)/$(LINT) playbook.yml
	cd playbooks && ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/playbooks/collections $(CURDIR)/$(LINT) .

# The tables of the documentation that are made from the rules.
docs: $(VENV)/.made
	$(BIN)/python -m tests.generated_docs

# Those of ansible-test's sanity tests that concern the collection; tests/sanity.py says which are left out, and why.
sanity: $(VENV)/.made
	$(BIN)/python -m tests.sanity build/sanity

clean:
	rm -rf .venv .venv-* build dist
