# What a person runs. Everything lives in .venv and out/; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
        --no-annotate --no-header --python-version 3.11

.PHONY: demo test check format bench soak contracts vectors lock clean

demo: .venv/runtime.stamp  ## run the market day and print where the report is
	$(BIN)/gridpact run scenarios/sce56-day.toml --out out/sce56-day

test: .venv/dev.stamp  ## every check that CI runs
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

check: test

format: .venv/dev.stamp
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: .venv/dev.stamp  ## every benchmark; renews docs/bench/
	$(BIN)/python -m bench all

soak: .venv/dev.stamp  ## random markets and calls by the hundred; renews docs/bench/soak.md, fuzz.md
	$(BIN)/python -m bench soak
	$(BIN)/python -m bench fuzz

contracts: .venv/dev.stamp  ## compile the contracts anew
	$(BIN)/python scripts/compile_contracts.py

vectors: .venv/dev.stamp  ## write the shared test vectors anew
	$(BIN)/python scripts/write_vectors.py

lock: .venv/bootstrap.stamp  ## renew the locked dependencies
	$(LOCK) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(LOCK) pyproject.toml requirements/build.in -c requirements/constraints.in \
	  -o requirements/runtime.txt
	$(LOCK) pyproject.toml requirements/build.in --group dev --extra rpc \
	  -c requirements/runtime.txt --override requirements/overrides.in -o requirements/dev.txt

.venv/bootstrap.stamp: requirements/bootstrap.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gridpact needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	touch $@

.venv/runtime.stamp: .venv/bootstrap.stamp requirements/runtime.txt pyproject.toml
	$(UV) --require-hashes -r requirements/runtime.txt
	$(UV) --no-deps --no-build-isolation -e .
	touch $@

# --no-deps: the lock is complete, and overrides.in lifts a cap that installing would check again
.venv/dev.stamp: .venv/runtime.stamp requirements/dev.txt requirements/node/package-lock.json
	$(UV) --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/python scripts/install_node_tools.py
	touch $@

clean:
	rm -rf .venv out
