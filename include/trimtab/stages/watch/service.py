"""The requests a server has logged for one window.

A server that answers for a model writes ``lake/requests/<model>/*.parquet``, each file whole, with
the columns ``at`` (time in UTC), ``seconds`` (float) and ``status`` (int, as in HTTP; 500 and above
failed). A window's requests are those after the newest row of the window before, until its own.
"""

from datetime import datetime

import polars as pl

from trimtab.errors import DataError
from trimtab.monitoring import service
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.service import Served
from trimtab.stages.watch.look import Look

COLUMNS = {"at": "a time in UTC", "seconds": "a number", "status": "a whole number"}


def served(look: Look) -> list[Comparison]:
    """Judge the window's requests; nothing to say where no server has logged any."""
    folder = look.env.lake / "requests" / look.spec.model
    newest = look.scoring.newest
    if newest is None or not any(folder.glob("*.parquet")):
        return []
    log = pl.scan_parquet(folder / "*.parquet")
    _check(log, str(folder))
    found = _counted(log, _begin(look), newest)
    if not found.requests and not _known(look):
        return []  # the log is of another time
    findings = service.judge(found, newest, look.history, look.settings)
    return [Comparison(finding) for finding in findings]


def _begin(look: Look) -> datetime | None:
    """Where the window before ended; of a first one, its own oldest row."""
    newest = look.scoring.newest
    ends = [o.newest for o in look.history if o.newest and newest and o.newest < newest]
    if ends:
        return max(ends)
    return look.oldest


def _known(look: Look) -> bool:
    return any(f.signal == "service" for seen in look.history for f in seen.findings)


def _counted(log: pl.LazyFrame, begin: datetime | None, end: datetime) -> Served:
    at = pl.col("at").dt.convert_time_zone("UTC")
    mine = log.filter(at <= end) if begin is None else log.filter(at > begin, at <= end)
    row = mine.select(
        requests=pl.len(),
        p95=pl.col("seconds").cast(pl.Float64).quantile(0.95, "linear"),
        errors=(pl.col("status") >= 500).sum(),
    ).collect(engine="streaming")
    return Served.model_validate(row.row(0, named=True))


def _check(log: pl.LazyFrame, place: str) -> None:
    """Refuse a log of another shape.

    Raises:
        DataError: a column is missing or of another type; all of them at once.
    """
    schema = log.collect_schema()
    at = schema.get("at")
    fits = {
        "at": isinstance(at, pl.Datetime) and at.time_zone is not None,
        "seconds": schema.get("seconds", pl.String()).is_numeric(),
        "status": schema.get("status", pl.String()).is_integer(),
    }
    if wrong := [f"{name} ({COLUMNS[name]})" for name, ok in fits.items() if not ok]:
        raise DataError(f"{place}: the request log needs the columns {', '.join(wrong)}")
