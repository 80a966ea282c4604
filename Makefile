# Everything starts here: each target makes .venv itself and installs what it needs.
#   make demo           a generated city, trained, scored, listed
#   make test           lint, types and all tests
#   make lint           lint, types and the order of the floors
#   make docs           docs/commands.md from --help, docs/features.md from the catalogue
#   make demonstration  models/demonstration, trained anew on the generated city
#   make pictures       docs/images, photographed from what the program writes now
#   make proof          what is too long for make test, at full size; writes docs/proof.json
#                       (make proof PARTS="daily kills": these alone, the others as they were)
#   make bench          of these the speed, each beside a peer; then the table of ratios in README

PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
DEMO ?= demo
STUDENTS ?= 66259

.PHONY: demo test lint format docs demonstration pictures proof bench clean

$(VENV)/.run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $(VENV)/.run $@

$(VENV)/.bench: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev,bench]"
	touch $(VENV)/.run $(VENV)/.dev $@

demo: $(VENV)/.run
	$(BIN)/earlywarn demo --out "$(DEMO)" --students $(STUDENTS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

docs: $(VENV)/.run
	$(BIN)/python -m earlywarn.cli.reference > docs/commands.md
	$(BIN)/python -m earlywarn.features.reference > docs/features.md

demonstration: $(VENV)/.run
	$(BIN)/python docs/demonstration.py

pictures: $(VENV)/.run
	$(BIN)/python docs/pictures.py

proof: $(VENV)/.bench
	$(BIN)/python benchmarks/proof.py $(PARTS)

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/proof.py speed

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
