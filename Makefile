# Everything needed on a fresh machine with Python 3.11 to 3.13 and make.
.DEFAULT_GOAL := help
.PHONY: help setup up down test harness check bench figures sbom

PYTHON := .venv/bin/python
PIP = $(PYTHON) -m pip install --quiet --disable-pip-version-check
# The lock names all that is needed, so that there is nothing to resolve. A module is compiled when it
# is first imported: to compile all of them takes half a minute.
INSTALL = $(PIP) --no-compile --no-deps --require-hashes
# What `make up` needs is two fifths of the files: the rest is for tests and documents.
STAMP := .venv/.installed
UP_STAMP := .venv/.installed-up
# Extras of pyproject.toml, and what builds the package.
UP_NEEDS := train dask serve client records telemetry hatchling editables
# A python3.x on the PATH may be a shim that does not run, so each is tried.
CANDIDATES := python3.13 python3.12 python3.11 python3
FITS := import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# Turn off the telemetry of our tools.
export MLFLOW_DISABLE_TELEMETRY := true
export BENTOML_DO_NOT_TRACK := True
export DO_NOT_TRACK := 1
# Commands, services and tests start Python hundreds of times: compiled modules are kept, also where
# an image says that they should not be.
export PYTHONDONTWRITEBYTECODE :=
# Our matrices are small: several threads of linear algebra would only wait for each other.
export OPENBLAS_NUM_THREADS := 1
# Beside other programs a thread of XGBoost that waits for another must not do so by spinning: trees
# would take three times the processor.
up test: export OMP_WAIT_POLICY := passive

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## Create .venv with every dependency, checked against its hash

up: $(UP_STAMP)  ## Start the service and the MLflow UI; train a default model first if there is none (or RECORDS=yes, FHIR=yes)
	@$(PYTHON) -m pipelines.up

down:  ## Stop the service and the MLflow UI
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m pipelines.up --down; fi

test: $(STAMP)  ## Run every test
	@$(PYTHON) -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

harness: $(STAMP)  ## Attack sheets, store and service for an hour; print what was tried and the faults
	@$(PYTHON) -m pytest -m harness -s

check: $(STAMP)  ## Check format, lint, types, imports and derived files; change nothing
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@.venv/bin/oxfmt --check serving/page
	@.venv/bin/oxlint --deny-warnings serving/page
	@$(PYTHON) -m mypy
	@.venv/bin/pydoclint --quiet src pipelines serving
	@$(PYTHON) -m pipelines.docstrings
	@.venv/bin/lint-imports
	@$(PYTHON) -m pipelines.derive --check

# Training takes half an hour more: benchmarks.training_speed.
bench: $(STAMP)  ## Measure speed: the service against MLflow's, its start, a squad, files; fail on a missed target
	@status=0; for study in serving_speed start_speed squad_speed score_speed; do \
	  $(PYTHON) -m benchmarks.$$study || status=1; \
	done; exit $$status

figures: $(STAMP)  ## Remake all numbers, tables and plots of the documents (or ONLY="clubs oracle")
	@$(PYTHON) -m pipelines.figures $(ONLY)

sbom: $(STAMP)  ## Write what the lock and a bento (BENTO=kneerisk.tar) or wheel (WHEEL=...) are made of (CycloneDX)
	@$(PYTHON) -m pipelines.sbom --out build/sbom $(if $(BENTO),--bento $(BENTO)) $(if $(WHEEL),--wheel $(WHEEL))

$(STAMP): $(UP_STAMP)
	@echo "Installing what tests and documents need." >&2
	@$(INSTALL) -r requirements.lock
	@touch $(STAMP)

$(UP_STAMP): requirements.lock pyproject.toml
	@found=; if ! $(PYTHON) -c '$(FITS)' >/dev/null 2>&1; then \
	  for candidate in $(CANDIDATES); do \
	    if $$candidate -c '$(FITS)' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "kneerisk needs Python 3.11, 3.12 or 3.13 with its venv module, and found none of" \
	      "$(CANDIDATES) that runs. Install one from python.org or your package manager" \
	      "(Debian and Ubuntu: python3 python3-venv), then run make again." >&2; \
	    exit 1; \
	  fi; \
	  $$found -m venv --clear .venv; \
	fi
	@echo "Installing into .venv; the first time takes a minute or two." >&2
	@# First a pip that looks through the packages' versions in a quarter of the time.
	@$(PYTHON) -m pipelines.locked --out .venv/pip.txt pip
	@$(INSTALL) -r .venv/pip.txt
	@$(PYTHON) -m pipelines.locked --out .venv/up.txt $(UP_NEEDS)
	@$(INSTALL) -r .venv/up.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $(UP_STAMP)
