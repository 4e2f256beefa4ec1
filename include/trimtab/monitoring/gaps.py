"""Whether groups lie farther apart than they may, beyond chance. Pure numbers, no rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.watch import Finding


@dataclass(frozen=True)
class Rate:
    """One rate of the judged groups: as it is, (K,), and in every resample, (B, K)."""

    name: str  # in words
    value: Any
    draws: Any


@dataclass(frozen=True)
class Asked:
    """What is asked of one measure of one protected column."""

    column: str
    measure: str
    limit: float | None
    before: float | None = None  # the gap at the gate
    before_rows: int = 0


def finding(
    asked: Asked,
    rates: Sequence[tuple[Rate, Sequence[str]]],
    *,
    rows: int,
    clusters: int,
    interval: tuple[float, float] | None,
    skipped: Mapping[str, int],
    looks: int = 1,
) -> Finding:
    """Judge one measure: no limit, no alarm; the gap is shown.

    Args:
        asked: column, measure and limit.
        rates: each rate with the labels of its groups.
        rows: judged rows.
        clusters: of which the resamples are drawn: days, hours or rows.
        interval: of the widest gap.
        skipped: groups too small to judge, with their rows.
        looks: how often the window is looked at as labels come; the chance answers for all.
    """
    there = [(rate, labels) for rate, labels in rates if len(rate.value) > 1]
    told: dict[str, Any] = {
        "signal": "fairness",
        "column": asked.column,
        "statistic": asked.measure,
        "expected": asked.before,
        "threshold": asked.limit,
        "reference_rows": asked.before_rows,
        "current_rows": rows,
    }
    small = f"; too small to judge: {_listed(skipped)}" if skipped else ""
    if not there:
        return Finding(**told, status="not_enough_data", note=f"fewer than two groups{small}")
    rate, labels = max(there, key=lambda each: float(np.ptp(each[0].value)))
    high, low = int(np.argmax(rate.value)), int(np.argmin(rate.value))
    note = (
        f"{rate.name}: {labels[high]} {rate.value[high]:.3g}, {labels[low]} {rate.value[low]:.3g}"
    )
    return Finding(
        **told,
        value=float(np.ptp(rate.value)),
        interval=interval if interval and np.isfinite(interval).all() else None,
        p_value=None
        if asked.limit is None
        else min(1.0, looks * chance(there, asked.limit, clusters)),
        status="ok",
        note=note + ("" if asked.limit is not None else "; no limit in gate.fairness") + small,
    )


def chance(rates: Sequence[tuple[Rate, Sequence[str]]], limit: float, clusters: int) -> float:
    """Chance of gaps as wide when no two groups are farther apart than ``limit``.

    Student's t of the pair that is farthest beyond the limit, by the bootstrap's error, times the
    number of pairs and rates (Bonferroni): it errs to the quiet side.
    """
    from scipy.stats import t

    best, pairs = -np.inf, 0
    for rate, _ in rates:
        apart = np.abs(np.subtract.outer(rate.value, rate.value))
        off = np.where(np.isfinite(rate.draws), rate.draws, rate.value)
        error = np.stack([(each[:, None] - off).std(axis=0, ddof=1) for each in off.T])
        beyond = np.where(apart > limit, np.inf, -np.inf)
        score = np.divide(apart - limit, error, out=beyond, where=error > 0)
        up = np.triu_indices(len(rate.value), 1)
        best, pairs = max(best, float(score[up].max())), pairs + len(up[0])
    return float(min(1.0, pairs * t.sf(best, max(clusters - 1, 1))))


def _listed(skipped: Mapping[str, int]) -> str:
    names = [f"{name} ({rows:,} rows)" for name, rows in list(skipped.items())[:5]]
    more = f" and {len(skipped) - 5} more" if len(skipped) > 5 else ""
    return ", ".join(names) + more
