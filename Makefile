# `make demo` shows the whole way on a small world; `make test` runs every check. Both set up .venv.
.DELETE_ON_ERROR:
.PHONY: demo test

BIN := .venv/bin
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$python && break; \
	done)

demo: .venv/installed
	$(BIN)/forge demo

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy forge
	$(BIN)/pytest -n auto --dist loadfile $(TESTS)

.venv/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "forge needs Python 3.11 or newer, and found none in PATH" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || .ci/make-venv $(PYTHON) .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@
