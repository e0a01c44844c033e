# Two commands are all that is needed: `make demo` and `make test`. Each makes what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
export OMP_NUM_THREADS ?= 1

.PHONY: demo test lint bench bench-table clean

demo: $(VENV)/.runtime
	$(BIN)/nasturtium search digits --trials 16 --epochs 12 --workers 2 --time 170s \
		--finalists 3 --final-seeds 2 --final-epochs 40 --out runs/demo

test: $(VENV)/.development
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.development
	for script in $(filter-out benchmarks/bench_table.py benchmarks/event_networks.py benchmarks/event_ablations.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$script || exit 1; done

bench-table: $(VENV)/.development
	$(BIN)/python benchmarks/bench_table.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e .
	touch $@

$(VENV)/.development: pyproject.toml constraints.txt | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e ".[dev]"
	touch $@
