"""A thousand models in one DAG file: one parse inside Airflow's stock time-outs; a task builds one DAG.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_fleet.py -m benchmark -s
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
STOCK_IMPORT_TIMEOUT = 30.0  # [core] dagbag_import_timeout, seconds
PARSE = """
import json, runpy, sys, time
import airflow.sdk, airflow.serialization.serialized_objects as serialized
began = time.perf_counter()
found = [v for v in runpy.run_path(sys.argv[1]).values() if isinstance(v, airflow.sdk.DAG)]
dags = list({dag.dag_id: dag for dag in found}.values())  # the loop's variable holds one again
built = time.perf_counter()
for dag in dags:
    serialized.DagSerialization.to_dict(dag)
print(json.dumps([len(dags), built - began, time.perf_counter() - built]))
"""


def parse(config: Path, home: Path, dag_id: str | None = None) -> tuple[int, float, float]:
    """Run dags/models.py in a fresh process; return DAGs, seconds to build, seconds to serialise."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "TRIMTAB_CONFIG": str(config),
        "TRIMTAB_HOME": str(home),
    }
    if dag_id:
        environment["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = dag_id
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(ROOT / "dags" / "models.py")],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    count, build, serialise = json.loads(done.stdout.strip().splitlines()[-1])
    return count, build, serialise


@pytest.mark.benchmark
def test_a_thousand_models(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    template = (config / "models" / "flight_delay.yaml").read_text()
    for file in (config / "models").glob("*.yaml"):
        file.unlink()
    for i in range(1000):
        text = template.replace("model: flight_delay", f"model: model_{i}")
        (config / "models" / f"model_{i}.yaml").write_text(text)

    count, build, serialise = parse(config, tmp_path)
    one, one_build, _ = parse(config, tmp_path, "model_500.train")

    assert (count, one) == (3000, 1)
    total = build + serialise
    print(
        f"\n1,000 models, 3,000 DAGs in one file: {build:.1f} s to build, {serialise:.1f} s to serialise"
        f"\n  of the stock import time-out of {STOCK_IMPORT_TIMEOUT:.0f} s: {build / STOCK_IMPORT_TIMEOUT:.2f}"
        f"\n  of the stock processor time-out of 50 s: {total / 50:.2f}"
        f"\n  a task's own parse: 1 DAG, {one_build:.3f} s, {one_build / build:.4f} of the whole file"
    )
