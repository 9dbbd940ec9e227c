set dotenv-load

# list the recipes
default:
    @just --list

# everything that CI runs
check: lint types layers test

lint:
    uv run ruff check .
    uv run ruff format --check .

types:
    uv run mypy

layers:
    uv run lint-imports

# every test, with the coverage bars: the core whole, the rest nine tenths
test *args:
    uv run pytest --numprocesses auto --maxprocesses 4 --dist worksteal --cov --cov-report= {{ args }}
    uv run coverage report --include="domain/*,application/*" --fail-under=100 --show-missing --skip-covered
    uv run coverage report --include="adapters/*,entrypoints/*" --fail-under=90 --show-missing --skip-covered

# the tests that need no database
unit *args:
    uv run pytest tests/domain tests/application {{ args }}

# write a migration from what changed in the tables
migration message:
    uv run python -m migrations.revise "{{ message }}"

dev *args:
    uv run cuebx dev {{ args }}

# measure; prints one table and writes bench.json
bench *args:
    uv run python -m tests.bench {{ args }}
