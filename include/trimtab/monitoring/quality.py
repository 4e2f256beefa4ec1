"""Whether a window is whole: gaps, types, ranges, new values, repeats, volume, freshness. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from trimtab.config.monitor import Monitor
from trimtab.monitoring import chance
from trimtab.monitoring.wholeness import ColumnWholeness, Seen, Wholeness
from trimtab.watch import Finding, Status

# Least change of a share that matters, unless the model file has signals.quality.limit.
LIMITS = {"missing": 0.02, "range": 0.01, "new_categories": 0.01, "duplicates": 0.02}
MORE, FEWER = 2.0, 1.5  # times as many rows, or so many times fewer: half a file is a fault
LATE = 2.0  # times as long as usual
_USUAL_SPREAD = 0.1  # of the logarithm of a number of rows: a tenth more or less is nothing


@dataclass(frozen=True)
class Delivery:
    """One file as it came: its rows, its newest event time, and when it was published."""

    rows: int
    newest: datetime | None
    published: datetime


def columns(usual: Wholeness, seen: Seen, settings: Monitor) -> Iterator[Finding]:
    """Judge every column by the reference's blocks, and whether rows repeat."""
    watched = settings.watch("quality").columns
    yield from _types(usual, seen)
    for name, column in usual.columns.items():
        if name in seen.wrong or (watched is not None and name not in watched):
            continue
        yield _share("missing", name, seen.missing[name], column.missing, usual, seen, settings)
        if name in seen.outside:
            outside = seen.outside[name]
            found = _share("range", name, outside, column.infinite, usual, seen, settings)
            yield _noted(found, f"usual is {column.low:.6g} to {column.high:.6g}")
        if column.values is not None:
            yield _unseen(name, column, usual, seen, settings)
    if usual.repeats:
        yield _duplicates(usual, seen, settings)


def volume(now: Delivery, earlier: Sequence[Delivery], settings: Monitor) -> Finding:
    """Judge the number of rows by those of earlier files, the season of the week respected."""
    import math

    rows = [(d.newest, math.log(max(d.rows, 1))) for d in earlier]
    found = math.log(max(now.rows, 1))
    usual = chance.seasonal(found, now.newest, rows, least=_USUAL_SPREAD, patient=True)
    if usual is None:
        return _young("volume", float(now.rows), now, len(earlier))
    wanted = math.exp(usual.value)
    fewer = now.rows < wanted
    return Finding(
        signal="quality",
        statistic="volume",
        value=now.rows,
        expected=wanted,
        threshold=wanted / FEWER if fewer else wanted * MORE,
        beyond="below" if fewer else "above",
        p_value=usual.p_value,
        reference_rows=len(earlier),
        current_rows=now.rows,
        status="ok",
        note=f"{now.rows:,} rows, about {wanted:,.0f} are usual",
    )


def freshness(now: Delivery, earlier: Sequence[Delivery], settings: Monitor) -> Iterator[Finding]:
    """Judge how far a file takes the newest event time on, and how old it was when it came."""
    if now.newest is None:
        return
    dated = [d for d in earlier if d.newest]
    steps = [(d.newest, step) for d, step in _steps(dated)]
    step = _hours(now, dated[-1]) if dated else 0.0
    usual = chance.seasonal(step, now.newest, steps) if dated else None
    if usual is None:
        yield _young("gap", step, now, len(steps))
    else:
        behind = step < usual.value
        limit = 0.0 if behind else LATE * usual.value
        note = f"newest row {_said(step)} after the file before, usual is {_said(usual.value)}"
        yield _time("gap", step, usual, limit, now, len(steps), note, below=behind)
    age = (now.published - now.newest).total_seconds() / 3600
    ages = [(d.newest, (d.published - d.newest).total_seconds() / 3600) for d in dated if d.newest]
    old = chance.seasonal(age, now.newest, ages)
    if old is not None:
        limit = max(LATE * old.value, old.value + 1)
        note = f"its newest row was {_said(age)} old when published, usual is {_said(old.value)}"
        yield _time("age", age, old, limit, now, len(ages), note)


def _types(usual: Wholeness, seen: Seen) -> Iterator[Finding]:
    for name, why in seen.wrong.items():
        yield Finding(
            signal="quality",
            column=name,
            statistic="type",
            reference_rows=sum(usual.rows),
            current_rows=seen.rows,
            status="moved",
            note=why,
        )


def _share(
    statistic: str,
    name: str | None,
    found: int,
    blocks: Sequence[int],
    usual: Wholeness,
    seen: Seen,
    settings: Monitor,
) -> Finding:
    """Judge one count by the same count of the reference's blocks."""
    runs = chance.runs_of(seen.rows, list(zip(blocks, usual.rows, strict=True)))
    return _judged(statistic, name, found, runs, sum(usual.rows), seen, settings)


def _judged(
    statistic: str,
    name: str | None,
    found: int,
    runs: Sequence[tuple[int, int]],
    reference_rows: int,
    seen: Seen,
    settings: Monitor,
) -> Finding:
    share = found / seen.rows if seen.rows else None
    status: Status = "ok"
    note, expected, p = "", None, None
    if min(seen.rows, reference_rows) < settings.min_rows:
        status = "not_enough_data"
        note = f"{min(seen.rows, reference_rows):,} rows, {settings.min_rows:,} wanted"
    else:
        usual = chance.count(found, seen.rows, runs)
        expected, p = usual.value, usual.p_value
        note = f"{expected:.2%} → {share:.2%}"
    limit = settings.watch("quality").limit or LIMITS[statistic]
    less = share is not None and expected is not None and share < expected
    if less and statistic != "missing":  # fewer repeats or new values than usual are no fault
        less, p = False, 1.0
    return Finding(
        signal="quality",
        column=name,
        statistic=statistic,
        value=share,
        expected=expected,
        threshold=(expected or 0.0) - limit if less else (expected or 0.0) + limit,
        beyond="below" if less else "above",
        p_value=p,
        reference_rows=reference_rows,
        current_rows=seen.rows,
        status=status,
        note=note,
    )


def _unseen(
    name: str, column: ColumnWholeness, usual: Wholeness, seen: Seen, settings: Monitor
) -> Finding:
    """New values, by how many runs as long of the reference's second half brought."""
    runs = column.turnover.usual(seen.rows) if column.turnover else []
    rows = sum(usual.rows)
    found = _judged("new_categories", name, seen.unseen[name], runs, rows, seen, settings)
    told = ", ".join(repr(value) for value in seen.examples.get(name, ()))
    return _noted(found, f"such as {told}") if told else found


def _duplicates(usual: Wholeness, seen: Seen, settings: Monitor) -> Finding:
    """Repeated rows, by those of runs of the window's size or the next larger one.

    Where no run is as large, by the largest: the share of rows that meet their like by chance
    grows at most with the number of rows.
    """
    sizes = sorted(usual.repeats)
    size = next((each for each in sizes if each >= seen.rows), sizes[-1])
    grown = max(seen.rows / size, 1.0)
    runs = [(min(round(repeated * grown), size), size) for repeated in usual.repeats[size]]
    rows = sum(usual.rows)
    return _judged("duplicates", None, seen.repeated, runs, rows, seen, settings)


def _noted(finding: Finding, more: str) -> Finding:
    if not finding.value:
        return finding
    return finding.model_copy(update={"note": f"{finding.note}; {more}"})


def _time(
    statistic: str,
    value: float,
    usual: chance.Expected,
    limit: float,
    now: Delivery,
    files: int,
    note: str,
    *,
    below: bool = False,
) -> Finding:
    return Finding(
        signal="quality",
        statistic=statistic,
        value=value,
        expected=usual.value,
        threshold=limit,
        beyond="below" if below else "above",
        p_value=usual.p_value,
        reference_rows=files,
        current_rows=now.rows,
        status="ok",
        note=note,
    )


def _young(statistic: str, value: float, now: Delivery, files: int) -> Finding:
    return Finding(
        signal="quality",
        statistic=statistic,
        value=value,
        reference_rows=files,
        current_rows=now.rows,
        status="not_enough_data",
        note=f"{files} earlier files, {chance.FEWEST} wanted",
    )


def _steps(dated: Sequence[Delivery]) -> Iterator[tuple[Delivery, float]]:
    for before, after in pairwise(dated):
        yield after, _hours(after, before)


def _hours(after: Delivery, before: Delivery) -> float:
    if after.newest is None or before.newest is None:
        return 0.0
    return (after.newest - before.newest).total_seconds() / 3600


def _said(hours: float) -> str:
    return f"{hours:.3g} h" if abs(hours) < 48 else f"{hours / 24:.3g} d"
