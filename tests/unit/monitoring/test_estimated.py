"""The estimate against what turns out when the labels come."""

import numpy as np
import pytest
from tests.unit.monitoring.generated import auc, binary, numbers

from trimtab import metrics
from trimtab.monitoring import estimated
from trimtab.monitoring.estimated import Estimate, Unlabelled
from trimtab.monitoring.truth import Known, Metric

BINARY = ("roc_auc", "average_precision", "accuracy", "f1", "neg_log_loss", "neg_brier_score")


def metric(name: str, classes: tuple[str, ...] | None = None) -> Metric:
    return lambda y, p, w=None: metrics.score(name, y, p, classes, w)


def blind(rows: Known) -> Unlabelled:
    return Unlabelled(rows.prediction, rows.blocks, rows.inputs)


def realised(rows: Known, name: str) -> float:
    return metrics.score(name, rows.truth, rows.prediction)


@pytest.mark.parametrize("name", BINARY)
def test_of_two_classes_under_covariate_shift(name: str) -> None:
    """Nearer to the truth than the gate's value, which is what one would believe without it."""
    before, now = binary(0, 6000), binary(1, 6000, shift=1.0)
    found = estimated.classification(blind(now), before, metric(name), None)
    true = realised(now, name)
    assert found.expected == pytest.approx(realised(before, name))
    assert abs(found.value - true) < 0.03
    assert abs(found.value - true) < max(0.5 * abs(found.expected - true), 0.02)


@pytest.mark.parametrize("name", ["neg_mean_absolute_error", "neg_root_mean_squared_error", "r2"])
def test_of_numbers_under_covariate_shift(name: str) -> None:
    before, now = numbers(0, 8000), numbers(1, 8000, shift=0.7)
    found = estimated.regression(blind(now), before, metric(name), name)
    true = realised(now, name)
    assert abs(found.value - true) < 0.4 * abs(found.expected - true)
    assert found.p_value < 0.001, "the rows are harder, and that is seen without a label"


def several(seed: int, shift: float = 0.0) -> Known:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=3000) + shift
    scores = np.stack([np.zeros_like(x), x, 2 * x - 1], axis=1)
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    truth = np.array([draw.choice(["a", "b", "c"], p=row) for row in chances])
    return Known(truth, chances, np.char.zfill((np.arange(3000) // 100).astype(str), 2))


@pytest.mark.parametrize("name", ["accuracy", "f1_macro", "neg_log_loss"])
def test_of_several_classes(name: str) -> None:
    classes = ("a", "b", "c")
    before, now = several(0), several(1, shift=1.0)
    found = estimated.classification(blind(now), before, metric(name, classes), classes)
    assert found.value == pytest.approx(
        metrics.score(name, now.truth, now.prediction, classes), abs=0.03
    )


def test_nothing_changed() -> None:
    chances = [_of(binary(0), binary(seed)).p_value for seed in range(1, 13)]
    assert 0.2 < np.mean(chances) < 0.8
    assert min(chances) > 0.001


def test_the_interval_holds_the_truth_mostly() -> None:
    """95 % of the mean: a window's own labels vary beside it, so somewhat fewer."""
    inside = 0
    for seed in range(1, 13):
        now = binary(seed, shift=0.5)
        low, high = _of(binary(0), now).interval or (0, 0)
        inside += low <= realised(now, "roc_auc") <= high
    assert inside >= 8


def test_it_is_blind_to_concept_drift() -> None:
    """The limit that is documented: the inputs are the same, so nothing is seen."""
    now = binary(1, flip=0.4)
    found = _of(binary(0), now)
    assert found.p_value > 0.01
    assert realised(now, "roc_auc") < found.value - 0.1


def test_a_window_of_one_day() -> None:
    found = _of(binary(0), binary(3, 300, 1))
    assert 0 < found.p_value < 1
    assert found.interval is not None


def _of(before: Known, now: Known) -> Estimate:
    return estimated.classification(blind(now), before, auc, None)
