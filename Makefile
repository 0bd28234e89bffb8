# Needs only Python >= 3.11 and make. `make demo` and `make test` are the two commands of the README.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: .venv demo run test soak check format lock bench

.venv: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Steward needs Python 3.11 or newer; point make at one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: .venv
	$(BIN)/steward demo $(if $(STAY),--stay)

run: .venv
	$(BIN)/steward serve

test: .venv  # three for two cores: now and then one waits for a real process
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3

soak: .venv
	STEWARD_TEST_SIZE=soak $(BIN)/python -m pytest -n auto -m soak

check: .venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/python .ci/find_secrets.py

format: .venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv
	$(BIN)/python -m benchmarks.callbacks
	$(BIN)/python -m benchmarks.reconcile
	$(BIN)/python -m benchmarks.messages
	$(BIN)/python -m benchmarks.seats
	$(BIN)/python -m benchmarks.draws

# Needs uv (not in the lock: it is only used here).
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --no-header -o requirements.lock
