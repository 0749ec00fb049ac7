# Everything is done from here. A fresh machine needs python3 (3.11 or newer, with venv) and make.
PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
TYPESCRIPT := 6.0.3
DEEPGRAM_JS := 5.13.0
ASYNCAPI := 6.11.1
AXE := 4.14.1

# Compiled once, and out of the way: each server that a test starts would compile all there is again.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode

BIN := .venv/bin
INSTALLED := .venv/.installed
READY := .venv/.ready
# Each frame of sound passes through these; compiled they cost half.
COMPILED := bridge/ports/credit bridge/sockets/straight
JS := .venv/js/typescript-$(TYPESCRIPT)-deepgram-$(DEEPGRAM_JS)-asyncapi-$(ASYNCAPI)-axe-$(AXE)
TSC := .venv/js/node_modules/.bin/tsc
# Types from the comments of web/client; types.d.ts is written by hand and goes with them.
declare = rm -rf $(1) && $(TSC) --project tsconfig.client.json --outDir $(1) && cp web/client/types.d.ts $(1)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help run test bench chaos eval check lint types imports rules page lock clean
.DELETE_ON_ERROR:

help:
	@echo 'make run     start the server; the environment is passed on (PORT=9000 make run)'
	@echo 'make test    run the tests (ARGS="-k journal" chooses some, WORKERS=4 uses more processes)'
	@echo 'make check   style, types, dependencies, import rules, docs against code, the types of the page'
	@echo 'make bench   measure delays and throughput'
	@echo 'make chaos   kill the server under talks, again and again, and look whether anything is missing'
	@echo 'make eval    measure how well spoken wishes are understood'
	@echo 'make compile compile what each frame of sound passes through; the others do it by themselves'
	@echo 'make lock    write requirements/*.txt anew (ARGS=--upgrade takes newer versions)'
	@echo 'make declarations  write the types of the client for TypeScript anew'
	@echo 'make clean   remove what the tools made; conversations in data/ stay'

run: $(READY)
	@echo 'Starting Voice Bridge; the line server_ready tells its address, Ctrl-C stops it.'
	@$(BIN)/voice-bridge serve $(ARGS)

test: $(READY)
	@missing=; packages=; \
	lacks() { command -v "$$1" >/dev/null || { missing="$$missing, $$2 (no $$1)"; packages="$$packages $$3"; }; }; \
	lacks chromium 'tests in a browser' chromium; \
	lacks flite 'tests with spoken words' flite; \
	lacks node 'tests of the page' nodejs; \
	lacks npm 'tests with the JavaScript SDK' npm; \
	lacks nginx 'a test behind nginx' nginx-light; \
	if [ -n "$$missing" ]; then echo "Left out: $${missing#, }. To run them too: sudo apt-get install$$packages"; fi
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(JS) || test "$$CI" != true; fi
	@echo 'Running the tests in $(WORKERS) processes.'
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# Beside nginx where it is installed: sudo apt-get install nginx-light
bench: $(READY)
	@echo 'Measuring delays and throughput.'
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: $(READY)
	@echo 'Killing the server under talks.'
	@$(BIN)/python -m tests.chaos $(ARGS)

eval: $(READY)
	@echo 'Measuring how well spoken wishes are understood.'
	@$(BIN)/python -m tests.eval $(ARGS)

check: lint types imports rules page

lint: $(READY)
	@echo 'Style (ruff)'
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(READY)
	@echo 'Types (mypy)'
	@$(BIN)/mypy

imports: $(READY)
	@echo 'Dependencies (deptry)'
	@$(BIN)/deptry .

rules: $(READY)
	@echo 'Who imports whom, and what is documented'
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_architecture.py tests/test_docs.py

page: $(READY)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory page-types; \
	elif [ "$$CI" = true ]; then echo 'The page cannot be checked: node and npm are missing.' >&2; exit 1; \
	else echo 'Left out: the types of the page (no npm). To check them too: sudo apt-get install nodejs npm'; fi

.PHONY: page-types declarations
page-types: $(JS)
	@echo 'Types of the page and of the client (tsc)'
	@$(call declare,.venv/js/types)
	@diff -r web/client/types .venv/js/types || { echo 'web/client/types is out of date: make declarations' >&2; exit 1; }
	@$(TSC) --project tsconfig.json
	@$(TSC) --project tsconfig.consumer.json

declarations: $(JS)
	@echo 'Writing the types of the client to web/client/types.'
	@$(call declare,web/client/types)

$(JS): $(READY)
	@echo 'Installing TypeScript, the JavaScript SDK of Deepgram, the schema of AsyncAPI and axe into .venv/js (once).'
	@npm install --no-save --no-package-lock --no-audit --no-fund --silent --prefix .venv/js \
		typescript@$(TYPESCRIPT) @deepgram/sdk@$(DEEPGRAM_JS) @asyncapi/specs@$(ASYNCAPI) axe-core@$(AXE)
	@touch $@

lock: $(READY)
	@echo 'Writing requirements/uv.txt, dev.txt, core.txt and compile.txt.'
	@echo uv | $(COMPILE) $(ARGS) - --output-file requirements/uv.txt
	@$(COMPILE) $(ARGS) --all-extras --group dev pyproject.toml --output-file requirements/dev.txt
	@$(COMPILE) --constraints requirements/dev.txt pyproject.toml --output-file requirements/core.txt
	@echo cython | $(COMPILE) --constraints requirements/dev.txt - --output-file requirements/compile.txt

clean:
	@echo 'Removing .venv and what the tools left behind.'
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis $(foreach name,$(COMPILED),$(name).*.so)
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(READY): $(INSTALLED) $(COMPILED:=.py) $(COMPILED:=.pxd)
	@if ! $(MAKE) --no-print-directory compile >.venv/compile.log 2>&1; then \
		echo 'Sound passes through Python, at twice the cost: it could not be compiled, see .venv/compile.log.'; \
		echo 'It takes a C compiler and the headers of Python (Debian: sudo apt-get install gcc python3-dev;'; \
		echo 'macOS: xcode-select --install), then make compile.'; fi
	@touch $@

.PHONY: compile
compile: $(if $(filter .venv/bin,$(BIN)),$(INSTALLED))
	@rm -f $(foreach name,$(COMPILED),$(name).*.so)
	@set -e; trap 'rm -f $(COMPILED:=.c)' EXIT; with=$$($(BIN)/python -c 'from sysconfig import get_config_var as of; \
		print(of("LDSHARED"), of("CCSHARED"), "-O2 -DNDEBUG -I" + of("INCLUDEPY"))'); \
	end=$$($(BIN)/python -c 'from sysconfig import get_config_var as of; print(of("EXT_SUFFIX"))'); \
	for name in $(COMPILED); do \
		$(BIN)/cython $$name.py; $$with $$name.c -o $$name$$end; \
	done

$(INSTALLED): requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed; PYTHON=/path/to/python3 names another one.' >&2; exit 1; }
	@echo 'Installing what Voice Bridge needs into .venv (about half a minute, only after a change).'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
