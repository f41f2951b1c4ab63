PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.nirtrans-ready
SOURCES := $(shell find csrc -type f 2>/dev/null) setup.py pyproject.toml
NATIVE = $$(git ls-files '*.h' '*.cpp' '*.cu')
# xdist workers; each keeps to one torch thread
WORKERS ?= auto

.PHONY: setup build demo test test-fallback test-slow test-cuda emu cuda-check format lint types bench wheel clean

setup: $(STAMP)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(SOURCES) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet 'torch>=2.11,<2.14' 'numpy>=1.26' 'setuptools>=77' wheel 'pybind11>=2.13' ninja
	$(BIN)/python -m pip install --quiet --no-build-isolation -e '.[dev]'
	$(BIN)/nirtrans doctor
	touch $@

build: | $(VENV)/bin/python
	$(BIN)/python setup.py build_ext --inplace

demo: setup
	$(BIN)/nirtrans demo --out demo --overwrite

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)
	NIRTRANS_NO_COMPILED=1 $(BIN)/python -m pytest -n $(WORKERS) -q tests/kernels $(ARGS)

test-slow: setup
	$(BIN)/python -m pytest -n $(WORKERS) --slow $(ARGS)

test-cuda: build
	NIRTRANS_REQUIRE_CUDA=1 $(BIN)/python -m pytest -m cuda $(ARGS)

emu: setup
	$(BIN)/python -m pytest tests/csrc $(ARGS)

cuda-check:
	$(PYTHON) scripts/cuda_check.py

format: setup
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .
	$(BIN)/clang-format -i $(NATIVE)

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(NATIVE)

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/nirtrans bench lab && $(BIN)/nirtrans bench bins && $(BIN)/nirtrans bench ssim && $(BIN)/nirtrans bench train
	$(BIN)/nirtrans bench classes --device cpu
	$(BIN)/nirtrans bench geotiff --device cpu
	$(BIN)/python scripts/kernel_tables.py && $(BIN)/python scripts/raster_tables.py

wheel: setup
	$(BIN)/python -m pip wheel --no-build-isolation --no-deps -w dist .

clean:
	rm -rf build dist *.egg-info $(STAMP)
