# `make run` and `make test` set everything up by themselves; Python 3.11 and make are all they need.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PARALLEL := --numprocesses 2 --dist loadfile

.PHONY: run test quick lint check format hooks bench clean help
.DEFAULT_GOAL := run

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	@echo "Installing the pinned packages (first time only: two to four minutes)…"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt $$(grep '^torch==' constraints.txt)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	@touch $@

run: $(READY)  ## start the bot: Discord when DISCORD_TOKEN is set, else the local chat page
	@$(BIN)/mgie-bot

test: $(READY)  ## every test (about 12 minutes on two cores)
	@$(BIN)/pytest $(PARALLEL)

quick: $(READY)  ## the unit tests: no browser, no Discord, no training, no other processes (under a minute)
	@$(BIN)/pytest $(PARALLEL) -m "not slow"

lint: $(READY)  ## format, style, types and import contracts, as CI and the pre-commit hooks check them
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test  ## everything that CI runs

format: $(READY)  ## format the code, and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

hooks: $(READY)  ## run the checks of `make lint` before every commit
	@$(BIN)/pre-commit install

bench: $(READY)  ## every benchmark; each ends in one line of JSON
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:  ## remove the virtual environment and what was built
	rm -rf $(VENV) build dist *.egg-info

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile
