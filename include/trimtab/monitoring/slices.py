"""Parts of the rows, cut as the reference was cut, and the most moved column of each."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import polars as pl

from trimtab.config.monitor import Monitor
from trimtab.monitoring import detect
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.distance import Expected
from trimtab.monitoring.profile import ColumnProfile
from trimtab.monitoring.runs import Blocks
from trimtab.types import Measure, Record

MISSING = "(missing)"
VALUES = 20  # a column of numbers with more values than this is cut into quarters
MOST = 12  # largest parts of one column that are watched


class Cut(Record):
    """How a column falls into parts: numbers by the reference's quarters, all else by value."""

    column: str
    edges: tuple[float, ...] = ()

    def of(self, values: pl.Series) -> pl.Series:
        """Name the part each row is in."""
        if self.edges:
            ends = [f"{edge:.4g}" for edge in self.edges]
            between = [f"{low} to {high}" for low, high in pairwise(ends)]
            names = [f"up to {ends[0]}", *between, f"above {ends[-1]}"]
            place = pl.Series(self.edges).search_sorted(values.cast(pl.Float64))
            named = pl.Series(names).gather(place)
            return named.set(values.is_null(), MISSING)
        return values.cast(pl.String).fill_null(MISSING)


class Part(Record):
    """One part of the reference: its training rows in counts, its hold-out rows in one metric."""

    column: str
    value: str
    rows: int
    columns: dict[str, ColumnProfile] = {}
    blocks: Blocks | None = None  # of the training rows, for what chance alone does
    metric: Measure | None = None  # of its hold-out rows; None: too few, or it does not exist
    interval: tuple[Measure, Measure] | None = None
    judged: int = 0  # hold-out rows

    @property
    def name(self) -> str:
        """As findings name it."""
        return f"{self.column}={self.value}"


class Parts(Record):
    """Every part of a version's reference that is watched."""

    asked: tuple[str, ...]  # columns of the model file
    cuts: tuple[Cut, ...]  # of those the reference's rows have
    parts: tuple[Part, ...]


def cut(column: str, values: pl.Series) -> Cut:
    """Fix how a column is cut from the reference's rows."""
    if not values.dtype.is_numeric() or values.drop_nulls().n_unique() <= VALUES:
        return Cut(column=column)
    quarters = [values.quantile(share, "lower") for share in (0.25, 0.5, 0.75)]
    return Cut(column=column, edges=tuple(sorted({float(q) for q in quarters if q is not None})))


def largest(names: pl.Series, least: int) -> list[str]:
    """The largest parts with at least ``least`` rows."""
    counts = names.value_counts().sort(["count", names.name], descending=[True, False])
    return counts.filter(pl.col("count") >= least)[names.name].to_list()[:MOST]


def most_moved(
    part: Part,
    current: Mapping[str, ColumnProfile],
    settings: Monitor,
    nulls: Mapping[str, Expected] | None = None,
) -> Comparison:
    """Compare the columns of one part; it counts as one test, of the column that moved most.

    Its chance is the smallest of the columns times their number (Bonferroni), so that parts do not
    take the power away from the columns as a whole.
    """
    found = detect.compare(part.columns, current, settings, nulls=nulls)
    judged = [c for c in found if c.finding.p_value is not None]
    if not judged:
        return _unjudged(part, found)
    most = min(judged, key=lambda c: (c.finding.p_value or 0.0, -(c.finding.value or 0.0)))
    chance = min(1.0, (most.finding.p_value or 0.0) * len(judged))
    told = most.finding.model_copy(update={"slice": part.name, "p_value": chance})
    return Comparison(told, most.reference, most.current, most.distance)


def _unjudged(part: Part, found: Sequence[Comparison]) -> Comparison:
    few = next((c for c in found if c.finding.status == "not_enough_data"), None)
    first = few or next(iter(found))
    return Comparison(first.finding.model_copy(update={"slice": part.name}))
