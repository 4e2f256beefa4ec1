"""Every plan of a contract answered in one select over the file, and little queries after it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw

from trimtab.adapters.engines import Engine
from trimtab.validation.plan import (
    ROWS,
    Numbers,
    Plan,
    RowsPlan,
    ValuePlan,
    distinct,
    sketch,
    total,
)

log = logging.getLogger(__name__)
EXAMPLES = 20


@dataclass
class Measured:
    """What was counted. ``bad`` and ``errors`` are by the position of the plan."""

    numbers: dict[str, Any]
    bad: dict[int, int] = field(default_factory=dict)
    examples: dict[int, list[Any]] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


def measure(
    engine: Engine, frame: nw.LazyFrame[Any], plans: Mapping[int, Plan], known: Numbers
) -> Measured:
    """Answer ``plans`` from what is ``known`` without data, then from the data."""
    found = Measured(dict(known))
    wanted = {i: _wanted(i, plan, known) for i, plan in plans.items()}
    _select(engine, frame, wanted, found)
    _distinct(engine, frame, plans, found)
    for i, plan in plans.items():
        if i in found.errors:
            continue
        try:
            _finish(engine, frame, i, plan, found)
        except Exception as error:  # somebody's own expression may raise anything
            found.errors[i] = f"{type(error).__name__}: {error}"
    return found


def _wanted(i: int, plan: Plan, known: Numbers) -> dict[str, nw.Expr]:
    """Return what one plan still has to have counted."""
    if isinstance(plan, ValuePlan):
        return {name: say for name, say in plan.needs.items() if name not in known}
    if not isinstance(plan, RowsPlan):
        return {}
    answered = plan.known(known) is not None
    needs = {
        name: say
        for name, say in plan.needs.items()
        if name not in known and (name == plan.missing or not answered)
    }
    return needs if answered or not plan.direct else {**needs, _bad(i): total(plan.bad)}


def _select(
    engine: Engine,
    frame: nw.LazyFrame[Any],
    wanted: Mapping[int, Mapping[str, nw.Expr]],
    found: Measured,
) -> None:
    together = {name: say for needs in wanted.values() for name, say in needs.items()}
    if ROWS not in found.numbers:
        together[ROWS] = nw.len()
    apart = [] if engine.distinct_together else [n for n in together if n.startswith("distinct|")]
    for name in apart:
        del together[name]
    if together:
        try:
            found.numbers |= _one(engine, frame, together)
        except Exception as error:  # one plan cannot be computed; find out which
            log.warning("the checks cannot be computed together, one by one now: %s", error)
            _one_by_one(engine, frame, wanted, found)
    if apart:
        found.numbers |= engine.distinct(frame, {n: n.split("|")[1:] for n in apart}, {})


def _one_by_one(
    engine: Engine,
    frame: nw.LazyFrame[Any],
    wanted: Mapping[int, Mapping[str, nw.Expr]],
    found: Measured,
) -> None:
    found.numbers |= _one(engine, frame, {ROWS: nw.len()})
    for i, needs in wanted.items():
        missing = {name: say for name, say in needs.items() if name not in found.numbers}
        try:
            found.numbers |= _one(engine, frame, missing) if missing else {}
        except Exception as error:
            found.errors[i] = f"{type(error).__name__}: {error}"


def _distinct(
    engine: Engine, frame: nw.LazyFrame[Any], plans: Mapping[int, Plan], found: Measured
) -> None:
    exact = {
        distinct(*columns): columns
        for plan in plans.values()
        if isinstance(plan, RowsPlan)
        for columns in plan.distinct
    }
    sketched = {
        sketch(column): column
        for plan in plans.values()
        if isinstance(plan, ValuePlan)
        for column in plan.sketches
    }
    if exact or sketched:
        found.numbers |= engine.distinct(frame, exact, sketched)


def _finish(engine: Engine, frame: nw.LazyFrame[Any], i: int, plan: Plan, found: Measured) -> None:
    if isinstance(plan, RowsPlan):
        count = plan.known(found.numbers)
        if count is None:
            count = found.numbers.get(_bad(i))
        if count is None:
            marked = frame.with_columns(plan.bad.alias("_bad"))
            count = _one(engine, marked, {"bad": total(nw.col("_bad"))})["bad"]
        found.bad[i] = int(count or 0)
        if count:
            found.examples[i] = _examples(engine, frame, plan)
    elif isinstance(plan, ValuePlan):
        for name, (column, strange) in plan.values.items():
            if found.numbers[name]:
                rows = frame.filter(strange).select(column).unique()
                found.numbers[f"values|{name}"] = sorted(engine.collect(rows)[column].to_list())
        if plan.counts:
            name = f"commonest|{plan.counts}"
            found.numbers[name] = _commonest(engine, frame, plan.counts)


def _examples(engine: Engine, frame: nw.LazyFrame[Any], plan: RowsPlan) -> list[Any]:
    marked = frame.with_columns(plan.bad.alias("_bad")).filter(nw.col("_bad"))
    rows = engine.collect(marked.select(*plan.show).head(EXAMPLES))
    if len(plan.show) == 1:
        return rows.to_series().to_list()
    return rows.rows() if len(plan.show) == 2 else rows.to_dicts()


def _commonest(engine: Engine, frame: nw.LazyFrame[Any], column: str) -> list[Any]:
    there = frame.filter(~nw.col(column).is_null())
    counts = there.group_by(column).agg(nw.len().alias("_count"))
    most = engine.collect(counts.select(nw.col("_count").max().alias("most")))["most"].item()
    if most is None:
        return []
    rows = counts.filter(nw.col("_count") == most).select(column)
    return sorted(engine.collect(rows)[column].to_list())


def _one(engine: Engine, frame: nw.LazyFrame[Any], needs: Mapping[str, nw.Expr]) -> dict[str, Any]:
    said: Sequence[nw.Expr] = [say.alias(name) for name, say in needs.items()]
    found = engine.collect(frame.select(*said)).row(0, named=True)
    return {name: _count(name, value) for name, value in found.items()}


def _count(name: str, value: Any) -> Any:
    """No rows have no different values; some engines say so by a null."""
    return 0 if value is None and name.startswith("distinct|") else value


def _bad(i: int) -> str:
    return f"bad|{i}"
