"""The same inputs get worse answers: seen. Other inputs: not taken for it."""

import numpy as np
import pytest
from tests.unit.monitoring.generated import absolute, auc, binary, numbers

from trimtab.monitoring import concept, reliability


def test_a_changed_relation_is_seen() -> None:
    seen = concept.compare(binary(1, 1500, 15, flip=0.15), binary(0), auc)
    assert seen.p_value < 1e-3
    assert seen.now.value < seen.before.value - 0.05
    assert abs(seen.harder_inputs) < 0.03, "the inputs are the same"


def test_other_inputs_alone_are_not_taken_for_it() -> None:
    """The model does worse on the rows that come now, as it would have done before."""
    chances = []
    for seed in range(8):
        before, now = binary(seed), binary(100 + seed, 1500, 15, shift=1.0)
        seen = concept.compare(now, before, auc)
        chances.append(seen.p_value)
        fall = auc(before.truth, before.prediction) - auc(now.truth, now.prediction)
        assert abs(seen.harder_inputs - fall) < 0.06
    assert min(chances) > 0.005


def test_a_regression_with_a_bias_is_seen_and_harder_inputs_are_not() -> None:
    before = numbers(0)
    assert concept.compare(numbers(1, bias=1.0), before, absolute).p_value < 1e-3
    harder = concept.compare(numbers(2, shift=0.8), before, absolute)
    assert harder.p_value > 0.01
    assert harder.harder_inputs > 0.2


def test_inputs_never_seen_before_leave_no_row_to_compare() -> None:
    assert concept.compare(binary(1, shift=9.0), binary(0), auc).rows < 100


def test_a_rate_that_rises_is_a_matter_of_calibration() -> None:
    before, now = binary(0), binary(1, rate=0.7)
    assert reliability.compare(now, before, None).p_value < 1e-4
    assert concept.compare(now, before, auc).p_value > 0.01, "the order still holds"


def test_calibration_that_was_always_off_has_not_changed() -> None:
    """The model overlooks a column: 50 % said is 57 % seen, at the gate as now."""
    found = reliability.compare(binary(1), binary(0), None)
    assert found.p_value > 0.01
    assert found.error < found.by_chance + 0.03


def test_how_far_off_it_is_is_said() -> None:
    found = reliability.compare(binary(1, rate=0.7), binary(0), None)
    assert found.seen - found.said == pytest.approx(0.12, abs=0.04)
    assert found.error > found.by_chance + 0.05


def test_of_several_classes_the_likeliest_counts() -> None:
    draw = np.random.default_rng(0)
    chances = draw.dirichlet([1, 1, 1], 3000)
    truth = np.array([draw.choice(["a", "b", "c"], p=row) for row in chances])
    day = np.char.zfill((np.arange(3000) // 100).astype(str), 2)
    classes = ("a", "b", "c")
    half = concept.Known(truth[:1500], chances[:1500], day[:1500])
    rest = concept.Known(truth[1500:], chances[1500:], day[1500:])
    assert reliability.compare(rest, half, classes).p_value > 0.01
    wrong = concept.Known(draw.permutation(truth[1500:]), chances[1500:], day[1500:])
    assert reliability.compare(wrong, half, classes).p_value < 1e-4


def test_a_window_of_one_day_is_judged_by_the_hold_outs_days() -> None:
    now = binary(3, 300, 1)
    assert 0 < reliability.compare(now, binary(0), None).p_value <= 1
    assert 0 < concept.compare(now, binary(0), auc).p_value < 1
