"""Whether a file's label can be learned from: it has its classes, and no column gives it away."""

from collections.abc import Iterator
from itertools import chain

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data.reasons import FileReason
from trimtab.types import ROW

SAMPLE = 100_000  # rows a leak is looked for in: it shows in any sample
MAX_AUC = 0.999
MAX_PURITY = 0.999
FEW_VALUES = 50  # a column with more different values is an identifier rather than a category
RARE = 10  # rows of the rarer class below which a perfect split may be chance


def problems(
    rows: pl.LazyFrame, distinct: int, count: int, spec: DatasetSpec
) -> Iterator[tuple[FileReason, str]]:
    """Yield what is wrong with the label column, the more telling reason first."""
    label = str(spec.label)
    if distinct <= 1:
        told = f"label {label} has {distinct} different value(s) in {count} rows"
        yield FileReason.SINGLE_CLASS, f"{told}; deliver every class, or drop 'label'"
    elif missing := _missing(rows, label, spec):
        told = f"label {label} never is {', '.join(missing)} in {count} rows"
        fix = "deliver every class, or correct the column's values"
        yield FileReason.CLASS_MISSING, f"{told}; {fix}"
    if distinct > 1 and (leaks := _leaks(rows, label, distinct, count, spec)):
        fix = "mark it known_after when it is known only afterwards, or take it out of the file"
        yield FileReason.LABEL_LEAK, f"{'; '.join(leaks)}; {fix}"


def _missing(rows: pl.LazyFrame, label: str, spec: DatasetSpec) -> list[str]:
    values = spec.columns[label].values
    if not values:
        return []
    there = rows.select(pl.col(label).unique()).collect(engine="streaming")[label]
    return [value for value in values if value not in set(there)]


def _leaks(
    rows: pl.LazyFrame, label: str, distinct: int, count: int, spec: DatasetSpec
) -> list[str]:
    """Name each column that nearly decides the label alone."""
    features = [
        name
        for name, column in spec.columns.items()
        if name != label and name not in spec.key and column.known_after is None
    ]
    if distinct > FEW_VALUES:  # a quantity rather than classes
        return []
    every = -(-count // SAMPLE)
    sample = rows.filter(pl.col(ROW) % every == 0, pl.col(label).is_not_null())
    seen = sample.select(label, *features).collect(engine="streaming")
    sizes = seen[label].value_counts()["count"]
    if seen.height - int(sizes.max() or 0) < RARE:  # type: ignore[arg-type]
        return []
    found = chain.from_iterable(_leak(seen, name, label, distinct, spec) for name in features)
    return list(found)


def _leak(
    seen: pl.DataFrame, name: str, label: str, distinct: int, spec: DatasetSpec
) -> Iterator[str]:
    kind = spec.columns[name].type
    if kind in ("int", "float") and distinct == 2:  # AUC is for two classes
        auc = _auc(seen.select(name, label).drop_nulls(), name, label)
        if auc > MAX_AUC:
            yield f"{name} alone tells {label} (AUC {auc:.4f}, limit {MAX_AUC})"
    elif kind != "time" and seen[name].n_unique() <= FEW_VALUES:
        purity = _purity(seen, name, label)
        if purity > MAX_PURITY:
            yield f"{name} alone tells {label} (purity {purity:.4f}, limit {MAX_PURITY})"


def _auc(pair: pl.DataFrame, name: str, label: str) -> float:
    """Area under the ROC curve of one number by ranks, whichever way it points."""
    positive = pair[label] == pair[label].max()
    high = int(positive.sum())
    low = pair.height - high
    if min(high, low) < RARE:
        return 0.5
    ranks = float(pair[name].rank("average").filter(positive).sum())
    auc = (ranks - high * (high + 1) / 2) / (high * low)
    return max(auc, 1 - auc)


def _purity(seen: pl.DataFrame, name: str, label: str) -> float:
    """Share of the rarer classes' rows that the column's value gives away.

    0 when always guessing the commonest class is as good, 1 when every value has one class: with
    rare classes a plain share of right guesses is near 1 for any column.
    """
    cells = seen.group_by(name, label).len()
    right = cells.group_by(name).agg(pl.col("len").max())["len"].sum()
    commonest = int(cells.group_by(label).agg(pl.col("len").sum())["len"].max())  # type: ignore[arg-type]
    return (int(right) - commonest) / max(seen.height - commonest, 1)
