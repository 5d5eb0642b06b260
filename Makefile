PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check format bench clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(READY) ## make the virtual environment with the pinned dependencies

demo: $(READY) ## run every part on this machine for a minute and check that the summary adds up
	@$(BIN)/winback demo

up: $(READY) ## run all roles against winback.toml until Ctrl-C
	@$(BIN)/winback up

test: $(READY) ## run all tests
	$(BIN)/python -m pytest

check: $(READY) ## formatting, lint (every rule on) and strict types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY) ## format and mend what can be mended by itself
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

bench: $(READY) ## measure speed and memory, print one table
	$(BIN)/python -m bench.run

clean: ## remove the virtual environment, caches and ./var
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build
