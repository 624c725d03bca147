# Commands of a checkout; `make` lists them. Each creates the environment if needed.

# The stack: onedl (the maintained fork) or openmmlab (the classic packages).
STACK ?= onedl
# The interpreter that the environment is made with.
PYTHON ?= python3
# The torch to use, remembered by the environment: a version (2.9.1), a requirement or
# a wheel for pip, or `system` for the one of $(PYTHON). Empty: the pinned one.
TORCH ?=
# Test processes, with one torch thread each, and further arguments of pytest.
TEST_JOBS ?= 2
TEST_ARGS ?=
# Further arguments of tools/train.py in the demo.
DEMO_ARGS ?=
# Folder of the results of `make benchmark-gpu`, and further arguments of its command.
PRICE ?= work_dirs/price
PRICE_ARGS ?=

ENV_onedl := .venv
ENV_openmmlab := .venv-openmmlab
ENV := $(or $(ENV_$(STACK)),$(error STACK must be onedl or openmmlab, got '$(STACK)'))
BIN := $(ENV)/bin
DOCS_ENV := .venv-docs
# Tests start many interpreters: compiled files are kept, whatever the shell says.
PYTEST = OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile

.PHONY: help env demo test test-all lint format docs clean clean-env benchmark-gpu

help:
	@echo 'make env        build the environment in $(ENV) (10 to 25 minutes, once)'
	@echo 'make demo       train and test a small SSD with BoxMix on digits (CPU)'
	@echo 'make test       the tests without the slow ones'
	@echo 'make test-all   every test'
	@echo 'make benchmark-gpu  CUDA tests and the price of mixing on this GPU, in $(PRICE)'
	@echo 'make lint       check style, types and lengths; make format applies the style'
	@echo 'make docs       the documentation site, in build/docs (needs no torch)'
	@echo 'make clean      remove what builds and tests left'
	@echo 'make clean-env  remove both environments'
	@echo
	@echo 'STACK=openmmlab  the classic stack, in .venv-openmmlab'
	@echo 'PYTHON=python3.12 another interpreter (3.10 to 3.13)'
	@echo 'TORCH=2.9.1 | TORCH=/path/torch.whl | TORCH=system  a torch of your own'

env:
	@$(PYTHON) .dev/build_env.py --stack '$(STACK)' --torch '$(TORCH)'

demo: env
	@.dev/demo.sh $(BIN)/python $(DEMO_ARGS)

test: env
	$(PYTEST) -m 'not slow' $(TEST_ARGS)

test-all: env
	$(PYTEST) $(TEST_ARGS)

# mmcv is built for the GPU by `env`, where torch sees one.
benchmark-gpu: env
	$(BIN)/python -m pytest -m cuda $(TEST_ARGS)
	$(BIN)/python tools/analysis_tools/benchmark_gpu.py --out $(PRICE) $(PRICE_ARGS)

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python .dev/check_sizes.py

format: env
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# An environment of its own, made again when its requirements change.
$(DOCS_ENV)/made: requirements/docs.txt
	$(PYTHON) -m venv --clear $(DOCS_ENV)
	$(DOCS_ENV)/bin/python -m pip install -q -r requirements/docs.txt
	touch $@

docs: $(DOCS_ENV)/made
	$(DOCS_ENV)/bin/sphinx-build -q -W --keep-going -b html docs build/docs
	@echo 'The site is in build/docs/index.html'

clean:
	rm -rf build dist docs/api mmmix.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find configs mmmix tests tools -name __pycache__ -prune -exec rm -rf {} +

clean-env:
	rm -rf $(ENV_onedl) $(ENV_openmmlab) $(DOCS_ENV)
