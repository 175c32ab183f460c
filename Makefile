# `make demo` and `make test` each install all they need into .venv, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin/python
READY := $(VENV)/.ready
PYTEST := $(BIN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Otherwise each process that the tests start compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint bench fuzz crash disk clean

help:  ## lists the targets
	@sed -n 's/^\([a-z]*\):.*  ## /\1 /p' $(MAKEFILE_LIST) | while read -r name does; do printf 'make %-6s %s\n' "$$name" "$$does"; done

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 demo" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@echo "Installing locum_spider, what it needs and the tools of its tests into $(VENV). This takes about a minute, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN) -m pip install -qq --disable-pip-version-check --editable '.[dev]'  # -qq: errors, no warnings
	@touch $(READY)

demo: $(READY)  ## makes the demo archive in data/
	$(BIN) -m locum_spider demo --archive data

test: $(READY) lint  ## runs the checks and the tests
	$(PYTEST)

lint: $(READY)  ## runs ruff, mypy and import-linter
	$(BIN) -m ruff check .
	$(BIN) -m mypy
	$(BIN) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

bench: $(READY)  ## compares a whole crawl with a bare Scrapy spider
	$(BIN) benchmarks/crawl.py

fuzz: $(READY)  ## runs the long form of the tests, for a night
	$(PYTEST) --long

crash: $(READY)  ## kills crawls a thousand times
	$(BIN) tools/crash.py

disk: $(READY)  ## makes each write of a crawl fail once
	$(BIN) tools/disk.py

clean:  ## removes the environment and the files of the tools, never data/
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
