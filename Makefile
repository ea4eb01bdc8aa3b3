# Every target sets up what it needs on a bare machine (a virtual environment with the package and its
# development tools) and skips that when it is already there.
#
#     make test                     # with the machine's python3, in .venv
#     make test PYTHON=python3.10   # with another Python, in .venv-python3.10

PYTHON ?= python3

# One environment per interpreter, so that several can live side by side.
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
# Written last, by a rule that stops at the first error: a half-made environment has no stamp.
STAMP := $(VENV)/.installed

# Tests, demo and benchmark use local models only; with this set, a forgotten download fails at once.
OFFLINE := HF_HUB_OFFLINE=1

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast lint bench clean

help:  ## show this list
	@echo "usage: make TARGET [PYTHON=python3.10]"
	@sed -n 's/^\([a-z-]*\):.*##/  \1  -/p' $(firstword $(MAKEFILE_LIST))

install: $(STAMP)  ## make the virtual environment

demo: $(STAMP)  ## train and evaluate the example on real data
	$(OFFLINE) $(BIN)/python examples/vader/demo.py

test: $(STAMP)  ## run the tests on two processes
	$(OFFLINE) $(BIN)/python -m pytest -n 2

test-fast: $(STAMP)  ## run the tests that start no processes
	$(OFFLINE) $(BIN)/python -m pytest -n 2 -m "not slow"

lint: $(STAMP)  ## check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## measure against AllenNLP's own classes
	$(OFFLINE) $(BIN)/python benchmarks/routing.py
	$(OFFLINE) $(BIN)/python benchmarks/loading.py

clean:  ## remove the virtual environments
	rm -rf .venv .venv-*

$(STAMP): pyproject.toml scripts/install.sh scripts/find_python.sh
	sh scripts/install.sh $(PYTHON) $(VENV)
	@touch $@
