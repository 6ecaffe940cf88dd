# WeatherVane's commands. `make` alone prints them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .boot/bin/uv
WEB := apps/web
# One thread a product: tests and samplers run a process or a thread a core themselves, and fixed sums stay the same.
export OPENBLAS_NUM_THREADS ?= 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

export DEMO_TENANT ?= demo
export DEMO_DAYS ?=
export DEMO_SEED ?= 7
export DEMO_OUTPUT ?=

.PHONY: help setup demo demo-plan demo-ml serve test check fix types lock web browser storybook e2e bench clean

help: ## this page
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.stamp ## a private environment with everything the locks name

demo: setup ## from nothing to a plan for next week, on a generated world
	$(BIN)/weathervane demo run

demo-plan: setup ## what data there is, whether it is enough, and the plan
	$(BIN)/weathervane demo plan

demo-ml: setup ## fit the model and print estimates beside the world's true effects
	$(BIN)/weathervane demo ml

serve: setup $(WEB)/dist/index.html ## the plan in the browser (loopback only)
	$(BIN)/weathervane serve --open

test: setup web browser ## every test there is: Python, types, web, stories, journeys
	$(MAKE) check
	$(BIN)/pytest -n 2 --dist worksteal
	npm --prefix $(WEB) run lint
	npm --prefix $(WEB) run test
	npm --prefix $(WEB) run build
	npm --prefix $(WEB) run build-storybook
	npm --prefix $(WEB) run test-storybook
	npm --prefix $(WEB) run e2e

check: setup ## format, lint, types, layers, dependencies, generated files (under a minute)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/basedpyright
	$(BIN)/pytest -q -p no:cacheprovider -m "not slow" tests/test_openapi.py tests/test_web_lock.py tests/test_docs.py

fix: setup ## format and mend what can be mended by machine
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: setup web ## openapi.json and the TypeScript types made from it
	$(BIN)/weathervane openapi > openapi.json
	npm --prefix $(WEB) run types

bench: setup ## the figures: python -m benchmarks.<subject> [--small], one JSON object a line
	$(BIN)/python -m benchmarks

storybook: web ## every component in every state
	npm --prefix $(WEB) run storybook

e2e: setup web browser $(WEB)/dist/index.html ## the journey in a real browser against the real server
	npm --prefix $(WEB) run e2e

lock: $(UV) ## resolve dependencies anew (hashed, without index addresses)
	$(UV) pip compile pyproject.toml --extra postgres --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements/locked.txt

web: $(WEB)/node_modules/.stamp

browser: ## a Chromium for the stories and the journeys
	@bash tools/find_browser.sh >/dev/null

clean: ## remove environments and builds; state/ stays
	rm -rf $(VENV) .boot $(WEB)/node_modules $(WEB)/dist $(WEB)/storybook-static

$(UV): requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; v=sys.version_info[:2]; sys.exit(0 if (3,11)<=v<(3,14) else f"Python 3.11 to 3.13 is needed; {sys.executable} is {v[0]}.{v[1]}. Next: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .boot
	.boot/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $(UV)

$(VENV)/.stamp: $(UV) requirements/locked.txt pyproject.toml
	@echo "Fetching what the lock names into $(VENV): once, a minute or two."
	[ -d $(VENV) ] || $(UV) venv -q --python $(PYTHON) $(VENV)
	$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements/locked.txt
	$(UV) pip install -q --python $(BIN)/python --no-build-isolation --no-deps -e .
	@touch $@

$(WEB)/node_modules/.stamp: $(WEB)/package.json $(WEB)/package-lock.json $(WEB)/.npmrc
	@node -e 'if (+process.versions.node.split(".")[0] < 20) { console.error("Node 20 or newer is needed; this is " + process.version); process.exit(1) }'
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.stamp $(shell find $(WEB)/src $(WEB)/index.html -type f 2>/dev/null)
	npm --prefix $(WEB) run build
