"""What parsing costs and touches, each time in a fresh process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_HEAVY = {
    *("pandas", "polars", "numpy", "scipy", "sklearn", "optuna", "matplotlib", "skops", "mlflow"),
    *("great_expectations", "evidently", "deltalake", "pyarrow", "boto3", "fastapi"),
}
_LOOK = """
import importlib.util, json, sys
sys.path.insert(0, {folder!r})
{before}
found = []
for name in {names!r}:
    spec = importlib.util.spec_from_file_location("dagfile_" + name, {folder!r} + f"/{{name}}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found += [key for key in vars(module) if "." in key]
print(json.dumps([sorted(found), sorted({{m.split(".")[0] for m in sys.modules}})]))
"""
_AS_TASK = (
    "from airflow.sdk.definitions._internal.dag_parsing_context import "
    "_airflow_parsing_context_manager as c\n"
    "context = c(dag_id={dag!r}, task_id='x'); context.__enter__()"
)


def parse(
    root: Path, names: list[str], *, config: Path | None = None, as_task: str | None = None
) -> tuple[list[str], set[str]]:
    """Return ids of DAGs and names of packages imported."""
    import json

    before = _AS_TASK.format(dag=as_task) if as_task else ""
    code = _LOOK.format(folder=str(root / "dags"), names=names, before=before)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TRIMTAB_CONFIG": str(config or root / "config")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ids, modules = json.loads(done.stdout.splitlines()[-1])
    return ids, set(modules)


def test_parsing_imports_nothing_heavy(root: Path) -> None:
    names = ["datasets", "features", "models", "operations", "config_errors"]
    ids, modules = parse(root, names)
    assert len(ids) == 14
    assert "airflow" in modules  # the look is at the right place
    assert modules.isdisjoint(_HEAVY)


def test_a_task_builds_its_own_dag_only(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(root / "config", config)
    (config / "models" / "air_time.yaml").write_text("model: [broken")  # not even read
    (config / "features" / "other.yaml").write_text("view: [broken")
    ids, _ = parse(root, ["models"], config=config, as_task="flight_delay.train")
    assert ids == ["flight_delay.train"]
    ids, _ = parse(root, ["datasets"], config=config, as_task="flights.ingest")
    assert ids == ["flights.ingest"]


def test_a_task_of_another_file_builds_nothing_here(root: Path) -> None:
    ids, _ = parse(root, ["datasets", "operations"], as_task="flight_delay.train")
    assert ids == []


def test_the_plugin_folder_runs_one_file(root: Path) -> None:
    code = (
        "import sys; from airflow.sdk._shared.plugins_manager.plugins_manager import "
        "_load_plugins_from_plugin_directory as load\n"
        f"before = set(sys.modules); plugins, errors = load({str(root / 'plugins')!r})\n"
        "print([p.name for p in plugins], errors, 'fastapi' in sys.modules,"
        " sorted(m for m in set(sys.modules) - before if m in ('links', 'assets', 'preload',"
        " 'train', 'notify', 'trimtab_plugin')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['trimtab'] {} False ['trimtab_plugin']"
