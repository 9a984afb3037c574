# Every verb sets up what it needs: a virtual environment in .venv with the locked packages.
# The first Python that works: 3.10 or newer, with ensurepip; a version manager's folder is searched last.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python3.10 \
  $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.*/bin/python3; do \
  $$each -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1 && { echo $$each; break; }; \
  done)
BIN := .venv/bin
# Some machines switch bytecode off; each process would then compile the whole package again, for a second or more.
export PYTHONDONTWRITEBYTECODE :=
# The first and the last time zone; written so that no database of time zones is needed.
ZONES := '<+14>-14' '<-12>+12'
DATES := 2026-12-01T00:00:30Z 2027-02-28T23:59:50Z 2028-02-29T12:00:00Z

.PHONY: help demo test pythons floors dates check docs faults fuzz record bench lock release-check clean

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

demo: .venv/.ready ## tell the whole story on the sandbox: create, no change, drift, repair, refusal, destroy, take-over
	@$(BIN)/python -m billing_provider.testing.demo

test: .venv/.ready ## run every test and require full branch coverage
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest -n 3 --dist worksteal
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

pythons: .venv/.ready ## run the tests with every Python from 3.10 on that the machine has (PART=1: a part of them)
	@$(BIN)/python -m tests.environments pythons $(if $(PART),--part)

floors: .venv/.ready ## run the tests with the lowest and with the newest dependencies (PART=1: a part of them)
	@$(BIN)/python -m tests.environments floors $(if $(PART),--part)

dates: .venv/.ready ## run every test on three other dates, in the first and the last time zone (six runs of all tests)
	@for date in $(DATES); do for zone in $(ZONES); do \
	  echo "$$date, TZ=$$zone"; \
	  GITHUB_BILLING_TEST_TIME=$$date TZ=$$zone $(BIN)/python -m pytest -q -n 3 --dist worksteal || exit 1; \
	done; done

docs: .venv/.ready ## write the tables of README.md and docs/, the stub for type checkers, and the pictures of tests/cli
	@$(BIN)/python -m tests.docs.generate

faults: .venv/.ready ## every operation under every fault at every request, and long random stories (seven minutes)
	@$(BIN)/python -m tests.faults

fuzz: .venv/.ready ## random attacks (four minutes), then 20,000 stories of caps (a quarter of an hour; CASES=500 for fewer)
	@$(BIN)/python -m tests.fuzz
	@$(BIN)/python -m tests.guard

record: .venv/.ready ## record the engine's scenarios on the pulumi that is on PATH
	@$(BIN)/python -m tests.engine.record

bench: .venv/.ready ## budgets beside a floor and a naive provider (half an hour; COUNT=100 or CELLS='cli/*' for a part)
	@$(BIN)/python -m tests.bench $(if $(COUNT),--count $(COUNT)) $(if $(CELLS),--cells "$(CELLS)") \
	  $(if $(REPEAT),--repeat $(REPEAT)) $(if $(SAVE),--save)
	@$(if $(COUNT)$(CELLS),$(if $(SAVE),$(BIN)/python -m tests.docs.generate),$(BIN)/python -m tests.docs.generate)

check: .venv/.ready ## ruff, mypy (strict), the import direction and the documents' tables and links
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_shape.py tests/docs/test_pages.py

lock: .venv/.ready ## write the lock anew: versions and hashes, no addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-annotate \
	  --no-header --all-extras --group dev pyproject.toml --output-file requirements-dev.txt

release-check: .venv/.ready ## build the wheel, install it in a fresh environment and try it (TAG=vX.Y.Z: before a tag)
	@$(BIN)/python -m tests.release --tag "$(TAG)"

clean: ## remove the virtual environment and everything made by a run
	rm -rf .venv .venvs .pulumi .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

.venv/.ready: requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.10 or newer with ensurepip is needed, and none was found. On Debian:" \
	  "apt-get install python3-venv. For another place: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "Setting up .venv with $$($(PYTHON) --version) ($(PYTHON)) and the locked packages (a minute or two) ..."
	@$(PYTHON) -m venv --clear .venv || { echo "If ensurepip is what is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
