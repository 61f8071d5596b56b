# Each target makes what it needs and asks nothing.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8501
READY  := $(VENV)/.ready
# One worker per core; the tests of a file run on one worker, because they share fixtures. tests/conftest.py orders the files.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
PROVIDER := tests/access/provider
WAREHOUSE := data/warehouse/warehouse.duckdb
# Each worker would compile every module and rewrite every test again: more than half of the time before its first test.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check types fast bench planted browser lock audit dist clean

run: $(READY)
	@ls data/incoming/* >/dev/null 2>&1 || $(BIN)/python -m etl sample data/incoming --submissions
	$(BIN)/python -m etl build data/incoming --skip-refused
	$(BIN)/streamlit run dashboard.py --server.port $(PORT)

# One worker more than there are cores: a part of the tests waits for a part of its time.
test: $(READY) browser
	$(PYTEST) -n $$(( $$(nproc) + 1 ))

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory -j2 types fast

# mypy needs one core, and without its cache a third of the time of the tests.
types: $(READY)
	$(BIN)/mypy

# The other folders hold hardly a fast test, and take as long to import as these.
fast: $(READY)
	$(PYTEST) -m "not slow" -x tests/test_*.py $(addprefix tests/,core extract warehouse semantic analysis ui)

bench: $(READY)
	$(BIN)/python -m bench

# Faults of one line are planted one by one: each is caught by its tests.
planted: $(READY)
	$(BIN)/python -m tests.planted

# Chromium, nginx, rsync, faketime, poppler and PostgreSQL come from Debian's packages, unless they are installed already.
# The provider of the PKCE test comes from npm, by its lock file; without npm's registry that one test is skipped.
browser:
	@{ command -v chromium && command -v faketime && command -v pdftotext && command -v rsync && ls /usr/lib/postgresql/*/bin/postgres && PATH="$$PATH:/usr/sbin" command -v nginx; } >/dev/null 2>&1 || { \
	  SUDO=$$( [ "$$(id -u)" = 0 ] || echo sudo ); \
	  $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends chromium faketime nginx-light poppler-utils postgresql rsync; }
	@ls $(PROVIDER)/node_modules >/dev/null 2>&1 || { \
	  SUDO=$$( [ "$$(id -u)" = 0 ] || echo sudo ); \
	  { command -v npm >/dev/null || DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends npm; } && \
	  timeout 180 npm ci --prefix $(PROVIDER) --no-audit --no-fund --silent; } || echo "npm fetches nothing here: the test with oidc-provider is left out"

$(READY): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
	  SUDO=$$( [ "$$(id -u)" = 0 ] || echo sudo ); \
	  $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends python3-venv && $(PYTHON) -m venv $(VENV); }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# Every dependency of the pinned packages, for Python 3.11 and later, with the hashes of its files. Needs a package index.
lock:
	for list in requirements requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $$list.txt -o $$list.lock || exit 1; done

# Known vulnerabilities of the pinned packages; packages that could not be looked up are named. Needs PyPI itself.
audit: $(READY)
	$(BIN)/uvx --quiet --from pip-audit==2.10.0 pip-audit --require-hashes --disable-pip -r requirements.lock -f json \
	  | $(BIN)/python -m deploy.known_faults

# One archive that installs without internet (docs/operations.md); SIGN=KEY signs it. Needs a package index, Debian's packages, and a commit.
dist: $(READY)
	$(BIN)/python -m deploy.dist --to dist $(if $(SIGN),--sign $(SIGN))

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
