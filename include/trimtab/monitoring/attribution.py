"""What the answers rest on: each feature's share of the contributions, then and now.

The model is fixed, so this is drift of the data through the model's eyes: a column that moves far
and matters little is silent here, one that matters and moves a little is not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.types import Record
from trimtab.watch import Finding

BLOCKS, WINDOW_BLOCKS = 60, 20  # runs of neighbouring rows, of the reference and of a window
FEW_RUNS = 3  # fewer runs of a window's length than this do not tell how much they vary
LIMIT = 0.1  # least change of a share that matters
NDCG = 0.9  # Amazon SageMaker's own limit


class Basis(Record):
    """Absolute contributions of the reference's sampled rows, by runs of neighbouring rows."""

    features: tuple[str, ...]
    rows: tuple[int, ...]  # of each block
    sums: tuple[tuple[float, ...], ...]  # (blocks, features)
    noise: tuple[float, ...]  # deviation of a row from its share of the row's total, in a block
    seconds: float | None = None  # between the oldest and the newest row
    method: str

    @property
    def shares(self) -> Any:
        """Share of each feature in all contributions, (features,)."""
        return _shares(np.asarray(self.sums).sum(axis=0))


def basis(
    values: Any,
    features: Sequence[str],
    *,
    seconds: float | None,
    method: str,
    blocks: int = BLOCKS,
) -> Basis:
    """Sum up absolute contributions, (n, features), of rows in the order of their time."""
    cut = _blocks(len(values), blocks)
    sums = _by_block(values, cut)
    off = values - _shares(sums.sum(axis=0)) * values.sum(axis=1, keepdims=True)
    counts = np.bincount(cut)
    inner = off - (_by_block(off, cut) / counts[:, None])[cut]
    noise = np.sqrt((inner**2).sum(axis=0) / max(len(values) - len(counts), 1))
    return Basis(
        features=tuple(features),
        rows=tuple(counts.tolist()),
        sums=tuple(tuple(row) for row in sums.tolist()),
        noise=tuple(noise.tolist()),
        seconds=seconds,
        method=method,
    )


def compare(
    before: Basis,
    values: Any,
    *,
    seconds: float | None,
    top: Sequence[str],
    min_rows: int,
    limit: float = LIMIT,
) -> list[Finding]:
    """Compare the shares of the ``top`` features, and the order of all of them.

    Args:
        before: of the version's reference.
        values: absolute contributions of the window's sampled rows, in the order of their time.
        seconds: what the window spans; None of rows without a time.
        top: features that may alarm.
        min_rows: sampled rows wanted.
        limit: least change of a share that matters.
    """
    rows = len(values)
    if rows < min_rows or not values.sum():
        why = f"{rows:,} rows explained, {min_rows:,} wanted" if rows < min_rows else "all are zero"
        status = "not_enough_data" if rows < min_rows else "not_computable"
        return [Finding(signal="attribution", statistic="ndcg", status=status, note=why)]
    now, then = _shares(values.sum(axis=0)), before.shares
    chances = _chances(before, values, now - then, seconds)
    found = [
        _share(before, name, float(then[i]), float(now[i]), float(chances[i]), rows, limit)
        for i, name in enumerate(before.features)
        if name in top
    ]
    sizes = {"reference_rows": sum(before.rows), "current_rows": rows}
    first = min((f.p_value or 0.0 for f in found), default=1.0)
    order = Finding(
        signal="attribution",
        statistic="ndcg",
        value=ndcg(then, now),
        expected=1.0,
        threshold=NDCG,
        beyond="below",
        p_value=min(1.0, first * len(found)),
        status="ok",
        note=f"order of the features by what they contribute ({before.method})",
        **sizes,
    )
    return [order, *found]


def ndcg(then: Any, now: Any) -> float:
    """Agreement of two orders of the features, 1 when they are the same.

    Normalised discounted cumulative gain of the reference's contributions in the order of the
    window's, as Amazon SageMaker computes it (Developer Guide, "Feature attribution drift for
    models in production"; Jarvelin and Kekalainen 2002).
    """
    discount = np.log2(np.arange(len(then)) + 2)
    gain = (then[np.argsort(-now, kind="stable")] / discount).sum()
    return float(gain / (np.sort(then)[::-1] / discount).sum())


@dataclass(frozen=True)
class _Runs:
    """Runs of the reference's blocks as long as the window: how many, and how much they vary."""

    independent: int
    between: Any  # variance that sampling of rows does not explain, (features,)


def _share(
    before: Basis, name: str, then: float, now: float, chance: float, rows: int, limit: float
) -> Finding:
    more = now >= then
    return Finding(
        signal="attribution",
        column=name,
        statistic="share",
        value=now,
        expected=then,
        threshold=then + limit if more else then - limit,
        beyond="above" if more else "below",
        p_value=chance,
        reference_rows=sum(before.rows),
        current_rows=rows,
        status="ok",
        note=f"{then:.1%} → {now:.1%} of what the answers rest on",
    )


def _chances(before: Basis, values: Any, change: Any, seconds: float | None) -> Any:
    """Two-sided p-values: Student's t of the change by the error a window has when nothing changed.

    Sampling of rows, and what runs of the reference as long as the window differ by beyond it, so
    that season and autocorrelation count. Of a window too long to find runs of, its own blocks
    say how much it varies.
    """
    from scipy.stats import t

    rows, total = len(values), values.sum() / len(values)
    noise = np.asarray(before.noise) / total
    runs = _runs(before, seconds)
    if runs is None:
        variance, sure = _within(values, before.shares), WINDOW_BLOCKS - 1
        variance = np.maximum(variance, noise**2 / rows) * (1 + rows / sum(before.rows))
    else:
        variance = noise**2 / rows + noise**2 / sum(before.rows)
        variance = variance + runs.between * (1 + 1 / runs.independent)
        sure = runs.independent - 1
    error = np.sqrt(variance)
    score = np.divide(change, error, out=np.zeros_like(change), where=error > 0)
    return np.where(error > 0, 2 * t.sf(np.abs(score), sure), np.where(change == 0, 1.0, 0.0))


def _runs(before: Basis, seconds: float | None) -> _Runs | None:
    blocks = len(before.rows)
    if not seconds or not before.seconds:
        return None
    length = max(1, math.ceil(blocks * seconds / before.seconds))
    if blocks // length < FEW_RUNS:
        return None
    sums, rows = np.asarray(before.sums), np.asarray(before.rows, dtype=float)
    off = sums - before.shares * sums.sum(axis=1, keepdims=True)
    window = np.ones(length)
    means = np.stack([np.convolve(each, window, "valid") for each in off.T], axis=1)
    counts = np.convolve(rows, window, "valid")
    total = sums.sum() / rows.sum()
    seen = (means / counts[:, None] / total).var(axis=0, ddof=1)
    chance = (np.asarray(before.noise) / total) ** 2 / counts.mean()
    return _Runs(blocks // length, np.maximum(seen - chance, 0.0))


def _within(values: Any, shares: Any) -> Any:
    """Variance of the window's shares by its own blocks (means of equal blocks)."""
    cut = _blocks(len(values), WINDOW_BLOCKS)
    off = values - _shares(values.sum(axis=0)) * values.sum(axis=1, keepdims=True)
    means = _by_block(off, cut) / np.bincount(cut)[:, None] / (values.sum() / len(values))
    return means.var(axis=0, ddof=1) / len(means)


def _blocks(rows: int, blocks: int) -> Any:
    return np.arange(rows) * min(blocks, rows) // max(rows, 1)


def _by_block(values: Any, cut: Any) -> Any:
    return np.stack([np.bincount(cut, column) for column in values.T], axis=1)


def _shares(sums: Any) -> Any:
    return sums / sums.sum() if sums.sum() else np.zeros_like(sums)
