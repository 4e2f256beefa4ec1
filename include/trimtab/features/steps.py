"""What is added to a model's rows, step by step: joins, feature views, derived columns."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import polars as pl

from trimtab.config import ModelSpec
from trimtab.config.catalog import Catalog
from trimtab.config.columns import (
    as_of,
    foreseeable,
    joined_columns,
    joined_name,
    pairs,
    used_columns,
    used_name,
)
from trimtab.config.model import Join
from trimtab.config.view import Derived, ViewUse
from trimtab.features import derive, join, registry, views
from trimtab.features.point_in_time import match
from trimtab.types import ROW

Tables = Mapping[str, pl.LazyFrame]


@dataclass(frozen=True)
class Step:
    """One join, feature view or derived column: what it needs of the rows and what it brings."""

    name: str
    brings: tuple[str, ...]
    reads: tuple[str, ...]
    dataset: str | None  # whose table it looks into
    bring: Callable[[pl.DataFrame, Tables], pl.DataFrame]  # the new columns, same rows and order


def steps(
    spec: ModelSpec, catalog: Catalog, wanted: Collection[str], given: Collection[str] = ()
) -> list[Step]:
    """Return what must be done, in order, to have the columns ``wanted`` beside those given."""
    closure = derive.closure(wanted, spec.features.derive, foreseeable(spec, catalog), given)
    needed = {*wanted, *closure.reads} - {*given}
    found = [
        *(_join(each, catalog, needed) for each in spec.data.join),
        *(_view(each, spec, catalog, needed) for each in spec.data.views),
        *(_derived(name, each, spec, catalog) for name, each in closure.columns.items()),
    ]
    return [step for step in found if step.brings]


def _join(each: Join, catalog: Catalog, needed: Collection[str]) -> Step:
    theirs = catalog.datasets[each.dataset]
    all_of_it = {name: joined_name(each, name) for name in joined_columns(each, theirs)}
    columns = {name: ours for name, ours in all_of_it.items() if ours in needed}
    reads = (*each.pairs, *([each.as_of] if each.as_of else []))

    def bring(rows: pl.DataFrame, tables: Tables) -> pl.DataFrame:
        return join.bring(rows, each, tables[each.dataset], columns, time=theirs.time)

    return Step(f"join of {each.dataset}", tuple(columns.values()), reads, each.dataset, bring)


def _view(use: ViewUse, spec: ModelSpec, catalog: Catalog, needed: Collection[str]) -> Step:
    view = catalog.views[use.view]
    all_of_it = {name: used_name(use, name) for name in used_columns(use, catalog)}
    columns = {name: ours for name, ours in all_of_it.items() if ours in needed}
    at, by = str(as_of(use, spec, catalog)), pairs(use, view)

    def bring(rows: pl.DataFrame, tables: Tables) -> pl.DataFrame:
        dataset = catalog.datasets[view.from_]
        there = views.all_rows(view, dataset, tables[view.from_], columns)
        found = match(
            rows,
            list(by),
            at,
            there,
            list(by.values()),
            views.TIME,
            views.KNOWN if view.known or view.delay else None,
            order=(join.ORDER, ROW),
            max_age=view.max_age,
        )
        return join.taken(there, found, list(columns)).rename(columns)

    name = f"feature view {use.view}"
    return Step(name, tuple(columns.values()), (*by, at), view.from_, bring)


def _derived(name: str, each: Derived, spec: ModelSpec, catalog: Catalog) -> Step:
    visible = foreseeable(spec, catalog)

    def bring(rows: pl.DataFrame, tables: Tables) -> pl.DataFrame:
        return derive.add(rows, {name: each}, visible, spec.model).select(name)

    return Step(f"derived column {name}", (name,), derive.reads(each, visible), None, bring)


def definitions(spec: ModelSpec, catalog: Catalog) -> list[object]:
    """Return what the model file alone does not say of its rows: views, functions' source."""
    used = [catalog.views[use.view] for use in spec.data.views]
    derived = [each for view in used for each in view.derive.values()]
    derived += spec.features.derive.values()
    named = sorted({each.function for each in derived if each.function})
    return [
        *(view.model_dump(mode="json", by_alias=True, exclude={"owner", "tags"}) for view in used),
        *(registry.source(name) for name in named),
    ]
