# Needs Python 3.11 or newer, git and make; everything else is installed into .venv from requirements/*.txt.
# `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLAN ?= examples/shop-prod.yaml
JOBS ?= 2
PORT ?= 8000

# A stamp is named after the content it was made from, so switching branches or moving the folder is noticed
# and a second run costs nothing.
key = $(shell { echo "$(CURDIR)"; cat pyproject.toml $(1); } | cksum | tr ' ' -)
RUN_EXTRAS := charts frames forecast optimize cel
RUN_LOCKS := requirements/run.txt requirements/build.txt
RUN_STAMP := $(VENV)/stamp-run-$(call key,$(RUN_LOCKS))
DEV_STAMP := $(VENV)/stamp-dev-$(call key,$(RUN_LOCKS) requirements/dev.txt)

# Wheels only: a source archive would run its own code and fetch unpinned build tools.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PIP_LOCKED := $(PIP) install --require-hashes --only-binary :all:
UV_COMPILE = $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help plan test check lint types browser unit wheel-test mutants format lock page page-serve picture docs docs-reference \
	dist image-test bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-16s %s\n", $$1, $$2}'

plan: $(RUN_STAMP)  ## set up, then check the example plan (PLAN=file for your own); exit 0 whatever the verdict
	@$(BIN)/capacity check $(PLAN) --exit-zero

test: lint types browser page  ## everything CI runs: lint, types, the planner page, all tests with the wheel test
	@$(BIN)/python -m pytest -n $(JOBS)

check: test  ## the same as test

lint: $(DEV_STAMP)  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV_STAMP)  ## mypy --strict
	@$(BIN)/mypy

browser: $(DEV_STAMP)  ## find a Chromium or Chrome for the report's tests, or install one
	@$(BIN)/python tools/find_browser.py --install >/dev/null

unit: browser page  ## the tests without the slow wheel test
	@$(BIN)/python -m pytest -n $(JOBS) --ignore tests/packaging

wheel-test: $(DEV_STAMP)  ## build the wheel, install it elsewhere, compare its answers
	@$(BIN)/python -m pytest tests/packaging

mutants: $(DEV_STAMP)  ## change the formulas a little and list what no test notices (ROOM=cni FUNCTION=f N=20 SEED=0)
	@$(BIN)/python tools/mutants.py $(addprefix --room ,$(ROOM)) $(addprefix --function ,$(FUNCTION)) $(addprefix --number ,$(N)) $(addprefix --seed ,$(SEED))

format: $(DEV_STAMP)  ## rewrite the code in the house format
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

page: $(DEV_STAMP)  ## build the planner page into build/page
	@$(BIN)/python -m tools.build_page

page-serve: page  ## serve the planner page on this machine (PORT=8000)
	@$(BIN)/python -m tools.serve_page --port $(PORT)

picture: page  ## draw the picture of the front page, docs/images/product.png
	@$(BIN)/python -m tools.build_picture

docs: page  ## build the documentation as a site into site/, with the planner page as /planner/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@rm -rf site/planner && cp -R build/page site/planner

docs-reference: $(DEV_STAMP)  ## rewrite the reference pages made from the commands and the data
	@$(BIN)/python tools/build_cli_reference.py
	@$(BIN)/python tools/build_finding_pages.py
	@$(BIN)/python tools/build_network_reference.py
	@$(BIN)/python tools/build_fix_cases.py
	@$(BIN)/python tools/build_schemas.py
	@$(BIN)/python tools/build_plan_reference.py
	@$(BIN)/python tools/build_docs_index.py

dist: $(DEV_STAMP)  ## build a release into dist/: wheel, source archive, bill of materials, checksums
	@$(BIN)/python -m tools.build_dist

image-test: $(DEV_STAMP)  ## build the container image with buildah and run it (needs root, buildah, mmdebstrap; PINNED=1: its own base)
	@$(BIN)/python -m tools.try_image $(if $(PINNED),--pinned)

bench: $(DEV_STAMP)  ## measure; figures are kept in benchmarks/RESULTS.md
	@for name in $(filter-out big_plan,$(basename $(notdir $(wildcard benchmarks/*.py)))); do \
		$(BIN)/python -m benchmarks.$$name || exit 1; done

# The widest set first: botocore (moto needs it) holds python-dateutil back, and all files must agree.
lock: | $(VENV)-lock/bin/uv  ## pin the dependencies anew (UPGRADE=1: to their newest versions)
	@$(UV_COMPILE) pyproject.toml --all-extras requirements/build.in requirements/dev.in -o requirements/dev.txt
	@$(UV_COMPILE) pyproject.toml $(addprefix --extra ,$(RUN_EXTRAS)) -c requirements/dev.txt -o requirements/run.txt
	@$(UV_COMPILE) pyproject.toml --extra cel -c requirements/dev.txt -o requirements/slim.txt
	@$(UV_COMPILE) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	@$(UV_COMPILE) requirements/lock.in -o requirements/lock.txt
	@rm -rf $(VENV)-lock

clean:  ## remove what the other targets made
	rm -rf $(VENV) $(VENV)-lock build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment whose Python has gone is made anew; one made by hand is kept.
define ENSURE_VENV
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo "capacity needs Python 3.11 or newer, and '$(PYTHON)' is not (use: make PYTHON=/path/to/python3.11 ...)" >&2; exit 1; }
@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || \
	{ rm -rf $(VENV); echo "'$(PYTHON) -m venv' failed (on Debian or Ubuntu: apt install python3-venv)" >&2; exit 1; }
endef

$(RUN_STAMP):
	@echo "Installing what capacity needs into $(VENV) (once)" >&2
	$(ENSURE_VENV)
	@$(PIP_LOCKED) $(addprefix -r ,$(RUN_LOCKS))
	@$(PIP) install --no-build-isolation --no-deps -e .
	@rm -f $(VENV)/stamp-* && touch $@

$(DEV_STAMP):
	@echo "Installing capacity and its development tools into $(VENV) (once)" >&2
	$(ENSURE_VENV)
	@$(PIP_LOCKED) -r requirements/dev.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@rm -f $(VENV)/stamp-* && touch $@ $(RUN_STAMP)

$(VENV)-lock/bin/uv: requirements/lock.txt
	@$(PYTHON) -m venv --clear $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/lock.txt
