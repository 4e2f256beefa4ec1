"""What is wrong with a file as a whole, after every row of it was judged alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data import history, label
from trimtab.data.reasons import FileReason, RowReason
from trimtab.types import FileVerdict

Refusal = tuple[FileReason, str]
Bad = Mapping[tuple[str, str | None], int]  # (reason, column) -> rows set aside

# Fewer rows say nothing about how many different values a column has.
ENOUGH_ROWS = 100
_NO_VALUE_OF_ITS_TYPE = (RowReason.BAD_TYPE, RowReason.BAD_ID_FORMAT)


def refusal(
    rows: pl.LazyFrame,
    bad: Bad,
    rows_read: int,
    spec: DatasetSpec,
    earlier: Sequence[FileVerdict] = (),
) -> Refusal | None:
    """Say why the file cannot be taken as a whole; None when its good rows may go on.

    The reason is the most telling one. Too many bad rows have one cause, so what else would follow
    from them is not told; what the good rows show is told all at once.

    Args:
        rows: the good rows, scanned at most twice, and only when the contract asks something.
        bad: how many rows were set aside, by reason and column; each row counts once.
        rows_read: rows in the file, good or not.
        spec: the contract.
        earlier: verdicts on files that came before, for ``history``.
    """
    good = rows_read - sum(bad.values())
    for found in _counted(bad, rows_read, good, spec):
        return found
    seen = _look(rows, spec) if good else {}
    told = list(_seen(rows, seen, bad, rows_read, good, spec, earlier))
    if not told:
        return None
    (reason, first), *more = told
    return reason, "; also ".join([first, *(f"{why}: {detail}" for why, detail in more)])


def _counted(bad: Bad, read: int, good: int, spec: DatasetSpec) -> Iterator[Refusal]:
    """What the counts of the rows tell, the more telling reason first."""
    if read < spec.limits.min_rows:
        fix = "deliver the whole file, or lower limits.min_rows"
        reason = FileReason.TOO_FEW_ROWS if read else FileReason.NO_ROWS
        yield reason, f"{read} row(s), at least {spec.limits.min_rows} are due; {fix}"
    if not read:
        yield FileReason.NO_ROWS, "there is no row in it; deliver the rows"
    yield from _lost_columns(bad, read, spec)
    twice = _rows(bad, RowReason.DUPLICATE_KEY)
    if twice and twice >= spec.limits.max_duplicates * read:
        limit = f"limits.max_duplicates is {spec.limits.max_duplicates:g}"
        detail = f"{twice} of {read} rows repeat another row; {limit}; deliver each row once"
        yield FileReason.TOO_MANY_DUPLICATES, detail
    if (outside := _rows(bad, RowReason.OUTSIDE_PARTITION)) > read / 2:
        detail = f"{outside} of {read} rows are of another partition than the file's name says"
        yield FileReason.PARTITION_MISMATCH, f"{detail}; correct the name or the rows"
    if (wrong := sum(bad.values())) > spec.max_bad_rows * read:
        yield FileReason.TOO_MANY_BAD_ROWS, _worst(bad, wrong, read, spec)
    if not good:
        yield FileReason.NO_ROWS, f"none of {read} rows is good; {_listed(bad)}"


def _lost_columns(bad: Bad, read: int, spec: DatasetSpec) -> Iterator[Refusal]:
    flipped = []
    empty = []
    for name, column in spec.columns.items():
        wrong = sum(bad.get((why, name), 0) for why in _NO_VALUE_OF_ITS_TYPE)
        if wrong > read / 2:
            flipped.append(f"{wrong} of {read} cells of {name} are no {column.type}")
        missing = bad.get((RowReason.NULL_NOT_ALLOWED, name), 0)
        if missing > read / 2 and missing + _others(bad, name) >= read:
            empty.append(f"{name} has no value in any of {read} rows")
    if flipped:
        fix = "deliver the type of the contract, or correct the contract"
        yield FileReason.COLUMN_TYPE_FLIP, f"{'; '.join(flipped)}; {fix}"
    if empty:
        fix = "deliver the column, or let it be nullable"
        yield FileReason.COLUMN_ALL_NULL, f"{'; '.join(empty)}; {fix}"


def _look(rows: pl.LazyFrame, spec: DatasetSpec) -> dict[str, Any]:
    """Compute everything the contract asks of the good rows in one select."""
    asked: list[pl.Expr] = []
    for name, column in spec.columns.items():
        if column.max_missing < 1:
            asked.append(pl.col(name).null_count().alias(f"missing {name}"))
        if column.min_distinct > 1 or column.max_distinct is not None or name == spec.label:
            asked.append(pl.col(name).drop_nulls().n_unique().alias(f"distinct {name}"))
    asked += history.expressions(spec)
    return rows.select(asked).collect(engine="streaming").row(0, named=True) if asked else {}


def _seen(
    rows: pl.LazyFrame,
    seen: Mapping[str, Any],
    bad: Bad,
    read: int,
    good: int,
    spec: DatasetSpec,
    earlier: Sequence[FileVerdict],
) -> Iterator[Refusal]:
    """What the good rows tell: columns, then the label, then the comparison with the past."""
    yield from _missing(seen, bad, read, spec)
    yield from _distinct(seen, good, spec)
    if spec.label and good >= ENOUGH_ROWS:
        yield from label.problems(rows, seen[f"distinct {spec.label}"], good, spec)
    if spec.history:
        yield from history.problems(good, history.medians(seen), spec.history, earlier)


def _missing(seen: Mapping[str, Any], bad: Bad, read: int, spec: DatasetSpec) -> Iterator[Refusal]:
    lost = []
    for name, column in spec.columns.items():
        missing = seen.get(f"missing {name}", 0) + bad.get((RowReason.NULL_NOT_ALLOWED, name), 0)
        if missing > column.max_missing * read:
            limit = f"max_missing is {column.max_missing:g}"
            lost.append(f"{name} has no value in {missing} of {read} rows, {limit}")
    if lost:
        fix = "deliver the values, or raise max_missing"
        yield FileReason.COLUMN_ALL_NULL, f"{'; '.join(lost)}; {fix}"


def _distinct(seen: Mapping[str, Any], good: int, spec: DatasetSpec) -> Iterator[Refusal]:
    few, many = [], []
    for name, column in spec.columns.items():
        distinct = seen.get(f"distinct {name}", 0)
        if column.max_distinct is not None and distinct > column.max_distinct:
            many.append(
                f"{name} has {distinct} different values, max_distinct is {column.max_distinct}"
            )
        if column.min_distinct > 1 and distinct < column.min_distinct and good >= ENOUGH_ROWS:
            told = f"{distinct} different value(s) in {good} rows"
            few.append(f"{name} has {told}, min_distinct is {column.min_distinct}")
    if few:
        fix = "look for a broken sensor or join, or lower min_distinct"
        yield FileReason.CONSTANT_COLUMN, f"{'; '.join(few)}; {fix}"
    if many:
        fix = "look for ids or free text in the column, or raise max_distinct"
        yield FileReason.CARDINALITY, f"{'; '.join(many)}; {fix}"


def _rows(bad: Bad, reason: RowReason) -> int:
    return sum(count for (why, _), count in bad.items() if why == reason)


def _others(bad: Bad, name: str) -> int:
    return sum(count for (_, column), count in bad.items() if column != name)


def _worst(bad: Bad, wrong: int, read: int, spec: DatasetSpec) -> str:
    limit = f"{spec.dataset} allows {spec.max_bad_rows:.1%}"
    return f"{wrong} of {read} rows are bad ({_listed(bad)}); {limit}"


def _listed(bad: Bad, most: int = 5) -> str:
    worst = sorted(bad.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or ""))
    told = [f"{n} {why}" + (f" in {column}" if column else "") for (why, column), n in worst]
    more = [f"{len(told) - most} more kinds"] if len(told) > most else []
    return ", ".join(told[:most] + more)
