"""How far two sets of counts in the same bins are apart, and how far chance alone puts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from trimtab.monitoring.profile import ColumnProfile

PSEUDO_COUNT = 0.5


@dataclass(frozen=True)
class Distance:
    """``floor`` is the population stability index to expect when nothing has changed."""

    psi: float
    jensen_shannon: float
    floor: float
    p_value: float = 1.0


class Expected(Protocol):
    """What the distance is when nothing has changed."""

    @property
    def mean(self) -> float:
        """Its mean."""

    def p_value(self, psi: float, /) -> float:
        """Return the chance of one at least as large."""


def distance(
    reference: ColumnProfile, current: ColumnProfile, expected: Expected | None = None
) -> Distance:
    """Compare two profiles of one column; rows without a value are a bin like any other.

    Without what is ``expected``, rows are taken as independent.
    """
    before, after = (*reference.counts, reference.nulls), (*current.counts, current.nulls)
    used = [(b, a) for b, a in zip(before, after, strict=True) if b or a]
    left, right = [b for b, _ in used], [a for _, a in used]
    found = psi(left, right)
    if expected:
        floor, chance = expected.mean, expected.p_value(found)
    else:
        floor = noise_floor(len(used), reference.rows, current.rows)
        chance = p_value(found, len(used), reference.rows, current.rows)
    return Distance(found, jensen_shannon(left, right), floor, chance)


def psi(reference: Sequence[int], current: Sequence[int]) -> float:
    """Population stability index: ``sum((q - p) * ln(q / p))`` over the bins.

    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 7. Half a row is added to every bin
    (Krichevsky and Trofimov 1981), so that an empty bin is rare rather than impossible.
    """
    return float(psi_each(reference, current))


def psi_each(references: Any, currents: Any) -> Any:
    """Return the population stability index of every pair of rows of two tables of counts."""
    return psi_bins(references, currents).sum(axis=-1)


def psi_bins(references: Any, currents: Any) -> Any:
    """Return what every bin adds to the population stability index."""
    p, q = _shares(references), _shares(currents)
    return (q - p) * np.log(q / p)


def jensen_shannon(reference: Sequence[int], current: Sequence[int]) -> float:
    """Jensen-Shannon distance in bits, 0 to 1 (Lin 1991; the root is a metric), smoothed alike."""
    p, q = _shares(reference), _shares(current)
    middle = (p + q) / 2
    divergence = np.sum(p * np.log2(p / middle) + q * np.log2(q / middle)) / 2
    return float(np.sqrt(max(divergence, 0.0)))


def noise_floor(bins: int, reference_rows: int, current_rows: int) -> float:
    """Expected PSI of two samples of one distribution: ``(bins - 1) * (1/n + 1/m)``.

    Source: Yurdakul and Naranjo, Statistical properties of the population stability index,
    Journal of Risk Model Validation 14 (2020): PSI is about ``(1/n + 1/m)`` times a chi-square
    with ``bins - 1`` degrees of freedom.
    """
    if not reference_rows or not current_rows:
        return float("inf")
    return max(bins - 1, 0) * (1 / reference_rows + 1 / current_rows)


def p_value(psi: float, bins: int, reference_rows: int, current_rows: int) -> float:
    """Chance of a PSI at least as large without a change, for independent rows (same source)."""
    from scipy.stats import chi2

    if bins < 2 or not reference_rows or not current_rows:
        return 1.0
    return float(chi2.sf(psi / (1 / reference_rows + 1 / current_rows), bins - 1))


def _shares(counts: Any) -> Any:
    smoothed = np.asarray(counts, dtype=float) + PSEUDO_COUNT
    return smoothed / smoothed.sum(axis=-1, keepdims=True)
