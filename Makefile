PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo up test coverage servers clients faults check format pages screenshots docs bench audit release clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

# Where bytecode isn't kept, each process of the tests compiles all of them again, for 10 s.
export PYTHONDONTWRITEBYTECODE =

USABLE = $(shell { $(1) -c "import sys; print(sys.version_info >= (3, 11))"; } 2>/dev/null)

# A .venv whose Python is too old, or gone with an upgrade of the system, is made again.
ifneq ($(call USABLE,$(BIN)/python),True)
.PHONY: $(READY)
endif

$(READY): pyproject.toml constraints.txt
ifneq ($(call USABLE,$(BIN)/python),True)
	$(if $(filter True,$(call USABLE,$(PYTHON))),,$(error $(PYTHON) is not Python 3.11 or newer: install it, or name one: make $(MAKECMDGOALS) PYTHON=python3.12))
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
endif
	@echo "Installing Winback and its packages into $(VENV) (about a minute, once):"
	@$(call INSTALL,dev)
	@touch $@

# Runs pip and prints a line for every ten packages. Errors are printed as they are. Ends with pip's exit code.
INSTALL = { $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
  --constraint constraints.txt --editable '.[$(1)]'; echo "pip-exit-code $$?"; } | { \
  n=0; code=1; while read -r first second rest; do case "$$first $$second" in \
  "Collecting "*) n=$$((n + 1)); [ $$((n % 10)) -ne 0 ] || echo "  $$n packages found";; \
  "Installing collected") echo "  installing $$n packages";; \
  "pip-exit-code "*) code=$$second;; esac; done; exit $$code; }

setup: $(READY) ## make the virtual environment with the pinned dependencies
	@echo "Done. $(VENV) is ready."

demo: $(READY) ## run every part on this machine for a minute and check that the summary adds up
	@trap : INT; $(BIN)/winback demo || [ $$? -eq 130 ]  # which has said that it was stopped

up: $(READY) ## run all roles against winback.toml until Ctrl-C
	@$(BIN)/winback up

test: $(READY) ## run all tests
	$(BIN)/python -m pytest

coverage: $(READY) ## measure how much the tests without real processes reach, and compare it with the floor
	$(BIN)/python -m pytest -m "not e2e" --cov --cov-report=term

servers: $(READY) ## the whole again on Redis 7, Cluster, Sentinel and RabbitMQ, with failovers (Debian's packages), and the tests' longer cases
	$(BIN)/python -m pytest tests/servers -n 3 --dist loadfile
	$(BIN)/python -m pytest --extended

CLIENTS := .cache/clients
MISSING = $(if $(strip $(foreach each,$(1),$(shell command -v $(each)))),,$(error $(firstword $(1)) isn't installed: apt-get install $(2)))

# npm keeps no lock file: it would name a registry. tests/clients/package.json has exact versions.
$(CLIENTS)/.ready: tests/clients/package.json tests/clients/python.txt tests/clients/python-older.txt | $(READY)
	$(call MISSING,node,nodejs)$(call MISSING,npm,npm)
	rm -rf $(CLIENTS)
	mkdir -p $(CLIENTS)/node
	@echo "Installing the SDKs of Segment, RudderStack and others into $(CLIENTS) (half a minute, once):"
	for each in python python-older; do $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --target $(CLIENTS)/$$each --constraint constraints.txt --requirement tests/clients/$$each.txt || exit 1; done
	cp tests/clients/package.json $(CLIENTS)/node
	npm install --prefix $(CLIENTS)/node --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel error
	@touch $@

clients: $(CLIENTS)/.ready ## let real SDKs, on Node.js and in Chromium too, play shoppers (Debian's nodejs, npm and chromium)
	$(call MISSING,node,nodejs)$(call MISSING,chromium google-chrome,chromium)
	$(BIN)/python -m pytest tests/clients -n 0

faults: $(READY) ## make every fault happen to real processes, twenty times (a night; RUNS=3 takes about an hour)
	$(BIN)/python -m tests.model --long
	$(BIN)/python -m tests.faults --runs $(or $(RUNS),20)
	$(BIN)/python -m tests.faults --runs 1 --experiment --record

PAGES = $(shell grep --recursive --files-with-matches --fixed-strings '[[[cog' docs --include '*.md')

# Text for readers, without the history of versions.
PROSE = $(wildcard README.md CONTRIBUTING.md \
  SECURITY.md *.toml *.yml .env.example docs/*.md docs/*/*.md deploy/* deploy/*/* deploy/*/*/*)

check: $(READY) ## check formatting, lint (every rule), types, imports, dependencies, dead code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/deptry .
	$(BIN)/deptry . --exclude '\.venv' --extend-exclude build --extend-exclude '\.cache' --ignore DEP002,DEP004  # with tests and benches
	$(BIN)/vulture
	$(BIN)/codespell
	$(BIN)/codespell --dictionary .ci/plain_words.txt $(PROSE)
	$(BIN)/python -m cogapp --check --diff $(PAGES)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --check-metaschema winback/simulation/mock_api/contract.schema.json

format: $(READY) ## format, and fix what can be fixed automatically
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

pages: $(READY) ## fill the generated tables of the docs again
	$(BIN)/python -m cogapp -r $(PAGES)
	$(BIN)/python -m reference_pages.dashboards
	$(BIN)/python -m bench.charts

screenshots: $(READY) ## run the demo and draw the pictures of the README and the report
	$(BIN)/python -m reference_pages.screenshots

docs: $(READY) ## build the documentation site into ./site; a broken link or search fails
	@$(BIN)/python -c "import zensical" 2>/dev/null || \
	  { echo "Installing the site builder (a few seconds, once):"; $(call INSTALL,docs); }
	$(BIN)/zensical build --clean --strict
	@if command -v node >/dev/null; then node .ci/site_check.mjs site; \
	  else echo "The search isn't checked, because node isn't installed."; fi
	@echo "Open it: $(BIN)/python -m http.server --directory site 8000, then http://127.0.0.1:8000"

bench: $(READY) ## measure speed and memory beside the alternatives, print one table (some 25 minutes)
	$(BIN)/python -m bench.run

audit: $(READY) ## ask which dependencies have known vulnerabilities (needs a network with PyPI)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

release: $(READY) ## compare TAG=v1.2.3 with the files that name the version
	$(BIN)/python .ci/release_check.py $(TAG)

clean: ## remove the virtual environment, caches and ./var
	rm -rf $(VENV) var .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build site .cache
