"""A trial in a process of its own: equal answers pass, and nothing a model does gets out of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from trimtab.errors import DependencyError, IntegrityError, TrimtabError
from trimtab.serving import fresh, trial

Pack = Callable[..., Any]
RECORDED = "recorded.parquet"
MODULE = """\
import os
from trimtab.training.registry import allow

@allow
class Mine:
    classes_ = [0, 1]
    def __init__(self, what):
        self.what = what
    def predict_proba(self, frame):
        import numpy as np
        if os.environ.get("FRESH_TEST_ARMED") != "1":
            return np.full((len(frame), 2), 0.5)
        if self.what == "abort":
            os.abort()
        if self.what == "raise":
            raise RuntimeError("the estimator fell over")
        if self.what == "secrets":
            assert not [k for k in os.environ if k.startswith(("TRIMTAB_", "AIRFLOW"))]
        print("noise on stdout")
        return np.full((len(frame), 2), 0.5 if self.what == "secrets" else 0.75)
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A class of the user's that does what it is told, once it is armed."""
    (tmp_path / "trimtab_estimators.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import trimtab_estimators

    return trimtab_estimators.Mine


def linear(frame: Any) -> Any:
    return make_pipeline(LogisticRegression()).fit(frame[["x"]], frame["y"])


@pytest.mark.parametrize("change", ["other answers", "NaN", "fewer columns"])
def test_other_answers_are_not_the_same(
    packed: Pack, tmp_path: Path, frame: Any, change: str
) -> None:
    model = linear(frame)
    candidate = packed(model, estimator="linear")
    rows = pl.read_parquet(tmp_path / candidate.uri / RECORDED)
    value = {"other answers": pl.col("_prediction") + 1e-6, "NaN": pl.lit(float("nan"))}
    stale = (
        rows.drop("_prediction")
        if change == "fewer columns"
        else rows.with_columns(value[change].alias("_prediction"))
    )
    stale.write_parquet(tmp_path / "stale")
    (tmp_path / candidate.uri).rename(tmp_path / "before")
    again = packed(model, estimator="linear", files={RECORDED: (tmp_path / "stale").read_bytes()})
    found = trial.hold(tmp_path, again, RECORDED)
    assert not found.same
    assert not trial.Trial.model_validate(found.to_json()).same  # as it comes from the process


def test_rounding_is_the_same_answer(packed: Pack, tmp_path: Path, frame: Any) -> None:
    found = trial.hold(tmp_path, packed(linear(frame), estimator="linear"), RECORDED)
    assert found.model_copy(update={"difference": 1e-12}).same
    assert not found.model_copy(update={"difference": 1e-8}).same


def test_a_model_that_crashes_its_process_does_not_crash_this_one(
    packed: Pack, mine: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = packed(mine("abort"))
    monkeypatch.setenv("FRESH_TEST_ARMED", "1")
    with pytest.raises(TrimtabError, match=r"m version 1 crashed a fresh process \(SIGABRT\)"):
        fresh.trial(tmp_path, candidate, RECORDED)


@pytest.mark.parametrize(
    ("process", "error", "said"),
    [
        ("kill -KILL $$", DependencyError, "was ended by SIGKILL; try again"),
        ("kill -TERM $$", DependencyError, "was ended by SIGTERM; try again"),
        ("kill -SEGV $$", TrimtabError, r"crashed a fresh process \(SIGSEGV\)"),
        ("exec sleep 60", TrimtabError, r"did not answer within 0\.5 s"),
        ("exit 0", TrimtabError, "ended a fresh process without an answer"),
        ("echo no such module >&2; exit 1", TrimtabError, r"\(exit 1: no such module\)"),
    ],
)
def test_however_a_process_ends_it_is_told(
    packed: Pack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    process: str,
    error: type[Exception],
    said: str,
) -> None:
    """Whoever was ended from outside has said nothing about the model."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{process}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    candidate = packed(StandardScaler(), answered=False)
    patience = 0.5 if "sleep" in process else 300
    with pytest.raises(error, match=said):
        fresh.trial(tmp_path, candidate, RECORDED, patience)


def test_what_happens_in_the_process_comes_back_as_what_it_is(
    packed: Pack, mine: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = make_pipeline(FunctionTransformer(os.system), LogisticRegression())
    refused = packed(evil, answered=False)
    request = {"lake": str(tmp_path), "recorded": RECORDED}
    answer = trial._answer({**request, "candidate": refused.to_json()})
    assert "posix.system" in answer["refused"]
    with pytest.raises(IntegrityError, match=r"posix\.system"):
        fresh._read(subprocess.CompletedProcess([], 0, json.dumps(answer), ""), "m version 1")
    (tmp_path / refused.uri).rename(tmp_path / "before")
    failing = packed(mine("raise"))
    monkeypatch.setenv("FRESH_TEST_ARMED", "1")
    answer = trial._answer({**request, "candidate": failing.to_json()})
    with pytest.raises(TrimtabError, match="in a fresh process: RuntimeError: the estimator fell"):
        fresh._read(subprocess.CompletedProcess([], 0, json.dumps(answer), ""), "m version 1")


def test_a_class_of_the_users_is_found_noise_is_not_heard_and_no_secret_known(
    packed: Pack, mine: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = packed(mine("secrets"))
    monkeypatch.setenv("FRESH_TEST_ARMED", "1")
    monkeypatch.setenv("TRIMTAB_LEDGER_KEY", "secret")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://u:p@h/d")
    found = fresh.trial(tmp_path, candidate, RECORDED)
    assert found.same
    assert (found.rows, found.difference) == (50, 0.0)
    assert found.size == (tmp_path / candidate.uri / "model.skops").stat().st_size
    assert found.latency > 0
    assert found.seconds > 0


def test_a_process_that_cannot_be_started_is_worth_a_retry(
    packed: Pack, tmp_path: Path, frame: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = packed(linear(frame), estimator="linear")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no_python"))
    with pytest.raises(DependencyError, match="no process could be started"):
        fresh.trial(tmp_path, candidate, RECORDED)


def test_no_recorded_rows_prove_nothing(packed: Pack, tmp_path: Path, frame: Any) -> None:
    candidate = packed(linear(frame), estimator="linear")
    empty = pl.read_parquet(tmp_path / candidate.uri / RECORDED).clear()
    empty.write_parquet(tmp_path / "empty")
    (tmp_path / candidate.uri).rename(tmp_path / "before")
    files = {RECORDED: (tmp_path / "empty").read_bytes()}
    again = packed(linear(frame), estimator="linear", files=files)
    with pytest.raises(TrimtabError, match="holds no rows to ask the model"):
        trial.hold(tmp_path, again, RECORDED)


def test_the_process_imports_no_part_it_does_not_need() -> None:
    """A serving process knows no Airflow, MLflow or ledger."""
    code = "import sys, trimtab.serving.trial; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    known = set(told.stdout.split())
    assert not known & {"airflow", "mlflow", "sqlalchemy", "evidently", "great_expectations"}
