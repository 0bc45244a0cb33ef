# Needs python3 (3.11 or newer, with pip) and make; nothing else has to be installed.

.DEFAULT_GOAL := help
.PHONY: help run test model soak fuzz lint judge mf cluster format schema docs bench mutants lock clean

BIN := .venv/bin
INSTALL := sh requirements/install.sh
#: Processes that run tests side by side.
JOBS ?= 2
#: Posts that make soak (300,000) and make bench (50,000) build, if others than these.
POSTS ?=
#: How many times the usual number of random histories make soak tries.
EXAMPLES ?= 5
#: How many times the 1,500 changed inputs of make test are tried by make fuzz.
MUTATED ?= 7
#: What pytest is given besides: make test ARGS='-k ledger'
ARGS ?=

# Nothing here reports home.
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export PYTHONUTF8 := 1
# With it set, every start would compile a thousand modules anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show what there is to make
	@printf 'ACE warehouse\n\n'
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-13s %s\n", $$1, $$2}'
	@printf '\nFirst time here? make run\n'

run: ## Land the sample, check, build, release and report (sets up everything it needs)
	@$(INSTALL) run
	@$(BIN)/ace run

test: ## Run everything that must pass, on DuckDB and on a Postgres it starts itself
	@$(INSTALL) dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python -m linting
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

model: ## Build one model and its tests in seconds: make model M=content_funnel
	@$(INSTALL) dev
	@$(BIN)/python -m tests.model $(M)

soak: ## Try what takes an hour: a large world, and random histories by the dozen
	@$(INSTALL) dev
	@SOAK_POSTS=$(or $(POSTS),300000) $(BIN)/python -m pytest -s tests/soak
	@TEST_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n $(JOBS) --dist loadfile tests/property $(ARGS)

fuzz: ## Read ten thousand inputs with one thing changed: nothing but a sentence may come out
	@$(INSTALL) dev
	@TEST_EXAMPLES=$(MUTATED) $(BIN)/python -m pytest -n $(JOBS) tests/property/test_files_mutated.py $(ARGS)

lint: ## Check the style of Python and SQL and the types, changing nothing
	@$(INSTALL) dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python -m linting

JUDGE := .venv/judge/bin

judge: ## Have dbt-score and dbt-bouncer judge how the models are described and tested
	@$(INSTALL) dev
	@test -f .venv/judge/installed || { python3 -m venv .venv/judge && \
		$(JUDGE)/pip install --quiet --require-hashes -r requirements/judge.txt && \
		touch .venv/judge/installed; }
	@$(BIN)/dbt parse --quiet --profiles-dir profiles --target-path target/judge
	@$(JUDGE)/dbt-score lint --manifest target/judge/manifest.json \
		--fail-project-under 9.8 --fail-any-item-under 8.5
	@$(JUDGE)/dbt-bouncer run

MF := .venv/mf/bin

# setuptools comes first: what has no wheel is built by it, and no other is fetched.
mf: ## Have MetricFlow's own program, mf, check the metrics and answer what is known by hand
	@$(INSTALL) dev
	@cmp -s requirements/mf.txt .venv/mf/installed || { python3 -m venv .venv/mf && \
		grep -A2 '^setuptools==' requirements/mf.txt > .venv/mf/first.txt && \
		$(MF)/pip install --quiet --require-hashes -r .venv/mf/first.txt && \
		$(MF)/pip install --quiet --no-deps --no-compile --no-build-isolation --require-hashes \
		-r requirements/mf.txt && cp requirements/mf.txt .venv/mf/installed; }
	@MF_PYTHON=$(MF)/python $(BIN)/python -m pytest tests/mf

CLUSTER := .venv/cluster

# 450 MB, which comes as source: of Java archives, so nothing is compiled.
cluster: ## Have Apache Spark build the demo world on a cluster it starts here (needs Java 17)
	@$(INSTALL) dev
	@if $(BIN)/python -m tests.cluster.java; then \
		{ cmp -s requirements/cluster.txt $(CLUSTER)/installed || { python3 -m venv $(CLUSTER) && \
		grep -A2 '^setuptools==' requirements/cluster.txt > $(CLUSTER)/first.txt && \
		$(CLUSTER)/bin/pip install --quiet --require-hashes -r $(CLUSTER)/first.txt && \
		$(CLUSTER)/bin/pip install --quiet --no-deps --no-compile --no-build-isolation \
		--require-hashes -r requirements/cluster.txt && \
		cp requirements/cluster.txt $(CLUSTER)/installed; }; } && \
		CLUSTER_SPARK=$$(echo $(CLUSTER)/lib/python3*/site-packages/pyspark) \
		$(BIN)/python -m pytest tests/cluster; fi

format: ## Mend what the linters can mend by themselves
	@$(INSTALL) dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(BIN)/sqlfluff fix models tests/dbt analyses

schema: ## Write what dbt reads of loaders/schema.py anew: sources, their views, the lists
	@$(INSTALL) run
	@$(BIN)/python -m warehouse.declared

docs: ## Write the dbt documentation of every table as one HTML file
	@$(INSTALL) run
	@$(BIN)/ace docs

bench: ## Measure speed as ratios: to bare SQL, DuckDB, Postgres, dlt, and to a full build
	@$(INSTALL) bench
	@$(BIN)/python -m benchmarks --posts $(or $(POSTS),50000)

mutants: ## Break the code in a hundred small ways, each of which a test must notice
	@$(INSTALL) dev
	@$(BIN)/python -m tests.mutants $(ARGS)

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--fork-strategy fewest --no-strip-extras --no-annotate --no-header \
	--override requirements/overrides.txt \
	pyproject.toml requirements/build.in

# All sets together are solved first and bind the single ones: a package has one version in all of
# them, and on every Python. Versions that still fit stay; ARGS=--upgrade takes the newest.
lock: ## Renew the pinned versions after a change of pyproject.toml
	@$(INSTALL) dev
	@cp requirements/bench.txt .venv/all.txt
	@$(LOCK) --all-extras -o .venv/all.txt $(ARGS)
	@$(LOCK) -c .venv/all.txt -o requirements/run.txt
	@$(LOCK) -c .venv/all.txt -o requirements/dev.txt --extra dev --extra spark
	@$(LOCK) -c .venv/all.txt -o requirements/bench.txt --extra dev --extra spark --extra bench
	@$(LOCK) -c .venv/all.txt -o requirements/s3.txt --extra s3
	@$(LOCK) -c .venv/all.txt -o requirements/metrics.txt --extra metrics
	@$(LOCK) -c .venv/all.txt -o requirements/spark.txt --extra spark
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header requirements/judge.in -o requirements/judge.txt $(ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes -c .venv/all.txt \
		--no-annotate --no-header requirements/mf.in -o requirements/mf.txt $(ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes -c .venv/all.txt \
		--no-annotate --no-header requirements/cluster.in -o requirements/cluster.txt $(ARGS)

clean: ## Remove what was made here, except landed data and releases
	@rm -rf .venv .parsed target logs .pytest_cache .mypy_cache .ruff_cache .sqlfluff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@printf 'Landed data and releases are kept in data/; delete that folder yourself to start over.\n'
