"""A training's run says in its note why it was asked for; Airflow's own tables and rows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from trimtab_airflow import listener


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    initdb()
    with create_session() as session:
        yield session


def started(session: Any, dag_id: str, *reasons: str | None) -> Any:
    """A run that events with these reasons have started."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.models.dagrun import DagRun

    now = datetime(2026, 1, 1, tzinfo=UTC)
    run_id = f"{dag_id}-{uuid4().hex}"
    run = DagRun(dag_id=dag_id, run_id=run_id, run_type="asset_triggered", run_after=now)
    session.add(run)
    asset = AssetModel(name=f"retrain.{run_id}", uri=f"trimtab://{run_id}", group="trimtab")
    session.add(asset)
    session.flush()
    for reason in reasons:
        extra = {"reason": reason} if reason else {}
        event = AssetEvent(asset_id=asset.id, extra=extra, timestamp=now)
        session.add(event)
        run.consumed_asset_events.append(event)
    session.flush()
    return run


def note_of(session: Any, run: Any) -> str | None:
    """What is kept of the note, read from the table."""
    from airflow.models.dagrun import DagRunNote

    session.flush()
    kept = session.get(DagRunNote, run.id)
    return kept.content if kept else None


def test_the_note_says_why(session: Any) -> None:
    run = started(session, "late.train", "loss since May", None, "loss since May", "drift")
    listener.on_dag_run_running(run, "started")
    assert note_of(session, run) == "loss since May; drift"
    listener.on_dag_run_running(run, "started")
    assert note_of(session, run) == "loss since May; drift"


def test_a_long_reason_is_cut(session: Any) -> None:
    run = started(session, "late.train", "x" * 3000)
    listener.on_dag_run_running(run, "started")
    assert len(note_of(session, run) or "") == 1000


@pytest.mark.parametrize(("dag_id", "reasons"), [("late.score", ("why",)), ("late.train", ())])
def test_other_runs_have_no_note(session: Any, dag_id: str, reasons: tuple[str, ...]) -> None:
    run = started(session, dag_id, *reasons)
    listener.on_dag_run_running(run, "started")
    assert note_of(session, run) is None


def test_a_person_s_note_stays(session: Any) -> None:
    run = started(session, "late.train", "monitoring says so")
    run.note = "because I want it"
    listener.on_dag_run_running(run, "started")
    assert note_of(session, run) == "because I want it"


def test_airflow_calls_it(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.listeners.listener import get_listener_manager

    manager = get_listener_manager()
    manager.add_listener(listener)
    run = started(session, "late.train", "asked by Airflow")
    run.state = "running"
    run.notify_dagrun_state_changed("started")
    assert note_of(session, run) == "asked by Airflow"
