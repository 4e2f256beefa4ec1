import numpy as np
import pytest
from tests.unit.monitoring.generated import auc, binary

from trimtab.monitoring import blocks
from trimtab.monitoring.blocks import Spread


def test_jackknife_agrees_with_a_bootstrap_by_day() -> None:
    rows = binary(0, 3000, 30, day_spread=1.0)
    found = blocks.spread(rows.value(auc), rows.blocks)
    draw, names = np.random.default_rng(1), np.unique(rows.blocks)
    values = []
    for _ in range(300):
        days = draw.choice(names, len(names))
        taken = np.concatenate([np.flatnonzero(rows.blocks == day) for day in days])
        values.append(auc(rows.truth[taken], rows.prediction[taken]))
    assert found.error == pytest.approx(float(np.std(values)), rel=0.35)
    assert found.interval is not None
    assert found.interval[0] < found.value < found.interval[1]


def test_days_that_follow_each_other_alike_make_it_less_sure() -> None:
    draw = np.random.default_rng(0)
    steps = draw.normal(size=40)
    alike = np.convolve(draw.normal(size=48), np.ones(9) / 9, "valid")
    assert blocks.serial(steps - steps.mean()) < 2
    assert blocks.serial(alike - alike.mean()) > 3
    assert blocks.serial(alike[:10]) == 1, "ten days cannot tell it from chance"


def test_more_days_than_are_left_out_one_by_one_are_merged() -> None:
    rows = binary(2, 3000, 300)
    assert blocks.spread(rows.value(auc), rows.blocks).freedom == blocks.MAX_BLOCKS - 1


def test_a_window_of_one_day_takes_the_spread_of_the_references_days() -> None:
    before = blocks.spread(binary(0, day_spread=1.0).value(auc), binary(0, day_spread=1.0).blocks)
    day = blocks.spread(binary(1, 100, 1).value(auc), binary(1, 100, 1).blocks)
    assert np.isnan(day.error)
    lent = blocks.borrowed(day, before)
    assert lent.error == pytest.approx(before.error * np.sqrt(30))
    thousand = blocks.spread(binary(1, 1000, 1).value(auc), binary(1, 1000, 1).blocks)
    assert blocks.borrowed(thousand, before).error == pytest.approx(lent.error), "a day is a day"


def test_a_fall_beyond_both_errors_is_unlikely() -> None:
    before, now = Spread(0.80, 0.01, 29), Spread(0.80, 0.01, 14)
    assert blocks.chance_of_fall(now, before) == pytest.approx(0.5)
    assert blocks.chance_of_fall(Spread(0.70, 0.01, 14), before) < 1e-5
    assert blocks.chance_of_fall(Spread(0.70, 0.05, 14), before) > 0.02
    assert blocks.chance_of_fall(Spread(0.90, 0.01, 14), before) > 0.99, "better is no fall"


def test_rows_of_equal_weight_are_worth_themselves() -> None:
    assert blocks.effective(np.ones(50) * 3) == pytest.approx(50)
    assert blocks.effective(np.r_[np.ones(10), np.zeros(90)]) == pytest.approx(10)
    assert blocks.effective(np.zeros(3)) == 0


def test_without_a_time_neighbours_are_blocks() -> None:
    names = blocks.day_or_neighbours(None, 100)
    assert len(np.unique(names)) == 20
    assert sorted(names) == names.tolist(), "their names keep the order"
