"""Operators store, call, and say in Airflow's terms what a stage's error means."""

import importlib
import inspect
import pkgutil
import sys
import types
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

import trimtab_airflow.operators
import trimtab_airflow.sensors
from trimtab.errors import (
    ConfigError,
    DataError,
    DependencyError,
    IntegrityError,
    LedgerConflictError,
    NotReadyError,
    Problem,
)
from trimtab.types import (
    Champion,
    DatasetVersion,
    FeatureSet,
    FileVerdict,
    GateVerdict,
    Retention,
    Scoring,
    SearchShare,
)
from trimtab.watch import Acted
from trimtab_airflow.operators.act import ActOperator
from trimtab_airflow.operators.evaluate import EvaluateOperator
from trimtab_airflow.operators.features import FeaturesOperator
from trimtab_airflow.operators.ingest import IngestOperator
from trimtab_airflow.operators.retention import RetentionOperator
from trimtab_airflow.operators.revert import RevertOperator
from trimtab_airflow.operators.rollback import RollbackOperator
from trimtab_airflow.operators.score import ScoreOperator
from trimtab_airflow.operators.search import SearchOperator
from trimtab_airflow.operators.train import TrainOperator

Fake = Callable[..., None]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put functions in the place of a stage's module, and an empty environment before it."""
    monkeypatch.setattr("trimtab.environment.open_environment", MagicMock())

    def put(stage: str, **functions: Any) -> None:
        module = types.ModuleType(f"trimtab.stages.{stage}")
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return put


def context(**more: Any) -> dict[str, Any]:
    run = SimpleNamespace(triggering_user_name="bob")
    return {"ti": MagicMock(map_index=-1), "dag_run": run, "outlet_events": MagicMock(), **more}


def raising(error: Exception) -> Callable[..., Any]:
    def stage(*_: Any, **__: Any) -> Any:
        raise error

    return stage


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (NotReadyError("waiting for weather"), AirflowSkipException),
        (DataError("no such column"), AirflowFailException),
        (IntegrityError("hash differs"), AirflowFailException),
        (ConfigError([Problem("a.yaml", 1, "k", "is wrong")]), AirflowFailException),
        (DependencyError("the ledger does not answer"), DependencyError),
        (LedgerConflictError("somebody else did"), LedgerConflictError),
        (ZeroDivisionError("a bug"), ZeroDivisionError),
    ],
)
def test_what_an_error_becomes(fake: Fake, error: Exception, becomes: type[Exception]) -> None:
    fake("score", score=raising(error))
    with pytest.raises(becomes, match=str(error).split()[0]):
        ScoreOperator(task_id="score", model="m").execute(context())


def test_a_config_error_keeps_every_problem(fake: Fake) -> None:
    problems = [Problem("a.yaml", n, "k", f"problem {n}") for n in (1, 2)]
    fake("score", score=raising(ConfigError(problems)))
    with pytest.raises(AirflowFailException, match=r"problem 1[\s\S]*problem 2"):
        ScoreOperator(task_id="score", model="m").execute(context())


def test_score_returns_plain_values_and_rings_its_asset(fake: Fake) -> None:
    scoring = Scoring(model="m", version=3, dataset_version=1, sha256="s", rows=7, table_version=0)
    fake("score", score=lambda env, model: [scoring])
    events = MagicMock()
    operator = ScoreOperator(task_id="score", model="m", outlets=[])
    assert operator.execute(context(outlet_events=events)) == [scoring.to_json()]


def test_score_with_nothing_is_silent(fake: Fake) -> None:
    fake("score", score=lambda env, model: [])
    with pytest.raises(AirflowSkipException, match="nothing to score"):
        ScoreOperator(task_id="score", model="m").execute(context())


def test_nan_becomes_none_on_the_way_out(fake: Fake) -> None:
    built = _features()
    fake("features", build_features=lambda env, model, force: built)
    result = FeaturesOperator(task_id="features", model="m").execute(context())
    assert result["key"] == "k1"
    assert result["train_rows"] == 9


def test_force_records_who_asked(fake: Fake) -> None:
    asked: list[Any] = []
    fake("features", build_features=lambda env, model, force: _features(force))
    fake("retrain", request=lambda env, model, actor, reason: asked.append((model, actor, reason)))
    FeaturesOperator(task_id="f", model="m", force="True", reason="new law").execute(context())
    assert asked == [("m", "bob", "new law")]
    FeaturesOperator(task_id="f", model="m", force="False").execute(context())
    assert len(asked) == 1


def _features(force: bool = False) -> FeatureSet:
    return FeatureSet(
        model="m", key="k1", uri="u", task="binary", train_rows=9, holdout_rows=3, cause="initial"
    )


def test_a_worker_of_a_search_says_who_it_is_and_what_it_did(fake: Fake) -> None:
    def search(env: Any, model: str, key: str, worker: int, *, progress: Any) -> SearchShare:
        progress("trial 1/6")
        return SearchShare(model=model, key="c", worker=worker, trials=4)

    fake("search", search=search)
    operator = SearchOperator(task_id="search", model="m", features_key="k", worker=2)
    store = MagicMock()
    there = context(task_state_store=store)
    assert operator.execute(there)["trials"] == 4
    assert there["worker_and_share"] == "worker 2: 4 trial(s)"
    store.set.assert_called_once_with("progress", "trial 1/6")


def test_progress_that_cannot_be_shown_does_not_fail_a_training(fake: Fake) -> None:
    def train(env: Any, model: str, key: str, *, progress: Callable[[str], None]) -> Any:
        progress("trial 1 of 6")
        raise NotReadyError("told")

    fake("train", train=train)
    store = MagicMock()
    store.set.side_effect = RuntimeError("store away")
    with pytest.raises(AirflowSkipException, match="told"):
        TrainOperator(task_id="t", model="m", features_key="k").execute(
            context(task_state_store=store)
        )
    store.set.assert_called_once_with("progress", "trial 1 of 6")


def _verdict(verdict: str) -> GateVerdict:
    return GateVerdict(
        model="m",
        version=2,
        verdict=verdict,  # type: ignore[arg-type]
        reasons=("worse than the champion",),
        rules=(),
        primary="roc_auc",
        value=float("nan"),
        interval=(0.1, 0.2),
        rows=10,
        report="gate/m/2.html",
    )


def test_a_refused_challenger_skips_what_follows(fake: Fake) -> None:
    fake("evaluate", evaluate=lambda env, model, version: _verdict("REJECT"))
    operator = EvaluateOperator(task_id="evaluate", model="m", version="2")
    skipped: list[str] = []
    operator.get_flat_relatives = lambda upstream: [  # type: ignore[method-assign,assignment]
        ScoreOperator(task_id="approve", model="m"),
        ScoreOperator(task_id="promote", model="m"),
    ]
    from airflow.sdk.exceptions import DownstreamTasksSkipped

    now = context()
    with pytest.raises(DownstreamTasksSkipped) as caught:
        operator.execute(now)
    skipped = list(caught.value.tasks)
    assert skipped == ["approve", "promote"]
    pushed = now["ti"].xcom_push.call_args_list[0].kwargs
    assert pushed["key"] == "return_value"
    assert pushed["value"]["verdict"] == "REJECT"
    assert pushed["value"]["value"] is None  # NaN in a return value would fail the task
    assert operator.report == "gate/m/2.html"


def test_a_promotion_goes_on(fake: Fake) -> None:
    fake("evaluate", evaluate=lambda env, model, version: _verdict("PROMOTE"))
    result = EvaluateOperator(task_id="evaluate", model="m", version="2").execute(context())
    assert (result["verdict"], result["version"]) == ("PROMOTE", 2)


def test_a_version_that_never_came_says_so(fake: Fake) -> None:
    fake("evaluate", evaluate=lambda env, model, version: _verdict("PROMOTE"))
    with pytest.raises(AirflowFailException, match="no version number"):
        EvaluateOperator(task_id="evaluate", model="m", version="None").execute(context())


def test_a_refused_file_is_no_failure(fake: Fake) -> None:
    verdict = FileVerdict(
        dataset="d", name="a.csv", sha256="s", verdict="rejected", reason="wrong_header"
    )
    fake("ingest", ingest=lambda env, file: verdict)
    landed = {"dataset": "d", "name": "a.csv", "uri": "/a.csv", "size": 1, "mtime_ns": 1}
    now = context()
    assert IngestOperator(task_id="i", file=landed).execute(now)["verdict"] == "rejected"
    assert now["file_and_verdict"] == "a.csv: rejected"


@pytest.mark.parametrize("retrain", [True, False])
def test_training_is_only_woken_when_asked_for(fake: Fake, retrain: bool) -> None:
    done = Acted(
        model="m", key="k", partition="2013-05", cause="bad_champion", action="roll_back",
        outcome="done", what="it is back", retrain=retrain,
    )  # fmt: skip
    fake("act", act=lambda env, model, links: [done])
    rung: list[tuple[str, dict[str, Any]]] = []

    class Events(dict[Any, Any]):
        def __missing__(self, key: Any) -> Any:
            return SimpleNamespace(add=lambda asset, extra: rung.append((asset.name, extra)))

    operator = ActOperator(task_id="act", model="m")
    (told,) = operator.execute(context(outlet_events=Events()))
    assert told["what"] == "it is back"
    reason = {"reason": "it is back", "partition": "2013-05", "key": "k"}
    assert rung == ([("retrain.m", reason)] if retrain else [])


@pytest.mark.parametrize(("given", "to"), [("", None), ("None", None), ("4", 4), (4, 4)])
def test_rollback_takes_what_the_form_gives(fake: Fake, given: Any, to: int | None) -> None:
    seen: list[dict[str, Any]] = []

    def rollback(env: Any, model: str, *, reason: str, actor: str, **given: Any) -> Champion:
        seen.append({"actor": actor, **given})
        return Champion(
            model=model, version=1, generation=2, action="rollback", actor=actor, reason=reason
        )

    fake("rollback", rollback=rollback)
    form = {"version": given, "moment": "2026-03-03T12:00:00Z", "override_freeze": "True"}
    now = context(run_id="the-run")
    RollbackOperator(task_id="r", model="m", reason="it lies", **form).execute(now)
    (asked,) = seen
    assert (asked["to"], asked["actor"], asked["override_freeze"]) == (to, "bob", True)
    assert asked["at"] == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert asked["request"].endswith("the-run"), "a retry of the task is the same rollback"


def test_revert_takes_what_the_form_gives(fake: Fake) -> None:
    seen: list[Any] = []

    def revert(env: Any, dataset: str, version: int, *, reason: str, actor: str) -> DatasetVersion:
        seen.append((dataset, version, reason, actor))
        return DatasetVersion(
            dataset=dataset, version=3, sha256="s", name="r", rows=0, total_rows=7
        )

    fake("revert", revert=revert)
    made = RevertOperator(task_id="r", dataset="d", version="0", reason="bad").execute(context())
    assert (made["total_rows"], seen) == (7, [("d", 0, "bad", "bob")])


@pytest.mark.parametrize(("ticked", "apply"), [("True", True), ("False", False), ("", False)])
def test_retention_removes_only_when_the_box_is_ticked(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, ticked: str, apply: bool
) -> None:
    seen: list[Any] = []

    def retention(env: Any, dataset: str, **arguments: Any) -> Retention:
        seen.append((dataset, arguments["apply"], arguments["keep"].days, arguments["actor"]))
        return Retention(dataset=dataset, keep="12w", files=("a", "b"), bytes=9)

    fake("retention", retention=retention)
    monkeypatch.setattr("trimtab.adapters.delta.exists", lambda path: True)
    operator = RetentionOperator(task_id="r", dataset="d", apply=ticked, keep="12w")
    assert operator.execute(context()) == [
        {"dataset": "d", "bytes": 9, "versions": [], "kept": [], "files": 2}
    ]
    assert seen == [("d", apply, 84, "bob")]


def operator_classes() -> list[type[BaseOperator]]:
    found: set[type[BaseOperator]] = set()
    for package in (trimtab_airflow.operators, trimtab_airflow.sensors):
        for info in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            for value in vars(module).values():
                here = inspect.isclass(value) and value.__module__ == module.__name__
                if here and issubclass(value, BaseOperator):
                    found.add(value)
    return sorted(found, key=lambda c: c.__name__)


@pytest.mark.parametrize("kind", operator_classes(), ids=lambda c: c.__name__)
def test_template_fields_are_constructor_arguments(kind: type[BaseOperator]) -> None:
    arguments: set[str] = set()
    for base in kind.__mro__:
        init = base.__dict__.get("__init__")
        if init is not None and issubclass(base, BaseOperator) and base is not BaseOperator:
            arguments |= set(inspect.signature(init).parameters)
    assert set(kind.template_fields) <= arguments


def test_there_is_an_operator_per_stage() -> None:
    names = {kind.__module__.rpartition(".")[2] for kind in operator_classes()}
    assert names == {
        *(
            "base",
            "discover",
            "ingest",
            "validate",
            "publish",
            "features",
            "search",
            "train",
            "evaluate",
        ),
        *("approve", "promote", "score", "monitor", "act", "rollback", "new_data"),
        *("retention", "revert", "materialize", "staleness", "reconcile"),
    }
