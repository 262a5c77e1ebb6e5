# Needs make and a python3 of version 3.11 or newer; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
RUNS := .venv/.runs
INSTALLED := .venv/.installed
PEERS := .venv/.peers
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
FOLDERS := apps benchmarks cases datasets gnn pinns rl_control sciml twins

.PHONY: setup browser demo test test-all bench lint docs

setup: $(INSTALLED)

# What it takes to run; the rest below is for development.
$(RUNS): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e .
	touch $@

$(INSTALLED): pyproject.toml constraints.txt | $(RUNS)
	$(PIP) -e '.[dev]'
	mkdir -p .typing/tvilling
	for name in __init__.py __init__.pyi py.typed; do ln -sfn ../../tvilling/$$name .typing/tvilling/$$name; done
	for folder in $(FOLDERS); do ln -sfn ../../$$folder .typing/tvilling/$$folder; done
	touch $@

# Debian's Chromium for the tests of the web pages; without it they are skipped.
browser:
	command -v chromium >/dev/null || test "$$(id -u)" != 0 || \
		(apt-get update -qq && apt-get install -y -qq chromium >/dev/null) || true

demo: $(RUNS)
	$(BIN)/tvilling run cases/schutterwald_week.yaml

test: setup browser
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

# The slow ones as well, with every annotation checked.
test-all: setup browser
	TVILLING_CHECK_TYPES=1 $(BIN)/pytest -n 2 --dist loadfile

# The programs to compare with, which nothing else needs.
$(PEERS): $(INSTALLED)
	$(PIP) -e '.[peers]'
	touch $@

bench: $(PEERS)
	$(BIN)/tvilling bench

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd .typing && ../$(BIN)/lint-imports --config ../pyproject.toml

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
