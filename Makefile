# `make demo` and `make test` each make all they need: a virtual environment in .venv, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin/python
READY := $(VENV)/.ready

# Processes started by the tests would compile everything anew, each of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint bench fuzz crash disk clean

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 demo" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing; on Debian: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

demo: $(READY)
	$(BIN) -m locum_spider demo --archive data

test: $(READY) lint
	$(BIN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(READY)
	$(BIN) -m ruff check .
	$(BIN) -m mypy
	$(BIN) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

bench: $(READY)
	$(BIN) benchmarks/crawl.py

fuzz: $(READY)
	$(BIN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --long

crash: $(READY)
	$(BIN) tools/crash.py

disk: $(READY)
	$(BIN) tools/disk.py

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
