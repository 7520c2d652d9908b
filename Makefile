# Words for people: `make` alone prints them.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed

.DEFAULT_GOAL := help
.PHONY: help install demo serve test check crash-matrix format requirements

help:
	@echo "make demo     deploy the demo shop: v1.1 goes live, v1.2 takes itself back"
	@echo "make serve    the admin, a worker and beat in this terminal; Ctrl-C ends them"
	@echo "make test     every test, on throwaway servers (ARGS='-k name' chooses)"
	@echo "make check    format, lint, types, layers, migrations, then make test"
	@echo "make crash-matrix  kill a deployment at every step and write docs/reliability.md (20 minutes)"
	@echo "make install  only .venv with what Gantry needs to run"
	@echo "make format   put the sources into shape"
	@echo "make requirements  pin requirements*.in anew"

install: $(RUNTIME)

demo: $(RUNTIME) .env
	@$(PY) manage.py migrate --verbosity 0
	@env -u PYTHONDONTWRITEBYTECODE $(PY) -m demo  # some forty Python processes: they start faster compiled

serve: $(RUNTIME) .env
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py serve

# ARGS may choose none of a group's tests, which pytest ends with 5.
NONE_CHOSEN = { status=$$?; [ $$status = 5 ] && [ -n '$(subst ','"'"',$(ARGS))' ] || exit $$status; }

test: $(DEV)
	@PYTHON=$(PY) sh tests/system_packages.sh
	@echo "== journeys, two at a time"
	@$(PY) -m pytest -q -n 2 --dist worksteal tests/journeys $(ARGS) || $(NONE_CHOSEN)
	@echo "== tests on SQLite"
	@$(PY) -m pytest -q --ignore tests/journeys $(ARGS) || $(NONE_CHOSEN)
	@echo "== tests on PostgreSQL"
	@$(PY) -m pytest -q --database=postgres tests/checks tests/releases $(ARGS) \
	|| $(NONE_CHOSEN)

check: $(DEV)
	@echo "== format";     $(VENV)/bin/ruff format --quiet --check .
	@echo "== lint";       $(VENV)/bin/ruff check --quiet .
	@echo "== types";      $(TEST_SETTINGS) $(VENV)/bin/mypy --no-error-summary config releases checks demo
	@echo "== layers";     $(VENV)/bin/lint-imports --no-cache
	@echo "== migrations"; $(TEST_SETTINGS) $(PY) manage.py makemigrations --check --dry-run
	@$(MAKE) --no-print-directory test

crash-matrix: $(DEV)
	@$(PY) -m tests.crash --write

# Checks read the settings without a person's .env, and leave nothing in var/.
TEST_SETTINGS = SECRET_KEY=only-for-checks GANTRY_ENV_FILE=/dev/null GANTRY_VAR=$(VENV)/var

format: $(DEV)
	@$(VENV)/bin/ruff check --quiet --fix .
	@$(VENV)/bin/ruff format --quiet .

.env:
	@umask 077; key=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))') && \
	sed "s|^SECRET_KEY=.*|SECRET_KEY=$$key|" .env.example > .env.new && mv -n .env.new .env
	@echo "wrote .env with a SECRET_KEY of its own"

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "Gantry needs Python 3.11 or newer: there is no $(PYTHON) on PATH."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Gantry needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12"; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUNTIME): requirements.txt $(VENV)/.made
	@echo "installing requirements.txt into $(VENV) (under a minute)"
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@echo "installing requirements-dev.txt into $(VENV) (a minute)"
	@$(PIP) -r requirements-dev.txt
	@touch $@

COMPILE = $(VENV)/bin/pip-compile --quiet --upgrade --strip-extras --allow-unsafe --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

requirements: $(DEV)
	@$(PIP) pip-tools
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
