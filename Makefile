# make is a convenience: it sets up the environment and holds the lock. All else is plain `snakemake`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# As they came, quotes, dollars and all: make must not expand them.
override export OVERRIDES := $(value OVERRIDES)
export REPORT PROFILE

# The folder of a copied or moved checkout may have an environment that runs the code of the first one, or of none: set up again.
define HERE
import os, sys, importlib.util as u; s = u.find_spec("cnnatomy"); sys.exit(not s or not os.path.samefile(s.origin, "src/cnnatomy/__init__.py"))
endef
ifneq ($(wildcard $(READY)),)
ifneq ($(shell test -L $(VENV) || $(BIN)/python -I -c '$(HERE)' 2>/dev/null || echo elsewhere),)
.PHONY: $(READY)
endif
endif

.PHONY: report test test-fast faults lint bench site sbom clean help

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

report: $(READY)  ## fetch, train, dissect, report: results/report/index.html (REPORT=full OVERRIDES="training.max_epochs=3")
	@$(BIN)/python -I -m cnnatomy.launch

test: $(READY)  ## all tests; those that need a browser, a mirror or a GPU are skipped with the reason where there is none
	$(BIN)/python -m pytest -n logical

test-fast: $(READY)  ## those of a minute: neither Snakemake nor Slurm nor a browser, and none that is marked as slow
	$(BIN)/python -m pytest -n logical -m "not slow" tests/unit tests/faults

faults: $(READY)  ## what goes wrong outside, with 20,000 damaged files for each reader instead of 500; ten minutes
	CNNATOMY_FUZZ=20000 $(BIN)/python -m pytest -n logical tests/faults

lint: $(READY)  ## style, types, workflow; no mark that a merge left
	! git grep -nE '^(<{7}|>{7}) '
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m snakefmt --check Snakefile workflow
	$(BIN)/python -m mypy

bench: $(READY)  ## the numbers of the README's second table, side by side
	$(BIN)/python -m snakemake --quiet all results/data/mnist/dataset.json results/data/spoken_digits/dataset.json
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/workflow.py
	$(BIN)/python benchmarks/studies.py

site: $(READY)  ## the documentation as a site, with the report where it was made: results/site/index.html
	@$(BIN)/python docs/site/build.py results results/site

sbom: $(READY)  ## what the environment is made of, package, version and licence: results/sbom.csv
	@$(BIN)/python benchmarks/sbom.py results/sbom.csv

clean:  ## what was made: results and Snakemake's notes; not the environment, not the raw data
	rm -rf results .snakemake

# UV and TORCH_INDEX, which workflow/setup.sh explains, reach it by the environment.
$(READY): requirements.lock pyproject.toml workflow/setup.sh
	@PYTHON="$(PYTHON)" workflow/setup.sh $(VENV)
	@touch $@
