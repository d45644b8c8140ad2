# `make run` and `make test` set everything up by themselves; Python 3.11 and make are all they need.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
RUN_READY := $(VENV)/.ready-run
TEST_READY := $(VENV)/.ready-test
TORCH := $(shell grep -o '^torch==[0-9.]*' requirements/torch.txt)
CPU_INDEX := https://download.pytorch.org/whl/cpu
UV := uv==0.13.9
PARALLEL := --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: run test test-cluster quick lint check format hooks bench lock clean help
.DEFAULT_GOAL := run

# Every package is checked against a hash. Which build of torch suits depends on the machine: a build of that version
# that is there stays, else the CPU build is taken where the package sources offer it, or from PyTorch's own index where
# there is no NVIDIA driver, else the one for CUDA, which is all that PyPI has.
$(RUN_READY): pyproject.toml $(wildcard requirements/*.txt)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	@echo "Installing the pinned packages (first time only: two to four minutes)…"
	@$(BIN)/pip freeze | grep -q "^$(TORCH)\b" || \
		$(PIP) install --require-hashes --no-deps -r requirements/torch-cpu.txt 2>/dev/null || \
		{ ! command -v nvidia-smi >/dev/null && $(PIP) install --require-hashes --no-deps \
			--extra-index-url $(CPU_INDEX) -r requirements/torch-cpu.txt 2>/dev/null; } || \
		$(PIP) install --require-hashes --no-deps -r requirements/torch.txt
	@! $(BIN)/python -c 'from importlib.metadata import requires; print(requires("torch"))' | grep -q nvidia || \
		$(PIP) install --require-hashes --no-deps -r requirements/cuda.txt
	@$(PIP) install --require-hashes --no-deps -r requirements/run.txt
	@PYTHONWARNINGS=ignore $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(TEST_READY): $(RUN_READY) constraints.txt
	@echo "Installing the pinned test tools (first time only)…"
	@$(PIP) install -c constraints.txt --editable '.[dev]'
	@touch $@

run: $(RUN_READY)  ## start the bot: Discord when DISCORD_TOKEN is set, else the local chat page
	@$(BIN)/mgie-bot

test: $(TEST_READY)  ## every test (about 12 minutes on two cores)
	@$(BIN)/pytest $(PARALLEL)

test-cluster: $(TEST_READY)  ## two replicas in a real Ray cluster on this machine (installs Ray; three minutes)
	@$(PIP) install -c constraints.txt --editable '.[cluster]'
	@MGIE_TEST_CLUSTER=1 $(BIN)/pytest tests/mgie_engine/cluster

quick: $(TEST_READY)  ## the unit tests: no browser, no Discord, no training, no other processes (under a minute)
	@$(BIN)/pytest $(PARALLEL) -m "not slow"

lint: $(TEST_READY)  ## format, style, types and import contracts, as CI and the pre-commit hooks check them
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test  ## everything that CI runs

format: $(TEST_READY)  ## format the code, and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

hooks: $(TEST_READY)  ## run the checks of `make lint` before every commit
	@$(BIN)/pre-commit install

bench: $(TEST_READY)  ## every benchmark; each ends in one line of JSON
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lock: $(TEST_READY)  ## pin again what `make run` installs, after a change of pyproject.toml or constraints.txt
	@$(PIP) install $(UV)
	@$(BIN)/python requirements/lock.py

clean:  ## remove the virtual environment and what was built
	rm -rf $(VENV) build dist *.egg-info

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile
