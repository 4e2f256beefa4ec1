"""The numbers of the business that the model file asks for, computed on one window."""

import logging
import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from trimtab.config import check_kpi, expression
from trimtab.config.monitor import Kpi
from trimtab.errors import DataError
from trimtab.monitoring import kpi as monitoring
from trimtab.monitoring import looks, registry
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch.look import PREDICTION, Look
from trimtab.types import TARGET
from trimtab.watch import Finding

log = logging.getLogger(__name__)


def business(look: Look) -> list[Comparison]:
    """Compute and judge every one; what cannot be computed says so, the others go on.

    A later look at the labels says nothing new where no number reads them.
    """
    asked = look.settings.kpi
    rows = frame(look.rows) if asked else look.rows
    answers = {kpi.name: _answer(look, kpi, rows) for kpi in asked}
    labels = ["target", look.spec.target.column]
    without = rows.drop(labels, strict=False)
    reads = {kpi.name for kpi in asked if _answer(look, kpi, without) != answers[kpi.name]}
    if look.labels_at is not None and not reads:
        return []
    return [
        Comparison(_judged(look, kpi, answers[kpi.name], rows, reads=kpi.name in reads))
        for kpi in asked
    ]


def frame(rows: pl.DataFrame) -> pl.DataFrame:
    """The window as SQL and functions see it: ``prediction`` and ``target`` by these names."""
    names = {PREDICTION: "prediction", TARGET: "target"}
    names = {ours: name for ours, name in names.items() if ours in rows.columns}
    own = [c for c in rows.columns if not c.startswith("_") and c not in names.values()]
    return rows.select(*own, *(pl.col(ours).alias(name) for ours, name in names.items()))


def compute(kpi: Kpi, rows: pl.DataFrame) -> float:
    """Return the one number.

    Raises:
        DataError: it is none, or not one.
    """
    found: Any = _queried(kpi.sql, rows) if kpi.sql else registry.get(str(kpi.function))(
        rows.to_pandas()
    )  # fmt: skip
    try:
        value = float(found)
    except (TypeError, ValueError):
        raise DataError(f"KPI {kpi.name} gave {found!r}, which is no number") from None
    if not math.isfinite(value):
        raise DataError(f"KPI {kpi.name} gave {value}, which is no number")
    return value


def _answer(look: Look, kpi: Kpi, rows: pl.DataFrame) -> float | str:
    """The number, or why there is none."""
    try:
        return compute(kpi, rows)
    except Exception as error:  # DuckDB and a user's function may raise anything
        log.debug("%s: KPI %s: %s", look.spec.model, kpi.name, error)
        return str(error).split("\n", 1)[0] or type(error).__name__


def _judged(
    look: Look, kpi: Kpi, answer: float | str, rows: pl.DataFrame, *, reads: bool
) -> Finding:
    """Judge one; what reads the labels by the rows that have one, and not before all are due."""
    known = rows["target"].count() if reads else rows.height
    told = f" ({_coverage(look, known)})" if reads else ""
    found = Finding(
        signal="kpi", column=kpi.name, statistic="value", current_rows=known,
        status="not_computable",
    )  # fmt: skip
    if isinstance(answer, str):
        log.warning("%s: KPI %s: %s", look.spec.model, kpi.name, answer)
        return found.model_copy(update={"note": answer + told})
    if reads and not look.all_due and known < looks.COMPLETE * rows.height:
        note = f"{answer:.4g} so far{told}; judged when all are due"
        return found.model_copy(update={"status": "not_enough_data", "note": note})
    newest, often = look.scoring.newest, look.looks if reads else 1
    judged = monitoring.judge(kpi, answer, known, newest, look.history, look.settings, looks=often)
    return judged.model_copy(update={"note": judged.note + told})


def _coverage(look: Look, known: int) -> str:
    changed = f", {look.changed:,} of them changed since the last look" if look.changed else ""
    return f"{known:,} of {look.rows.height:,} rows with a known label{changed}"


def _queried(sql: str, rows: pl.DataFrame) -> Any:
    connection = expression.locked()
    try:
        connection.register(check_kpi.TABLE, rows.to_arrow())
        answer: Sequence[Any] = connection.execute(sql).fetchmany(2)
    finally:
        connection.close()
    if len(answer) != 1 or len(answer[0]) != 1:
        shape = f"{len(answer)} rows" if len(answer) != 1 else f"{len(answer[0])} columns"
        raise DataError(f"the query gives {shape}, not one number")
    return answer[0][0]
