# Amana.  `make demo` and `make test` need Python >= 3.11, make and the package indexes; no more.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/stamp
# How many tests run at once; the files of tests stay whole, and come in their own order, so that those
# with few and long tests are not the last.  make test WORKERS=0 is one after another.
WORKERS ?= 3

.PHONY: demo quarter test check lint types contracts coverage bench load fuzz screenshots docs clean help

help:
	@echo "make demo         a rehearsal of the whole: site, sync and a desk, on this machine"
	@echo "make quarter      a fresh rehearsal with a quarter of 7,083 synthetic reports; some minutes"
	@echo "make test         every test"
	@echo "make check        the tests, and ruff, mypy, the import contracts and coverage"
	@echo "make bench        the benchmarks, as ratios"
	@echo "make load         a report in the middle of a flood, on this machine"
	@echo "make fuzz         a million mutated files of all formats: a night; a look: make fuzz RUNS=2000"
	@echo "make docs         the table of formats in docs/SANITIZER.md, from the code"
	@echo "make screenshots  every page, in every language, narrow and wide, light and dark, into"
	@echo "                  screenshots/; of some languages: make screenshots ONLY=\"ar fr\""

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Amana needs Python 3.11 or newer. Say which one with: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python could not make a virtual environment (on Debian: apt-get install python3-venv)."; rm -rf $(VENV); exit 1; }

$(STAMP).runtime: requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what Amana needs into $(VENV) ..."
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(STAMP).dev: requirements/dev.txt $(STAMP).runtime
	@echo "Installing what the tests need into $(VENV) ..."
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(STAMP).runtime
	@exec $(BIN)/python -m demo

# Into .amana-quarter (or AMANA_HOME), which must not be there yet; then AMANA_HOME=... make demo.
quarter: $(STAMP).runtime
	@$(BIN)/python -m tests.quarter

# The system programs that judge our work from outside (a browser, ExifTool, strace) are installed
# where that is possible; a test whose judge is missing says so and is skipped, and CI refuses skips.
test: $(STAMP).dev
	@sh tools/install-judges
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest --numprocesses $(WORKERS) --max-worker-restart 1 --dist loadfile --no-loadscope-reorder

lint: $(STAMP).dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP).dev
	$(BIN)/mypy

contracts: $(STAMP).dev
	$(BIN)/lint-imports

coverage: test
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95 --format=total
	$(BIN)/coverage report --fail-under=100 --include='crypto/*,vault/*,sanitizer/*'

check: lint types contracts coverage

bench: $(STAMP).dev
	@$(BIN)/python -m tests.bench

load: $(STAMP).dev
	@$(BIN)/python -m tests.bench.load

screenshots: $(STAMP).dev
	@sh tools/install-judges
	@$(BIN)/python -m tests.support.screenshots screenshots $(ONLY)

$(STAMP).fuzz: requirements/fuzz.txt $(STAMP).dev
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	@touch $@

# Inputs for each format; what is found lands in build/findings.
fuzz: $(STAMP).fuzz
	@$(BIN)/python -u -m tests.fuzz $(if $(RUNS),--runs $(RUNS))

# What the page says of formats is read from the cleaners; a test holds the two together.
docs: $(STAMP).dev
	@$(BIN)/python -m sanitizer.described docs/SANITIZER.md

clean:
	rm -rf $(VENV) .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
