"""Slices: a bad one is named, chance among many is not, and nobody is judged on too little."""

import math

import numpy as np
import pytest

from trimtab.evaluation import slice_rules
from trimtab.evaluation.bootstrap import Interval
from trimtab.evaluation.slices import Slice, Sliced

SURE = 0.95


def part(metric: float, change: float, error: float, name: str = "north") -> Slice:
    around = Interval(metric - 2 * error, metric, metric + 2 * error, error)
    apart = Interval(change - 2 * error, change, change + 2 * error, error)
    return Slice("shop", name, 500, metric, around, metric - change, apart)


def sliced(*parts: Slice) -> Sliced:
    return Sliced(parts, 2, 90, clusters=1000)


def test_holm_is_that_of_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    values = np.random.default_rng(1).random(40) ** 4
    assert slice_rules.holm(values.tolist()) == pytest.approx(
        multipletests(values, method="holm")[1]
    )
    assert slice_rules.holm([]) == []


def regressed(*parts: Slice) -> bool:
    return not slice_rules.regressions("roc_auc", sliced(*parts), 0.05, 1, SURE).passed


def test_a_slice_must_be_worse_beyond_chance_and_by_more_than_allowed() -> None:
    assert not regressed(part(0.7, -0.06, 0.05))  # may be chance
    assert not regressed(part(0.7, -0.04, 0.01))  # less than allowed
    assert regressed(part(0.7, -0.08, 0.02))


def test_what_one_slice_proves_one_of_forty_does_not() -> None:
    good = [part(0.7, 0.0, 0.04, str(i)) for i in range(39)]
    doubtful, bad = part(0.7, -0.08, 0.04), part(0.7, -0.2, 0.04)
    assert regressed(doubtful)
    assert not regressed(doubtful, *good)
    assert regressed(bad, *good)


def test_false_alarms_among_forty_equal_slices_stay_below_five_percent() -> None:
    rng, naive, alarms = np.random.default_rng(3), 0, 0
    for _ in range(400):
        found = [part(0.7, float(z), 0.06) for z in rng.normal(0, 0.06, 40)]
        alarms += regressed(*found)
        naive += any(p.difference.high < 0 and p.difference.estimate < -0.05 for p in found)  # type: ignore[union-attr]
    assert alarms / 400 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 400)
    assert naive / 400 > 0.5  # each slice by itself: what adjusting prevents


def test_floor_of_a_slice() -> None:
    def floors(*parts: Slice) -> str:
        rule = slice_rules.floors("roc_auc", sliced(*parts), 0.6, SURE)
        return "" if rule.passed else rule.reason

    assert not floors(part(0.6, 0, 0.0))
    assert "shop = north (500 rows) 0.59" in floors(part(0.59, 0, 0.0))
    assert not floors(part(0.59, 0, 0.02))
    assert not floors()


def test_an_error_that_is_not_there_never_passes_what_looks_bad() -> None:
    assert regressed(part(0.7, -0.08, math.nan))
