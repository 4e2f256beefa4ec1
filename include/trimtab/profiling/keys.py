"""Which columns identify a row."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from trimtab.profiling.columns import Column

MOST = 6  # a key of more columns identifies nothing, it describes
_NAMED = re.compile(r"(^|_|\b)(id|key|uuid|code|number|no|nr|num)$|id$", re.IGNORECASE)


@dataclass(frozen=True)
class Keys:
    """The key that was chosen, others that would do, and rows that are there twice."""

    chosen: tuple[str, ...]
    others: tuple[tuple[str, ...], ...] = ()
    duplicates: int = 0  # rows that repeat another row in every column
    content: bool = False  # no columns identify a row: all of them together are the key


def find(rows: pl.DataFrame, columns: Sequence[Column], target: str) -> Keys:
    """Look for single columns first, then pairs, then ever more; of distinct rows.

    Exact repetitions are set aside when the file comes in, so they do not spoil a key.
    """
    distinct = rows.unique(maintain_order=True)
    twice = rows.height - distinct.height
    may = [c for c in columns if _may(c, target)]
    single = [(c.name,) for c in sorted(may, key=_liking) if _unique(distinct, [c.name])]
    if single:
        return Keys(single[0], tuple(single[1:]), twice)
    several = _pairs(distinct, may) or _grown(distinct, may)
    if several:
        return Keys(several[0], tuple(several[1:4]), twice)
    return Keys(tuple(c.name for c in columns), (), twice, content=True)


def _may(column: Column, target: str) -> bool:
    whole = not column.missing and not column.odd_count and not column.constant
    return whole and column.type != "float" and column.type != "bool" and column.name != target


def _liking(column: Column) -> tuple[bool, bool]:
    return not _NAMED.search(column.name), column.type == "time"


def _unique(rows: pl.DataFrame, names: Sequence[str]) -> bool:
    head = rows.select(names).head(10_000)
    if head.is_duplicated().any():
        return False
    return rows.select(names).n_unique() == rows.height


def _pairs(rows: pl.DataFrame, may: Sequence[Column]) -> list[tuple[str, ...]]:
    """Pairs and triples of the columns with the most values that identify a row."""
    best = sorted(may, key=lambda c: -c.distinct)[:10]
    for size in (2, 3):
        found = [
            tuple(c.name for c in group)
            for group in combinations(best, size)
            if _product(group) >= rows.height and _unique(rows, [c.name for c in group])
        ]
        if found:
            return found
    return []


def _product(group: Sequence[Column]) -> int:
    result = 1
    for column in group:
        result *= column.distinct
    return result


def _grown(rows: pl.DataFrame, may: Sequence[Column]) -> list[tuple[str, ...]]:
    """Add the column that tells most rows apart until all are; then drop what is not needed."""
    chosen: list[str] = []
    rest = [c.name for c in sorted(may, key=lambda c: -c.distinct)[:15]]
    while rest and len(chosen) < MOST:
        best = max(rest, key=lambda name: rows.select(*chosen, name).n_unique())
        chosen.append(best)
        rest.remove(best)
        if _unique(rows, chosen):
            for name in list(chosen):
                others = [other for other in chosen if other != name]
                chosen = others if others and _unique(rows, others) else chosen
            return [tuple(chosen)]
    return []
