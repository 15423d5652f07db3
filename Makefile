# make run    the dashboard, with a fictional group if nothing was loaded yet
# make test   every test; those in a browser where chromium is installed
# make check  linter, formatter, types, ladder of imports, pins, known vulnerabilities
# make audit  known vulnerabilities of the pinned packages; needs a network
# make bench  how long loads and pages take
# make pictures  every page as PNG in docs/pictures: languages, light and dark, wide and narrow; needs chromium
# make demo   the exports of a fictional group, loaded
# make clean  what can be made again; archive and warehouse stay

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8501
JAVA := $(shell command -v java)
CHROMIUM := $(wildcard /usr/bin/chromium)
# npm, where its Node.js has what the strict OpenID provider of the tests needs (20.12 or later).
NPM := $(shell node -e 'require("crypto").hash || process.exit(1)' 2>/dev/null && command -v npm)

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
STRICT := $(VENV)/oidc/.installed
SPARK := $(VENV)/spark/.installed

.DEFAULT_GOAL := help
.PHONY: help run demo test check audit bench pictures lock clean

help:
	@sed -n 's/^# make /make /p' Makefile

# The pins are installed again when they change.
$(INSTALLED): requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 is missing. On Debian: sudo apt-get install python3 python3-venv" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Tenken needs Python 3.11 or later; $(PYTHON) is older. Name another: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PY)" -m pip --version >/dev/null 2>&1 || { \
		"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
			package=$$("$(PYTHON)" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
			root=""; test "$$(id -u)" = 0 || root="sudo -n"; \
			echo "Installing $$package, without which $(PYTHON) cannot make virtual environments"; \
			{ $$root apt-get update -qq && $$root apt-get install -y -qq "$$package"; } >/dev/null \
				|| { echo "It could not be installed. On Debian: sudo apt-get install $$package" >&2; exit 1; }; }; \
		echo "Making $(VENV) with $(PYTHON)"; "$(PYTHON)" -m venv --clear $(VENV); }
	@echo "Installing the pinned packages"
	@"$(PY)" -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

# A folder of one's own (TENKEN_HOME) never gets the demo group.
run: $(INSTALLED)
	@test -n "$$TENKEN_HOME" || test -e data/warehouse/current || $(MAKE) --no-print-directory demo
	@$(PY) -m dashboard --server.address 127.0.0.1 --server.port $(PORT)

demo: $(INSTALLED)
	@$(PY) -m etl demo --out data/demo
	@$(PY) -m etl load data/demo

# On every core, a file of tests at a time, because tests of one file share their warehouse and server; the longest first.
SPREAD := -n auto --dist loadfile --no-loadscope-reorder

# From npm by name, the version pinned in the file; .installed comes first, because a new environment is empty.
$(STRICT): tests/oidc/package.json | $(INSTALLED)
	@echo "Installing the strict OpenID provider of the tests"
	@mkdir -p $(@D) && cp $< $(@D)/
	@npm install --prefix $(@D) --no-package-lock --no-audit --no-fund --ignore-scripts --silent
	@touch $@

# A folder of its own, because Spark is an extra: half a gigabyte, half a minute.
$(SPARK): tests/spark.txt | $(INSTALLED)
	@echo "Installing Spark for the tests"
	@rm -rf $(@D)
	@"$(PY)" -m pip install --quiet --disable-pip-version-check --target $(@D) -r $<
	@touch $@

test: $(INSTALLED) $(if $(NPM),$(STRICT)) $(if $(JAVA),$(SPARK))
ifeq ($(JAVA),)
	@echo "No java found: Spark is LEFT OUT of the tests. On Debian: sudo apt-get install default-jre-headless"
endif
ifeq ($(NPM),)
	@echo "No npm with Node.js 20.12 or later found: sign-in at a strict OpenID provider is LEFT OUT of the tests. On Debian 13: sudo apt-get install nodejs npm"
endif
ifeq ($(CHROMIUM),)
	@echo "No chromium found: the browser tests are LEFT OUT. On Debian: sudo apt-get install chromium fonts-noto-cjk"
	@$(PY) -m pytest $(SPREAD) -m "not browser"
	@echo "The browser tests were left out: no chromium."
else
	@echo "Browser tests use $(CHROMIUM)"
	@$(PY) -m pytest $(SPREAD)
endif
ifeq ($(NPM),)
	@echo "Sign-in at a strict OpenID provider was left out: no npm with Node.js 20.12 or later."
endif
ifeq ($(JAVA),)
	@echo "Spark was left out: no java."
endif

check: $(INSTALLED)
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) $(VENV)/bin/lint-imports
	@$(PY) -m pip check
	@$(PY) -m pip freeze | sort -f > $(VENV)/.found.txt
	@sed '/^#/d' requirements.lock | sort -f | diff -i $(VENV)/.found.txt - \
		|| { echo "Installed (<) and pinned (>) packages differ: make lock, or install again with make clean" >&2; exit 1; }
	@$(MAKE) --no-print-directory audit

audit: $(INSTALLED)
	@$(PY) .ci/audit.py

bench: $(INSTALLED)
	@$(PY) -m bench

# Of the demo group, in a home of its own that is taken away again; FEW=1 draws light and wide ones only.
pictures: $(INSTALLED)
	@$(PY) docs/draw_pictures.py $(if $(FEW),--few)

# New pins: the newest versions that pyproject.toml allows, in an environment of their own.
lock:
	@"$(PYTHON)" -m venv --clear $(VENV)-lock
	@$(VENV)-lock/bin/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); print("\n".join(p["project"]["dependencies"] + p["dependency-groups"]["dev"]))' > $(VENV)-lock/wanted.txt
	@$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check -r $(VENV)-lock/wanted.txt
	@{ sed -n '/^#/p' requirements.lock; $(VENV)-lock/bin/python -m pip freeze; } > $(VENV)-lock/requirements.lock
	@mv $(VENV)-lock/requirements.lock requirements.lock
	@rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) $(VENV)-lock $(VENV)-audit .hypothesis .import_linter_cache data/demo
	find . -name .git -prune -o -type d \( -name __pycache__ -o -name .mypy_cache -o -name .ruff_cache -o -name .pytest_cache \) -print | xargs rm -rf
