"""Check a staged file: one pass for what is compiled, Great Expectations itself for the rest."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import polars as pl

from trimtab.adapters import gx, gx_engine
from trimtab.adapters.engines import Engine, open_engine
from trimtab.adapters.gx import Expectation
from trimtab.types import ROW, CheckResult
from trimtab.validation import aside, compiled, custom, onepass, statistics
from trimtab.validation.plan import (
    ROWS,
    Kind,
    NotCompiledError,
    Plan,
    RowsPlan,
    SchemaPlan,
    Table,
    ValuePlan,
)

log = logging.getLogger(__name__)
MAX_ROWS = 1_000_000  # Great Expectations' own engine sees at most so many rows of a file


@dataclass(frozen=True)
class Checked:
    """Results in the order asked, GX's own result, and the rows of failed 'quarantine' checks.

    ``aside`` has ``_row`` and ``_check``, the position of the first such check the row broke;
    ``located`` are the positions of all of them that could say which rows they mean.
    """

    results: tuple[CheckResult, ...]
    suite: Any = None
    rows: int = 0
    aside: pl.DataFrame = field(default_factory=aside.nothing)
    located: frozenset[int] = frozenset()


def check(
    location: str,
    expectations: Sequence[Expectation],
    columns: Sequence[str],
    *,
    name: str,
    engine: str = "polars",
    max_rows: int = MAX_ROWS,
) -> Checked:
    """Check the ``columns`` of a Parquet file; a check that cannot be run has failed, no more."""
    run = _Run(location, expectations, columns, name, open_engine(engine), max_rows)
    outcomes = run.outcomes()
    results = tuple(
        gx.result(expectation, outcomes.get(i), run.broken.get(i, "it was not run"))
        for i, expectation in enumerate(expectations)
    )
    rows, located = run.aside(results)
    suite = gx.suite([outcomes[i] for i in sorted(outcomes)], name, run.count)
    return Checked(results, suite, run.count, rows, located)


class _Run:
    """One check of one file, step by step."""

    def __init__(
        self,
        location: str,
        expectations: Sequence[Expectation],
        columns: Sequence[str],
        name: str,
        engine: Engine,
        max_rows: int,
    ) -> None:
        self.location, self.name, self.engine, self.max_rows = location, name, engine, max_rows
        self.expectations, self.columns = expectations, columns
        self.own = custom.load()
        built = {i: gx.build(i, expectation) for i, expectation in enumerate(expectations)}
        self.broken = {i: item for i, item in built.items() if isinstance(item, str)}
        self.built = {i: item for i, item in built.items() if i not in self.broken}
        self.table = _table(location, columns)
        self.plans = dict(self._plans())
        self.count = 0

    def outcomes(self) -> dict[int, Any]:
        """Return GX's result object of every expectation that GX could build."""
        frame = self._frame(self.engine.scan(self.location))
        known = statistics.read(self.location, self.table.kinds)
        measured = onepass.measure(self.engine, frame, self.plans, known)
        self.count = int(measured.numbers[ROWS])
        found = {i: self._judged(i, measured) for i in self.plans}
        asked = {i: item for i, item in self.own_tables().items() if i in self.built}
        found |= {i: self._asked(i, item, frame) for i, item in asked.items()}
        rest = {i: item for i, item in self.built.items() if i not in found}
        return found | (self._in_gx(rest) if rest else {})

    def own_tables(self) -> dict[int, custom.Custom]:
        """Return the user's expectations of the whole table, by position."""
        named = {i: self.own.get(item["type"]) for i, item in enumerate(self.expectations)}
        return {i: item for i, item in named.items() if item is not None and not item.rows}

    def aside(self, results: Sequence[CheckResult]) -> tuple[pl.DataFrame, frozenset[int]]:
        """Return the rows that failed 'quarantine' checks, and which checks could name them."""
        failed = [
            i
            for i, result in enumerate(results)
            if result.severity == "quarantine" and not result.success and result.unexpected
        ]
        bad = {i: plan.bad for i in failed if isinstance(plan := self.plans.get(i), RowsPlan)}
        listed = {i: self._positions(i) for i in failed if i not in bad}
        found = [aside.positions(self.location, rows, i) for i, rows in listed.items() if rows]
        if bad:
            found.append(aside.rows(self._frame(self._polars(), ROW), bad))
        return aside.first(found), frozenset([*bad, *(i for i, rows in listed.items() if rows)])

    def _plans(self) -> Iterator[tuple[int, Plan]]:
        for i in self.built:
            item = self.expectations[i]
            try:
                yield i, self._plan(item)
            except NotCompiledError as why:
                log.debug("%s runs in Great Expectations: %s", item["type"], why)

    def _plan(self, item: Expectation) -> Plan:
        if own := self.own.get(item["type"]):
            if own.rows:
                return self._own_plan(own, item)
            raise NotCompiledError(f"{own.name} is asked by itself")
        exact = {} if item.get("exact", True) else {"exact": False}
        plan = compiled.plan(item["type"], {**item["kwargs"], **exact}, self.table)
        ranks = isinstance(plan, ValuePlan) and any("lower|" in name for name in plan.needs)
        if ranks and not self.engine.ranks:
            raise NotCompiledError("this engine has no quantiles without interpolation")
        return plan

    def _own_plan(self, own: custom.Custom, item: Expectation) -> Plan:
        try:
            return custom.plan(own, item["kwargs"], self.table)
        except NotCompiledError:
            raise
        except Exception as error:  # the user's function may raise anything
            message = f"{own.name} raised {type(error).__name__}: {error}"
            return ValuePlan(lambda _: _raise(message))

    def _judged(self, i: int, measured: onepass.Measured) -> Any:
        plan, built = self.plans[i], self.built[i]
        if i in measured.errors:
            return gx.crashed(built, measured.errors[i])
        if isinstance(plan, SchemaPlan):
            return gx.told(built, success=plan.success, observed=plan.observed)
        if isinstance(plan, ValuePlan):
            try:
                return gx.judged(built, plan.metrics(measured.numbers))
            except Exception as error:
                return gx.crashed(built, str(error))
        missing = measured.numbers[plan.missing] if plan.missing else 0
        metrics = gx.row_metrics(
            built,
            rows=measured.numbers[ROWS],
            missing=int(missing or 0),
            bad=measured.bad[i],
            examples=measured.examples.get(i, []),
        )
        return gx.judged(built, metrics)

    def _asked(self, i: int, own: custom.Custom, frame: nw.LazyFrame[Any]) -> Any:
        try:
            raw = custom.judge(own, self.expectations[i]["kwargs"], frame)
        except Exception as error:  # the user's function may raise anything
            return gx.crashed(self.built[i], f"{own.name} raised {type(error).__name__}: {error}")
        return gx.judged(self.built[i], {"trimtab.value": raw})

    def _in_gx(self, rest: Mapping[int, Any]) -> dict[int, Any]:
        """Run the rest on the rows; on a sample when there are many, unless rows must be named."""
        whole = {i for i in rest if self.expectations[i]["severity"] == "quarantine"}
        sampled = {i: item for i, item in rest.items() if i not in whole}
        found: dict[int, Any] = {}
        if whole:
            found |= gx_engine.run(self._rows(), {i: rest[i] for i in whole}, name=self.name)
        if sampled:
            rows = self._rows(self.max_rows)
            outcomes = gx_engine.run(rows, sampled, name=self.name)
            if rows.height < self.count:
                for outcome in outcomes.values():
                    outcome.result["sampled_rows"] = rows.height
            found |= outcomes
        return found

    def _rows(self, limit: int | None = None) -> pl.DataFrame:
        scan = pl.scan_parquet(self.location).select(*self.columns)
        if limit is not None and self.count > limit:
            scan = scan.gather_every(-(-self.count // limit))
        return scan.collect(engine="streaming")

    def _positions(self, i: int) -> list[int]:
        if not gx.per_row(self.built[i]):
            return []
        return gx_engine.positions(self._rows(), self.built[i], name=self.name)

    def _polars(self) -> nw.LazyFrame[Any]:
        return nw.from_native(pl.scan_parquet(self.location))

    def _frame(self, frame: nw.LazyFrame[Any], *more: str) -> nw.LazyFrame[Any]:
        """Keep the contract's columns; NaN is a missing value, as in Great Expectations."""
        floats = [name for name, kind in self.table.kinds.items() if kind == "float"]
        chosen = frame.select(*self.columns, *more)
        columns = {name: nw.col(name) for name in floats}
        clean = {name: nw.when(~c.is_nan()).then(c) for name, c in columns.items()}
        return chosen.with_columns(**clean) if clean else chosen


def _table(location: str, columns: Sequence[str]) -> Table:
    schema = nw.from_native(pl.scan_parquet(location).select(*columns)).collect_schema()
    kinds: dict[str, Kind] = {name: _kind(dtype) for name, dtype in schema.items()}
    return Table(kinds, {name: str(dtype) for name, dtype in schema.items()})


def _kind(dtype: Any) -> Kind:
    if dtype.is_integer():
        return "int"
    if dtype.is_float():
        return "float"
    if dtype == nw.String:
        return "text"
    if dtype == nw.Boolean:
        return "bool"
    return "time" if dtype == nw.Datetime and dtype.time_zone else "other"


def _raise(message: str) -> Any:
    raise RuntimeError(message)
