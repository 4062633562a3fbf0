# Two commands are enough: `make run` shows the wall with live calls, `make test` runs everything.
# Both set up what they need, in .venv; neither asks anything.

export PYTHONDONTWRITEBYTECODE :=
PYTHON ?= python3
BIN := .venv/bin
CODE := schemas server laptop console cli demo benchmarks docker tests

.PHONY: run test check lint setup bench wire lock clean keys

run: setup
	@$(BIN)/sightline demo $(ARGS)

test: lint
	$(BIN)/python -m pytest

# The fast gate: what `make test` does, but for the tests on real parts.
check: lint
	$(BIN)/python -m pytest tests/unit

lint: setup
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright

setup: .venv/ready

.venv/ready: pyproject.toml requirements.lock setup.sh
	@PYTHON=$(PYTHON) sh setup.sh

bench: setup
	@$(BIN)/python -m benchmarks $(NAME) $(if $(QUICK),--quick)

# After a change of messages: the golden bytes of the current version, and the JSON Schema.
wire: setup
	$(BIN)/python -m tests.golden

# After a change of dependencies in pyproject.toml.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --all-extras --generate-hashes --python-version 3.11 --no-header -q -o requirements.lock

# After a change of the actions in console/actions.py.
keys: setup
	$(BIN)/python -m console.keys > docs/keys.md

clean:
	rm -rf .venv .cache build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
