"""What Airflow adds to the work, on the real platform, as ratios.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_orchestration.py -m benchmark -s
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trimtab.environment import open_environment
from trimtab.platform import state
from trimtab.platform.demo import feed
from trimtab.platform.demo.play import Year
from trimtab.platform.demo.watch import Airflow
from trimtab.platform.settings import TASK_ENVIRONMENT

ROOT = Path(__file__).parent.parent.parent
TASKS = 10
CHAIN = f"""
from airflow.sdk import DAG, task, chain

@task
def step():
    import mlflow.sklearn, pandas, sklearn.ensemble, sklearn.pipeline
    from mlflow.store.tracking import sqlalchemy_store
    return pandas.DataFrame({{"x": [1, 2]}}).x.sum().item()

with DAG("chain", schedule=None):
    chain(*(step.override(task_id=f"step_{{i}}")() for i in range({TASKS})))
"""
STOCK = {
    "AIRFLOW__CORE__MP_FORKSERVER_PRELOAD": "",
    "AIRFLOW__SCHEDULER__MP_START_METHOD": "fork",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "5",
}


@contextlib.contextmanager
def platform(project: Path, home: Path, settings: dict[str, str] | None = None) -> Iterator[str]:
    """Run ``trimtab up``; give Airflow's address; stop it."""
    place = ["--home", str(home), "--config", str(project / "config"), "--project", str(project)]
    with subprocess.Popen(
        [Path(sys.executable).with_name("trimtab"), "up", *place],
        env={**os.environ, **(settings or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            while not ((there := state.running(home)) and there.healthy):
                assert process.poll() is None, f"trimtab up ended with {process.returncode}"
                time.sleep(1)
            yield there.urls["airflow"]
        finally:
            process.terminate()


def chain(project: Path, home: Path, settings: dict[str, str] | None = None) -> float:
    """Seconds per task of the second run of the chain: the first one warms the disk's cache."""
    with platform(project, home, settings) as url:
        for number in range(2):
            run = _trigger(url, f"run_{number}")
        start, end = (datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
        return (end - start).total_seconds() / TASKS


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
def test_ten_tasks_with_and_without_preloading(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "plugins", project / "plugins")
    (project / "config").mkdir()
    (project / "dags").mkdir()
    (project / "dags" / "chain.py").write_text(CHAIN)

    ours = chain(project, tmp_path / "ours")
    plain = chain(project, tmp_path / "plain", {"AIRFLOW__CORE__MP_FORKSERVER_PRELOAD": ""})
    stock = chain(project, tmp_path / "stock", STOCK)

    print(
        f"\na chain of {TASKS} tasks that use pandas, scikit-learn and MLflow, seconds per task:"
        f"\n  preloaded {ours:.2f}"
        f"\n  the same settings without preloading {plain:.2f}: {plain / ours:.1f} x"
        f"\n  Airflow's own settings {stock:.2f}: {stock / ours:.1f} x"
    )


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
def test_one_month_through_airflow_and_in_one_process(tmp_path: Path) -> None:
    home = tmp_path / "airflow"
    with platform(ROOT, home) as url:
        env = open_environment(home=home, config=ROOT / "config")
        airflow = Airflow(url)
        year = Year(env, airflow, lambda event: None, lambda month, running: None, lambda: False)
        year.play(4)
        began = _landed(env.landing("flights") / "flights-2013-04.csv")
        tasks = [task for task in airflow.tasks(began) if task.start and task.end]
    through = (max(task.end for task in tasks if task.end) - began).total_seconds()

    fresh = [sys.executable, __file__, str(tmp_path / "alone")]
    paths = os.pathsep.join([str(ROOT / "include"), str(ROOT / "plugins")])
    environment = {**os.environ, **TASK_ENVIRONMENT, "PYTHONPATH": paths}  # as many threads
    done = subprocess.run(fresh, env=environment, capture_output=True, text=True, check=True)
    alone = float(done.stdout.splitlines()[-1])
    allowed = 1.3 * alone + 0.4 * len(tasks)
    print(
        f"\nApril's files, two models, from the landing of the files to the last task's end:"
        f"\n  through Airflow {through:.1f} s in {len(tasks)} tasks"
        f"\n  the same stages in one process {alone:.1f} s: {through / alone:.2f} x"
        f"\n  of 1.3 x + 0.4 s a task ({allowed:.1f} s): {through / allowed:.2f}"
    )


def in_one_process(home: Path) -> float:
    """Seconds of April's lifecycle after January to March, libraries imported, as a notebook has it."""
    import trimtab_airflow.preload  # noqa: F401
    from trimtab import lifecycle

    env = open_environment(home=home, config=ROOT / "config")
    source = home / "demo"
    feed.prepare(source)
    months = feed.months(source)
    for table in feed.WHOLE:
        feed.deliver(source / table / f"{table}.csv", env.landing(table))
    seconds = 0.0
    for batch in (months[:3], months[3:4]):
        for month in batch:
            for table, file in feed.files_of(source, month).items():
                feed.deliver(file, env.landing(table))
        time.sleep(5)  # files come to rest; in Airflow this waiting is part of what is measured
        began = time.perf_counter()
        assert lifecycle.run(env).ok
        seconds = time.perf_counter() - began
    return seconds


def _trigger(url: str, run_id: str) -> dict[str, Any]:
    """Start the chain when it is there, and wait for its end."""
    body = {"dag_run_id": run_id, "logical_date": None}
    while True:
        with contextlib.suppress(urllib.error.HTTPError):
            _call(f"{url}/api/v2/dags/chain/dagRuns", body)
            break
        time.sleep(1)
    while (run := _call(f"{url}/api/v2/dags/chain/dagRuns/{run_id}"))["state"] != "success":
        assert run["state"] != "failed"
        time.sleep(1)
    return run


def _call(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


def _landed(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


if __name__ == "__main__":
    print(in_one_process(Path(sys.argv[1])))
