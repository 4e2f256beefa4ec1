"""What the footer of a Parquet file knows already: no data is read for it."""

import logging
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow.parquet as pq

from trimtab.validation.plan import ROWS, Kind, high, low, null

log = logging.getLogger(__name__)


def read(location: str, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Return rows, missing values, minima and maxima as far as the footer tells them exactly."""
    if "://" in location:
        return {}  # asking a far footer twice costs more than the scan saves
    meta = pq.read_metadata(location)
    known: dict[str, Any] = {ROWS: meta.num_rows}
    for i, name in enumerate(meta.schema.names):
        if kinds.get(name, "other") != "other" and meta.num_row_groups:
            groups = [meta.row_group(g).column(i).statistics for g in range(meta.num_row_groups)]
            known.update(_column(name, kinds[name], groups))
    return known


def _column(name: str, kind: Kind, groups: list[Any]) -> Iterator[tuple[str, Any]]:
    if not all(group is not None and group.has_null_count for group in groups):
        return
    if kind != "float":  # NaN is missing to Great Expectations, and no null to Parquet
        yield null(name), sum(group.null_count for group in groups)
    # a text's bounds may have been cut short; an empty group has none
    full = [group for group in groups if group.num_values]
    if kind not in ("int", "float", "time") or not all(group.has_min_max for group in full):
        return
    ends = [(group.min, group.max) for group in full]
    if ends and not any(_unusable(value) for pair in ends for value in pair):
        yield low(name), min(least for least, _ in ends)
        yield high(name), max(most for _, most in ends)


def _unusable(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
