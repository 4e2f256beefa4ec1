# A menu; the work is in `trimtab` and pytest. uv is taken from PyPI when it is missing.
UV := $(or $(shell command -v uv),.tools/bin/uv)

# Every process imports 100 MB of libraries: compiled once at the installation, not at each start.
export UV_COMPILE_BYTECODE := 1

demo: $(UV)
	$(UV) run --no-dev --extra demo trimtab demo
test: $(UV)
	$(UV) run --extra demo --extra celery --extra lightgbm --extra xgboost --extra redis pytest -n 2 --dist loadfile
integration: $(UV)
	$(UV) run --all-extras pytest tests/integration -m integration
check: $(UV)
	$(UV) run --extra demo --extra celery --extra lightgbm --extra xgboost --extra redis sh -c "ruff check && ruff format --check && lint-imports && mypy && trimtab schema --check"
up: $(UV)
	$(UV) run --no-dev trimtab up
down: $(UV)
	$(UV) run --no-dev trimtab down
bench: $(UV)
	$(UV) run --all-extras pytest tests/benchmarks -m benchmark -s
.tools/bin/uv:
	python3 -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv
.PHONY: demo test integration check up down bench
