# Needs make and a python3 of version 3.11 or newer; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
FOLDERS := apps benchmarks cases datasets gnn pinns rl_control sciml twins

.PHONY: setup demo test test-all bench lint docs

setup: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e '.[dev]'
	mkdir -p .typing/tvilling
	for folder in $(FOLDERS); do ln -sfn ../../$$folder .typing/tvilling/$$folder; done
	touch $@

demo: setup
	$(BIN)/tvilling run cases/schutterwald_week.yaml

test: setup
	$(BIN)/pytest -m "not slow"

test-all: setup
	$(BIN)/pytest

bench: setup
	$(BIN)/tvilling bench

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
