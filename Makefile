# Every target first creates a virtual environment with the package and its development tools, unless
# it exists.
#
#     make test                     # with python3, in .venv
#     make test PYTHON=python3.10   # with python3.10, in .venv-python3.10
#
# `make docs` has its own, .venv-docs: it needs neither PyTorch nor AllenNLP.

PYTHON ?= python3

# One environment per interpreter.
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
# Created last, so an incomplete environment has no stamp.
STAMP := $(VENV)/.installed

# Tests, demo and benchmarks use local models only. With this variable, a download is an error.
OFFLINE := HF_HUB_OFFLINE=1
# Compiled modules are written, so that the processes of the tests do not compile the package again.
TESTING := $(OFFLINE) PYTHONDONTWRITEBYTECODE=

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast test-oldest latest lint bench docs clean

help:  ## print this list
	@echo "usage: make TARGET [PYTHON=python3.10]"
	@sed -n 's/^\([a-z-]*\):.*##/  \1  -/p' $(firstword $(MAKEFILE_LIST))

install: $(STAMP)  ## create the virtual environment

demo: $(STAMP)  ## train and evaluate the example on real data
	$(OFFLINE) $(BIN)/python examples/vader/demo.py

test: $(STAMP)  ## run all tests in two processes
	$(TESTING) $(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: $(STAMP)  ## run the tests that are not marked slow
	$(TESTING) $(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

# Read from the directory before the packages of the environment, so that PyTorch is not installed
# again. The lower bound of pyproject.toml and what it requires.
OLDEST := $(VENV)-oldest
OLDEST_PACKAGES := 'transformers==4.46.*' 'tokenizers==0.20.*' 'huggingface_hub<1'

test-oldest: $(STAMP)  ## run the tests that use transformers with its oldest supported release
	rm -rf $(OLDEST)
	$(BIN)/python -m pip install --quiet --no-deps --target $(OLDEST) $(OLDEST_PACKAGES)
	$(TESTING) PYTHONPATH=$(CURDIR)/$(OLDEST) $(BIN)/python -m pytest -n 2 --dist worksteal \
		$$(grep -rlE 'transformers|tiny_bert' tests --include='test_*.py')

latest:  ## run all tests in a new environment with the newest releases that pyproject.toml allows
	rm -rf .venv-latest
	sh scripts/install.sh $(PYTHON) .venv-latest
	.venv-latest/bin/python -m pip freeze --exclude-editable
	$(TESTING) .venv-latest/bin/python -m pytest -n 2 --dist worksteal

lint: $(STAMP)  ## check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

BENCHMARKS := routing routing_plot extras startup loading heads distributed construction \
	regression_metrics

bench: $(STAMP)  ## measure against AllenNLP's classes
	set -e; for name in $(BENCHMARKS); do $(OFFLINE) $(BIN)/python benchmarks/$$name.py; done
ifdef EWT_DIR
	set -e; for name in epoch prediction gradients; do \
		$(OFFLINE) $(BIN)/python benchmarks/$$name.py $(EWT_DIR); done
ifdef MINILM_DIR
	$(OFFLINE) $(BIN)/python benchmarks/epoch.py $(EWT_DIR) --minilm $(MINILM_DIR)
endif
else
	@echo "epoch.py, prediction.py and gradients.py are left out: set EWT_DIR, as in examples/ewt/README.md."
endif

docs: .venv-docs/.installed  ## build the site of the documentation in build/site, without network
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build --strict

.venv-docs/.installed: pyproject.toml scripts/install_docs.sh scripts/find_python.sh
	sh scripts/install_docs.sh $(PYTHON) .venv-docs
	@touch $@

clean:  ## remove the virtual environments and the site
	rm -rf .venv .venv-* build/site

$(STAMP): pyproject.toml scripts/install.sh scripts/find_python.sh
	sh scripts/install.sh $(PYTHON) $(VENV)
	@touch $@
