"""What a column is, judged by the texts in it: the type it can be cast to, and what it holds."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import polars as pl

from trimtab.config.dataset import ColumnType

# Texts that mean 'no value' wherever they stand, and texts that do so only where the other
# values are numbers, times or booleans: NA is also Namibia, None also an answer.
ALWAYS_NULL = ("", "null", "NULL", "Null", "NaN", "nan", "N/A", "n/a", "#N/A", "?")
PERHAPS_NULL = ("NA", "na", "None", "none", "-", "--", ".", "missing", "unknown", "Unknown")
FITS = 0.98  # share of the values that must fit a type; the others are problem rows
EXACT = 2**53  # larger numbers are identifiers: a float cannot hold them
CATEGORIES, SHARE = 1_000, 0.05  # a category has at most so many values, or so few per row
FEW = 20  # of so few different values it is a category anyway, and its list may be closed

_INT = r"\A[+-]?[0-9]+\z"
_FLOAT = r"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z"
_PADDED = r"\A[+-]?0[0-9]"
_DAY = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}"
_NAIVE = _DAY + r"([T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]+)?)?)?\z"
_ZONED = _DAY + r"[T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)\z"
_FORMULA = r"\A(?:[=@]|[+-][A-Za-z(])"  # what a spreadsheet would run
_BOOLEANS = ({"true", "false"}, {"yes", "no"})


@dataclass(frozen=True)
class Column:
    """A column and its values as text. Counts are rows."""

    name: str
    type: ColumnType
    rows: int
    missing: int
    distinct: int
    markers: dict[str, int] = field(default_factory=dict)  # texts read as 'no value'
    odd: dict[str, int] = field(default_factory=dict)  # texts that do not fit the type
    odd_count: int = 0
    top: tuple[tuple[str, int], ...] = ()  # most frequent values
    formulas: int = 0
    naive_time: bool = False  # looks like a time, but says no zone
    padded: bool = False  # digits with leading zeros, or too many of them: an identifier

    @property
    def numeric(self) -> bool:
        """Whether it can be binned."""
        return self.type in ("int", "float")

    @property
    def constant(self) -> bool:
        """Whether there is nothing to learn from it."""
        return self.distinct <= 1


def inspect(
    name: str, cells: pl.Series, nulls: Collection[str] = (), known: ColumnType | None = None
) -> Column:
    """Judge one column by its different texts, each counted once.

    ``nulls`` are texts that other columns of the file mean 'no value' by; a source has one list.
    ``known`` is the type when the file itself says it; texts then mean nothing else.
    """
    counts = cells.alias("text").value_counts(name="n")
    gone = int(counts.filter(pl.col("text").is_null())["n"].sum())
    counts = counts.drop_nulls("text")
    blank = pl.col("text").is_in([*ALWAYS_NULL, *nulls]) | (pl.col("text").str.strip_chars() == "")
    kind, there, markers = (known, counts, {}) if known else _kind(counts, blank)
    fits = _fitting(there, kind)
    odd = there.filter(~fits) if kind in _PATTERNS else there.clear()
    good = there.filter(fits) if kind in _PATTERNS else there
    naive = kind == "text" and _share(good, _NAIVE) >= FITS
    padded = kind == "text" and not naive and _share(good, _INT) >= FITS
    if kind == "text" and not naive and is_category(good.height, int(good["n"].sum())):
        kind = "category"
    texts = kind in ("text", "category")
    risky = good.filter(pl.col("text").str.contains(_FORMULA)) if texts else good.clear()
    return Column(
        name=name,
        type=kind,
        rows=len(cells),
        missing=gone + sum(markers.values()),
        distinct=good.height,
        markers=markers,
        odd=dict(_top(odd, 5)),
        odd_count=int(odd["n"].sum()),
        top=tuple(_top(good, FEW)),
        formulas=int(risky["n"].sum()),
        naive_time=naive,
        padded=padded,
    )


def _top(counts: pl.DataFrame, most: int) -> list[tuple[str, int]]:
    """Return the most frequent texts; of equally frequent ones the first by alphabet.

    A sort of all of them would cost more than everything else: identifiers are as many as rows.
    """
    if counts.height > most:
        least = counts["n"].top_k(most).min()
        more = counts.filter(pl.col("n") > least)
        equal = counts.filter(pl.col("n") == least)
        counts = pl.concat([more, equal.bottom_k(most - more.height, by="text")])
    return list(counts.sort("n", "text", descending=[True, False]).iter_rows())


def _kind(counts: pl.DataFrame, blank: pl.Expr) -> tuple[ColumnType, pl.DataFrame, dict[str, int]]:
    """Return the type, the texts that are values, and those that mean none."""
    perhaps = pl.col("text").is_in(PERHAPS_NULL)
    typed = _typed(counts.filter(~blank & ~perhaps))
    null = blank if typed is None else blank | perhaps
    markers = {str(text): int(n) for text, n in counts.filter(null).iter_rows()}
    return typed or "text", counts.filter(~null), markers


def _typed(values: pl.DataFrame) -> ColumnType | None:
    if values.is_empty():
        return None
    words = set(values["text"].head(5).str.to_lowercase()) if values.height <= 4 else set()
    if words and any(words <= pair for pair in _BOOLEANS):
        return "bool"
    if _share(values.head(200), _FLOAT) >= 0.5 and _share(values, _FLOAT) >= FITS:
        return _number(values)
    return "time" if _share(values.head(200), _ZONED) >= FITS <= _share(values, _ZONED) else None


def _number(values: pl.DataFrame) -> ColumnType | None:
    whole = values.filter(pl.col("text").str.contains(_FLOAT))
    if _share(whole, _INT) < 1:
        return "float"
    padded = whole["text"].str.contains(_PADDED).any()
    largest = whole["text"].cast(pl.Float64, strict=False).abs().max()
    return None if padded or float(str(largest)) >= EXACT else "int"


_PATTERNS = {"int": _INT, "float": _FLOAT, "time": _ZONED, "bool": r"(?i)\A(true|false|yes|no)\z"}


def _fitting(values: pl.DataFrame, kind: ColumnType) -> pl.Series:
    pattern = _PATTERNS.get(kind)
    if pattern is None:
        return pl.repeat(value=True, n=values.height, eager=True)
    fits = values["text"].str.contains(pattern)
    if kind == "float":
        fits = fits & values["text"].cast(pl.Float64, strict=False).is_finite().fill_null(False)
    return fits


def _share(values: pl.DataFrame, pattern: str) -> float:
    rows = int(values["n"].sum())
    return int(values.filter(pl.col("text").str.contains(pattern))["n"].sum()) / rows if rows else 0


def is_category(distinct: int, rows: int) -> bool:
    """Whether so few different texts, of so many, name a kind of thing."""
    few = distinct <= FEW and distinct <= max(2, 0.5 * rows)
    return rows > 0 and (few or (distinct <= CATEGORIES and distinct <= SHARE * rows))


def typed(rows: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """Return the rows in the inferred types; what does not fit, or means no value, is null."""
    nulls = sorted({text for column in columns for text in column.markers})
    return rows.select(_cast(column, nulls) for column in columns)


def _cast(column: Column, nulls: list[str]) -> pl.Expr:
    mine = [text for text in nulls if text in column.markers]
    text = pl.col(column.name)
    text = pl.when(~text.is_in(mine)).then(text) if mine else text
    match column.type:
        case "int":
            value = text.cast(pl.Int64, strict=False)
        case "float":
            number = text.cast(pl.Float64, strict=False)
            value = pl.when(number.is_finite()).then(number)
        case "bool":
            lower = text.str.to_lowercase()
            value = pl.when(lower.is_in(["true", "yes"])).then(True)
            value = value.when(lower.is_in(["false", "no"])).then(False)
        case "time":
            value = moment(text, "UTC")
        case _:
            value = moment(text, "UTC") if column.naive_time else text
    return value.alias(column.name)


def moment(text: pl.Expr, zone: str) -> pl.Expr:
    """Parse ISO 8601; a time without a zone is taken to be in ``zone``."""
    one = text.str.replace(" ", "T", literal=True).str.replace("Z$", "+00:00")
    one = one.str.replace(r"T([0-9]{2}:[0-9]{2})([+-]|$)", "T${1}:00${2}")
    one = one.str.replace(_DAY + r"\z", "${0}T00:00:00")
    offset = pl.when(one.str.contains(r"T.*[+-][0-9:]+$")).then(one).otherwise(one + "+00:00")
    value = offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us")
    return value.dt.convert_time_zone(zone)


def slug(text: str) -> str:
    """Return a name a configuration file may have: lower case, digits and _."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (name if name[:1].isalpha() else f"d_{name}").strip("_")[:40].strip("_")
