"""Compare a file with the accepted files before it: how many rows, and where their middle lies."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.config.limits import History
from trimtab.data import quarantine
from trimtab.data.reasons import FileReason
from trimtab.types import FileVerdict

_MEDIAN = "median "
REMEMBERED = 50  # newest files that are compared with: the usual may change slowly


def expressions(spec: DatasetSpec) -> list[pl.Expr]:
    """What to compute about the good rows; nothing unless the contract asks."""
    if spec.history is None:
        return []
    numbers = [name for name, column in spec.columns.items() if column.type in ("int", "float")]
    return [pl.col(name).median().alias(_MEDIAN + name) for name in numbers if name not in spec.key]


def medians(seen: Mapping[str, Any]) -> dict[str, float]:
    """The medians among computed values, by column; a column without a value has none."""
    return {
        name.removeprefix(_MEDIAN): float(value)
        for name, value in seen.items()
        if name.startswith(_MEDIAN) and value is not None
    }


def measure(rows: pl.LazyFrame, spec: DatasetSpec) -> dict[str, float]:
    """Median of every number of the good rows, for the files to come (``FileVerdict.medians``)."""
    asked = expressions(spec)
    if not asked:
        return {}
    return medians(rows.select(asked).collect(engine="streaming").row(0, named=True))


def problems(
    count: int, found: Mapping[str, float], limits: History, earlier: Sequence[FileVerdict]
) -> Iterator[tuple[FileReason, str]]:
    """Yield how the file differs from the accepted ones before it, once there are enough."""
    whole = [file for file in earlier if not file.name.startswith(quarantine.RELEASED)]
    known = [file for file in whole if file.verdict == "accepted"][-REMEMBERED:]
    if len(known) < limits.min_files:
        return
    yield from _volume(count, limits, [file.rows_accepted for file in known])
    shifted = [
        told
        for name, median in found.items()
        if (
            told := _shift(
                name, median, limits, [f.medians[name] for f in known if name in f.medians]
            )
        )
    ]
    if shifted:
        fix = "look for a changed unit, or raise history.max_shift"
        yield FileReason.DISTRIBUTION_SHIFT, f"{'; '.join(shifted)}; {fix}"


def _volume(count: int, limits: History, sizes: Sequence[int]) -> Iterator[tuple[FileReason, str]]:
    usual = statistics.median(sizes)
    if usual / limits.max_volume <= count <= usual * limits.max_volume:
        return
    told = f"{count} good rows, usual are {usual:g} (median of {len(sizes)} files)"
    limit = f"history.max_volume is a factor of {limits.max_volume:g}"
    fix = "deliver the whole file once, or raise the limit"
    yield FileReason.VOLUME_ANOMALY, f"{told}; {limit}; {fix}"


def _shift(name: str, median: float, limits: History, before: Sequence[float]) -> str | None:
    """Tell a change by a factor beyond all earlier medians.

    A changed unit multiplies. It leaves zero where it is, so a zero on either side says nothing.
    """
    sizes = sorted(abs(value) for value in before)
    if len(sizes) < limits.min_files or not median or not sizes[0]:
        return None
    low, high = sizes[0] / limits.max_shift, sizes[-1] * limits.max_shift
    if low <= abs(median) <= high:
        return None
    told = f"the median of {name} is {median:g}, it was {min(before):g} to {max(before):g}"
    return f"{told} in {len(before)} files; history.max_shift is a factor of {limits.max_shift:g}"
