"""What gaps, ranges, values and repeated rows were usual, as counts per block of the reference."""

from collections.abc import Mapping, Sequence

import polars as pl

from trimtab.monitoring import turnover
from trimtab.monitoring.profile import Kind, as_counted, unreadable
from trimtab.monitoring.turnover import Turnover
from trimtab.types import Record

BLOCKS = 400  # runs of neighbouring rows; joined to runs of a window's size when it is judged
MOST_VALUES = 5_000  # different values of a category that are remembered
REPEATS_OF = 200_000  # newest rows in which repetitions are counted
RUNS = 20  # of each size, in which they are counted
_STEADY, _FEW_BLOCKS = 0.8, 10
_BLOCK, _HASH = "_block", "_hash"


class ColumnWholeness(Record):
    """One column of the reference. ``missing`` and ``infinite`` count, per block.

    ``values`` is None where there are none to list: a number, or a category of too many values.
    """

    kind: Kind
    missing: tuple[int, ...]
    infinite: tuple[int, ...] = ()
    low: float | None = None  # of the finite values; None: its range says nothing
    high: float | None = None
    values: tuple[str, ...] | None = None
    turnover: Turnover | None = None  # of the values


class Wholeness(Record):
    """The reference's blocks: in the order of time, or of the rows where there is none.

    ``repeats`` maps a number of neighbouring rows to how many of them repeat another one, for
    some such runs.
    """

    rows: tuple[int, ...]  # of each block
    columns: dict[str, ColumnWholeness]
    identity: tuple[str, ...]  # columns in which a repeated row is equal to another
    repeats: dict[int, tuple[int, ...]] = {}


class Seen(Record):
    """The counts of one window."""

    rows: int
    missing: dict[str, int] = {}
    outside: dict[str, int] = {}  # far outside of the reference's range, or infinite
    unseen: dict[str, int] = {}
    examples: dict[str, tuple[str, ...]] = {}  # of values the reference does not have
    repeated: int = 0
    wrong: dict[str, str] = {}  # column -> why it cannot be read


def build(
    frame: pl.DataFrame, kinds: Mapping[str, Kind], *, time: str | None, identity: Sequence[str]
) -> Wholeness:
    """Count what is usual, block by block; ``identity`` is what tells one row from another."""
    ordered = frame.sort(time, maintain_order=True) if time else frame
    size = max(-(-ordered.height // BLOCKS), 1)
    blocks = ordered.with_columns((pl.int_range(pl.len()) // size).alias(_BLOCK))
    present = {name: kind for name, kind in kinds.items() if name in frame.columns}
    missing = [as_counted(name, kind).is_null().sum().alias(name) for name, kind in present.items()]
    counted = blocks.group_by(_BLOCK).agg(pl.len().alias(_HASH), *missing).sort(_BLOCK)
    there = [name for name in dict.fromkeys(identity) if name in frame.columns]
    return Wholeness(
        rows=tuple(counted[_HASH]),
        columns={
            name: _column(blocks, name, kind, tuple(counted[name]))
            for name, kind in present.items()
        },
        identity=tuple(there),
        repeats=_repeats(ordered, there),
    )


def measure(frame: pl.DataFrame | pl.LazyFrame, usual: Wholeness) -> Seen:
    """Count one window against the reference, in one pass and one more for repeated rows."""
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    wrong = {
        name: why
        for name, column in usual.columns.items()
        if (why := unreadable(column.kind, schema.get(name)))
    }
    read = {name: column for name, column in usual.columns.items() if name not in wrong}
    wanted = [pl.len().alias("rows")]
    for name, column in read.items():
        wanted += [e.alias(f"{part}\n{name}") for part, e in _counts(name, column).items()]
    row = lazy.select(wanted).collect(engine="streaming").row(0, named=True)
    parts: dict[str, dict[str, int]] = {"missing": {}, "outside": {}, "unseen": {}}
    for key, found in row.items():
        part, _, name = key.partition("\n")
        if name:
            parts[part][name] = found or 0
    return Seen(
        rows=row["rows"],
        **parts,
        examples={n: _examples(lazy, n, read[n]) for n, k in parts["unseen"].items() if k},
        repeated=_repeated(lazy, usual.identity, schema),
        wrong=wrong,
    )


def _column(
    blocks: pl.DataFrame, name: str, kind: Kind, missing: tuple[int, ...]
) -> ColumnWholeness:
    plain = ColumnWholeness(kind=kind, missing=missing)
    if kind == "numeric":
        there = blocks.select(_BLOCK, as_counted(name, kind).alias(name))
        finite = there[name].filter(there[name].is_finite())
        ends = {"low": finite.min(), "high": finite.max()}
        if ends["low"] == ends["high"] or _moves_on(there, name):
            return plain
        per_block = there.group_by(_BLOCK).agg(pl.col(name).is_infinite().sum()).sort(_BLOCK)
        return plain.model_copy(update={**ends, "infinite": tuple(per_block[name])})
    if kind == "hour":
        return plain
    counts = blocks.select(_BLOCK, as_counted(name, kind).alias(name)).drop_nulls()
    values = tuple(counts[name].unique().sort())
    if len(values) > MOST_VALUES:
        return plain
    came = turnover.build(counts[_BLOCK], counts[name], values, len(missing)) if values else None
    return plain.model_copy(update={"values": values, "turnover": came})


def _moves_on(there: pl.DataFrame, name: str) -> bool:
    """Whether its mean rises or falls from block to block, as a calendar or a counter does.

    By Spearman's rank correlation. Such a column leaves its old range without any fault.
    """
    means = there.group_by(_BLOCK).agg(pl.col(name).mean()).drop_nulls().sort(_BLOCK)
    if means.height < _FEW_BLOCKS:
        return False
    order = means.select(pl.corr(_BLOCK, name, method="spearman")).item()
    return order is not None and abs(order) > _STEADY


def _counts(name: str, column: ColumnWholeness) -> dict[str, pl.Expr]:
    seen = as_counted(name, column.kind)
    found = {"missing": seen.is_null().sum()}
    if column.low is not None and column.high is not None:
        room = column.high - column.low  # its own width on either side: seasons and trends pass
        inside = seen.is_between(column.low - room, column.high + room)
        found["outside"] = (~inside).sum()
    if column.values is not None:
        found["unseen"] = (~seen.is_in(list(column.values))).sum()
    return found


def _examples(lazy: pl.LazyFrame, name: str, column: ColumnWholeness) -> tuple[str, ...]:
    new = lazy.select(as_counted(name, column.kind)).filter(
        ~pl.col(name).is_in(column.values or ())
    )
    return tuple(new.unique().sort(name).head(3).collect()[name])


def _repeated(lazy: pl.LazyFrame, identity: Sequence[str], schema: pl.Schema) -> int:
    there = [name for name in identity if name in schema]
    if not there:
        return 0
    rows = pl.struct(there).hash()
    return int(lazy.select(pl.len() - rows.n_unique()).collect(engine="streaming").item())


def _repeats(ordered: pl.DataFrame, identity: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """Count the repeated rows of runs of 64, 128, 256, ... rows."""
    if not identity or not ordered.height:
        return {}
    rows = ordered.tail(REPEATS_OF).select(pl.struct(identity).hash()).to_series()
    found, size = {}, 64
    while size <= rows.len():
        starts = range(0, rows.len() - size + 1, size)
        runs = [rows.slice(start, size) for start in starts[:: max(len(starts) // RUNS, 1)]]
        found[size] = tuple(size - run.n_unique() for run in runs)
        size *= 2
    return found
