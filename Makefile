# Everything runs in ./.venv, made here from one pip command and constraints.txt.
#   make demo    run the assay on the packaged demo data (exit 0 whatever its verdict)
#   make test    all tests
#   make check   ruff, mypy, layers, spelling
#   make bench   speed against other tools
#   make docs    write the generated parts of the docs again
#   make setup   only make the environment

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench docs

help:
	@sed -n 's/^#   //p' Makefile

setup: .venv/.installed-dev

demo: .venv/.installed-dev
	@$(BIN)/offtarget demo

test: .venv/.installed-dev
	@$(BIN)/pytest $(PYTEST_ARGS)

check: .venv/.installed-dev
	@echo "check: ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@echo "check: mypy"
	@$(BIN)/mypy
	@echo "check: layers"
	@$(BIN)/lint-imports
	@echo "check: spelling"
	@$(BIN)/typos
	@echo "check: all passed"

bench: .venv/.installed-bench
	@$(BIN)/python bench/run.py

docs: .venv/.installed-dev
	@cd tests && ../$(BIN)/python -m docs.generate

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "offtarget needs Python 3.11 or newer; '$(PYTHON)' is" \
	    "$$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setup: making ./.venv"
	@$(PYTHON) -m venv .venv || { \
	  rm -rf .venv; \
	  echo "cannot make ./.venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

.venv/.installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "setup: installing offtarget and its tools into ./.venv (minutes the first time)"
	@$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@echo "setup: done"
	@touch $@

.venv/.installed-bench: pyproject.toml constraints.txt | .venv/bin/python
	@echo "setup: installing offtarget and the tools it is measured against into ./.venv"
	@$(PIP) install --quiet -c constraints.txt -e '.[dev,bench]'
	@echo "setup: done"
	@touch $@
