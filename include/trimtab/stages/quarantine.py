"""What lies in quarantine, and what of it still waits for a person.

>>> from trimtab.environment import open_environment
>>> from trimtab.stages import quarantine
>>> env = open_environment()  # doctest: +SKIP
>>> quarantine.files(env, "flights")  # doctest: +SKIP
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl

from trimtab.data import quarantine
from trimtab.data.reasons import FileReason
from trimtab.data.text import COLUMN, REASON
from trimtab.environment import Environment
from trimtab.ledger import Event
from trimtab.types import FILE, ROW, FileVerdict

STATUS, AT, LINE = "_status", "_at", "_line"  # a dataset's own columns never begin with _
OPEN, RELEASED, RESTATED = "open", "released", "restated"


def files(env: Environment, dataset: str) -> list[dict[str, Any]]:
    """Refused files, oldest first; ``restated`` once a file of the same name was accepted."""
    judged = env.ledger.events("file", dataset)
    checked = {event.key: event for event in env.ledger.events("validation", dataset)}
    good = _accepted(judged, checked)
    found = []
    for event in judged:
        file = FileVerdict.model_validate(event.payload)
        blocked = checked.get(event.key)
        if file.verdict == "rejected":
            reason, detail = file.reason, file.detail
        elif blocked is not None and not blocked.payload["passed"]:
            reason = str(FileReason.CHECK_FAILED)
            detail = "; ".join(blocked.payload["blocked"])
        else:
            continue
        status = RESTATED if good.get(file.name, 0) > event.seq else OPEN
        told = {"file": file.name, "sha256": file.sha256, "reason": reason, "detail": detail}
        kept = quarantine.files_prefix(dataset, file.sha256) + file.name
        where = env.store.location(kept) if env.store.exists(kept) else None
        at = _utc(event.at)
        found.append({**told, "rows": file.rows_read, "at": at, "status": status, "kept": where})
    return found


def rows(
    env: Environment, dataset: str, *, file: str | None = None, reason: str | None = None
) -> pl.LazyFrame:
    """Rows set aside from accepted files, lazily: text, position, reason, column, time, status.

    Args:
        env: where the quarantine lies.
        dataset: whose.
        file: only of this file: its name, or the beginning of its hash (8 characters or more).
        reason: only set aside for this.
    """
    judged = env.ledger.events("file", dataset)
    checked = {event.key: event for event in env.ledger.events("validation", dataset)}
    good = _accepted(judged, checked)
    done = released(env, dataset)
    frames = []
    for event in judged:
        name = str(event.payload["name"])
        if not (file is None or file == name or (len(file) >= 8 and event.key.startswith(file))):
            continue
        frame = quarantine.kept(env, dataset, event.key)
        if frame is None or (event.key in checked and not checked[event.key].payload["passed"]):
            continue
        frames.append(_told(frame, event, done.get(event.key, ()), good.get(name, 0) > event.seq))
    found = pl.concat(frames, how="diagonal_relaxed") if frames else _nothing(env, dataset)
    return found.filter(pl.col(REASON) == reason) if reason else found


def summary(found: pl.LazyFrame) -> list[dict[str, Any]]:
    """Count rows by file, reason, column and status."""
    by = [AT, quarantine.NAME, FILE, REASON, COLUMN, STATUS]
    counted = found.group_by(by).agg(pl.len().alias("rows")).sort(by).collect(engine="streaming")
    return [
        {
            "file": row[quarantine.NAME],
            "sha256": row[FILE],
            "reason": row[REASON],
            "column": row[COLUMN],
            "rows": row["rows"],
            "status": row[STATUS],
            "at": row[AT],
        }
        for row in counted.iter_rows(named=True)
    ]


def released(env: Environment, dataset: str) -> dict[str, set[int]]:
    """Positions of rows that corrected ones have replaced, by the file's hash."""
    found: dict[str, set[int]] = {}
    for event in env.ledger.events("release", dataset):
        for sha256, positions in event.payload["rows"].items():
            found.setdefault(sha256, set()).update(positions)
    return found


def _told(
    rows: pl.LazyFrame, event: Event, replaced: Iterable[int], restated: bool
) -> pl.LazyFrame:
    status = (
        pl.when(pl.col(ROW).is_in(list(replaced)))
        .then(pl.lit(RELEASED))
        .otherwise(pl.lit(RESTATED if restated else OPEN))
    )
    if LINE not in rows.collect_schema():
        rows = rows.with_columns(pl.lit(None, pl.String).alias(LINE))
    return rows.with_columns(status.alias(STATUS), pl.lit(_utc(event.at)).alias(AT))


def _accepted(judged: Iterable[Event], checked: dict[str, Event]) -> dict[str, int]:
    """Place in the ledger of the newest good file of each name."""
    return {
        str(event.payload["name"]): event.seq
        for event in judged
        if event.payload["verdict"] == "accepted"
        and (event.key not in checked or checked[event.key].payload["passed"])
    }


def _nothing(env: Environment, dataset: str) -> pl.LazyFrame:
    columns = [*env.project.dataset(dataset).columns, REASON, COLUMN, LINE, FILE, quarantine.NAME]
    schema = {name: pl.String() for name in [*columns, STATUS]}
    return pl.LazyFrame(schema={**schema, AT: pl.String(), ROW: pl.Int64()})


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
