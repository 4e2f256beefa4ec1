"""Write what was learned as the two files a user edits: the contract and the model."""

import json
import math
import re
from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from trimtab.profiling.columns import FEW, Column
from trimtab.profiling.profile import Profile

STEADY = 5  # times a value must be seen before the list of values is closed
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*( [A-Za-z0-9_.\-]+)*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def dataset(profile: Profile, name: str, owner: str) -> str:
    """Return the text of ``config/datasets/<name>.yaml``."""
    return "\n".join([*_head(profile, name, owner), *_columns(profile), *_tail(profile)]) + "\n"


def _head(profile: Profile, name: str, owner: str) -> Iterator[str]:
    table = profile.table
    yield "# yaml-language-server: $schema=../schema/dataset.json"
    seen = f"{profile.rows.height:,} rows of {table.file.name}"
    yield f"# Learned from {comment(seen)}; correct it where you know better."
    yield f"dataset: {name}"
    yield f"owner: {quoted(owner)}"
    yield f"source: {{{', '.join(_source(profile, name))}}}"
    if profile.keys.content:
        yield "# No columns identify a row, so all of them together do: a repeated row counts once."
    elif profile.keys.others:
        others = "; ".join(" + ".join(other) for other in profile.keys.others[:3])
        yield f"# These would identify a row, too: {comment(others)}."
    yield f"key: [{', '.join(map(quoted, profile.keys.chosen))}]"
    if profile.time:
        yield f"time: {quoted(profile.time)}"
        yield f"partition: {partition(profile)}"
    for column in profile.naive:
        yield (
            f"# {comment(column)} holds times without a zone, and stays text: write them as "
            "2026-01-31T09:00:00Z or with +01:00, then set type: time."
        )


def _source(profile: Profile, name: str) -> Iterator[str]:
    table, lower = profile.table, profile.table.file.name.lower()
    yield f"kind: files, uri: landing/{name}"
    ending = "".join(
        table.file.suffixes[-2:] if lower.endswith(".gz") else table.file.suffixes[-1:]
    )
    yield f"pattern: {json.dumps('*' + ending)}"
    if table.format != "csv":
        yield f"format: {table.format}"
    if table.delimiter != ",":
        yield f"delimiter: {json.dumps(table.delimiter)}"
    if profile.null_values != ("",):
        yield f"null_values: [{', '.join(json.dumps(text) for text in profile.null_values)}]"


def _columns(profile: Profile) -> Iterator[str]:
    yield "# A range is what was seen, widened by its own width to both sides, and never past zero."
    if lasting := [name for name in profile.lasting if name not in profile.keys.chosen]:
        told = f"Without one, since they rise or fall with {profile.order}: {', '.join(lasting)}."
        yield f"# {comment(told)}"
    yield "columns:"
    for column in profile.columns:
        why = _why(column)
        line = f"  {quoted(column.name)}: {{{', '.join(_column(column, profile))}}}"
        yield f"{line}  # {comment(why)}" if why else line


def _column(column: Column, profile: Profile) -> Iterator[str]:
    yield f"type: {column.type}"
    unbounded = {*profile.keys.chosen, *profile.lasting}
    if column.numeric and not column.constant and column.name not in unbounded:
        low, high = bounds(column, profile.rows[column.name])
        if low is not None:
            yield f"min: {_number(low)}, max: {_number(high)}"
    if values := closed(column, profile.rows[column.name]):
        yield f"values: [{', '.join(map(quoted, values))}]"
    if column.missing:
        yield "nullable: true"


def _why(column: Column) -> str:
    parts = []
    if column.missing:
        parts.append(f"missing in {column.missing / column.rows:.1%}")
    if column.odd_count:
        shown = ", ".join(repr(text) for text in column.odd)
        parts.append(f"{column.odd_count} row(s) do not fit and are set aside: {shown}")
    if column.padded:
        parts.append("digits, but an identifier: leading zeros or too long for a number")
    return "; ".join(parts)


def _tail(profile: Profile) -> Iterator[str]:
    rows = profile.rows.height + profile.table.ragged_count
    bad = profile.keys.duplicates + profile.table.ragged_count
    bad += sum(column.odd_count for column in profile.columns)
    if bad / rows > 0.03:
        share = min(1.0, math.ceil(bad / rows * 150) / 100)
        yield f"# {bad:,} rows of the file repeat another one or do not fit a type."
        yield f"max_bad_rows: {share}"
    limits = []
    if profile.keys.duplicates / rows > 0.3:
        limits.append("max_duplicates: 1")
    open_ = (c for c in profile.columns if not closed(c, profile.rows[c.name]))
    formulas = sum(column.formulas for column in open_)  # a listed value is what it is
    if formulas:
        yield f"# {formulas:,} cells begin like a spreadsheet formula (=, +, -, @)."
        if formulas / rows > 0.02:
            limits.append("formulas: true")
    if limits:
        yield f"limits: {{{', '.join(limits)}}}"
    target = profile.target
    if target.task != "regression":
        name = quoted(target.column.name)
        yield f"# label: {name}  # then files with one class of it, or a leak, are refused"


def partition(profile: Profile) -> str:
    """Months for a span of two months or more, else days, else files."""
    if profile.since is None or profile.until is None:
        return "file"
    span = profile.until - profile.since
    return "month" if span >= timedelta(days=59) else "day" if span >= timedelta(days=2) else "file"


def bounds(column: Column, values: pl.Series) -> tuple[float | None, float | None]:
    """The range seen, widened by its width to both sides and rounded outward; zero stays a border.

    None for a column that never had a value.
    """
    if values.null_count() == len(values):
        return None, None
    low, high = float(str(values.min())), float(str(values.max()))
    width = high - low or abs(high) or 1.0
    wide_low, wide_high = low - width, high + width
    wide_low = max(wide_low, 0.0) if low >= 0 else wide_low
    wide_high = min(wide_high, 0.0) if high <= 0 else wide_high
    return _outward(wide_low, -1), _outward(wide_high, 1)


def _outward(value: float, direction: int) -> float:
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    rounded = math.ceil(value / step) if direction > 0 else math.floor(value / step)
    return float(f"{rounded * step:.12g}")


def closed(column: Column, values: pl.Series) -> list[str] | None:
    """The list of values, when there are few and each is seen often, in both halves of the file."""
    often = all(n >= STEADY for _, n in column.top)
    if column.type != "category" or column.distinct > FEW or not often:
        return None
    half = len(values) // 2
    halves = [set(values[:half].drop_nulls()), set(values[half:].drop_nulls())]
    texts = sorted(text for text, _ in column.top)
    return texts if all(set(texts) == seen for seen in halves) else None


def quoted(text: str) -> str:
    """Write a text so that YAML reads exactly it."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and len(text) < 60:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _number(value: float | None) -> str:
    if value is None:
        return "null"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def comment(text: str) -> str:
    """One line of a comment: what was read may hold anything."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= 140 else line[:137] + "..."
