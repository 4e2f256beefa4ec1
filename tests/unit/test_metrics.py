"""Metrics of weighted rows are scikit-learn's; where one does not exist it is NaN."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from tests.unit.monitoring.generated import auc, binary

from trimtab import metrics
from trimtab.config.model import METRICS
from trimtab.monitoring import attribution, concept

CLASSES = ("fern", "moss", "oak")
SKLEARN: dict[str, Any] = {
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "accuracy": lambda y, p, **w: sk.accuracy_score(y, p >= 0.5, **w),
    "f1": lambda y, p, **w: sk.f1_score(y, p >= 0.5, **w),
    "neg_log_loss": lambda y, p, **w: -sk.log_loss(y, p, **w),
    "neg_brier_score": lambda y, p, **w: -sk.brier_score_loss(y, p, **w),
    "r2": sk.r2_score,
    "neg_mean_absolute_error": lambda y, p, **w: -sk.mean_absolute_error(y, p, **w),
    "neg_root_mean_squared_error": lambda y, p, **w: -sk.root_mean_squared_error(y, p, **w),
}
WEIGHTS: dict[str, Any] = {
    "none": lambda draw, n: None,
    "any": lambda draw, n: draw.exponential(size=n),
    "some zero": lambda draw, n: draw.integers(0, 3, n).astype(float),
}


def rows(seed: int, ties: int = 0) -> tuple[Any, Any]:
    """Labels and chances of 300 rows; ``ties`` is how many different chances there are."""
    draw = np.random.default_rng(seed)
    p = draw.random(300)
    y = (draw.random(300) < p).astype(int)
    return y, (np.floor(p * ties) / ties if ties else p)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("ties", [0, 2, 10])
def test_roc_auc_equals_scikit_learns(ties: int, weights: str) -> None:
    for seed in range(20):
        y, p = rows(seed, ties)
        w = WEIGHTS[weights](np.random.default_rng(seed), len(y))
        found = metrics.score("roc_auc", y, p, None, w)
        assert found == pytest.approx(sk.roc_auc_score(y, p, sample_weight=w), abs=1e-12)


def test_roc_auc_of_one_chance_is_a_half() -> None:
    assert metrics.score("roc_auc", np.array([0, 1, 1]), np.full(3, 0.2)) == pytest.approx(0.5)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", [*METRICS["binary"], *METRICS["regression"]])
def test_two_classes_and_numbers_equal_scikit_learns(name: str, weights: str) -> None:
    y, p = rows(1, 10)
    p = np.clip(p, 0.01, 0.99)
    w = WEIGHTS[weights](np.random.default_rng(2), len(y))
    expected = SKLEARN[name](y, p, sample_weight=w)
    assert metrics.score(name, y, p, None, w) == pytest.approx(expected)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_several_classes_equal_scikit_learns(weights: str) -> None:
    draw = np.random.default_rng(0)
    p = draw.dirichlet([1, 1, 1], 300)
    y = np.array([draw.choice(CLASSES, p=row) for row in p])
    w = WEIGHTS[weights](draw, len(y))
    said = np.asarray(CLASSES)[p.argmax(axis=1)]
    expected = {
        "accuracy": sk.accuracy_score(y, said, sample_weight=w),
        "f1_macro": sk.f1_score(y, said, average="macro", sample_weight=w),
        "neg_log_loss": -sk.log_loss(y, p, labels=list(CLASSES), sample_weight=w),
    }
    for classes in (CLASSES, np.array(CLASSES), np.array(CLASSES, dtype=object)):
        found = {name: metrics.score(name, y, p, classes, w) for name in METRICS["multiclass"]}
        assert found == pytest.approx(expected)


def test_a_class_the_model_never_saw_costs_as_a_certain_error() -> None:
    """As at the gate: one new label must not take the metric away from a whole window."""
    p, y = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array(["new", "a"])
    found = metrics.score("neg_log_loss", y, p, ("a", "b"))
    assert found == pytest.approx(np.log(np.finfo(float).eps) / 2)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("label", [0, 1])
def test_one_class_has_no_ranking(name: str, label: int) -> None:
    y, p = rows(0)
    assert np.isnan(metrics.score(name, np.full(300, label), p))
    assert np.isnan(metrics.score(name, y, p, None, (y == label).astype(float))), "no weight left"


@pytest.mark.parametrize("name", [*METRICS["binary"], *METRICS["regression"]])
def test_no_rows_no_weight_and_no_number_are_no_metric(name: str) -> None:
    y, p = rows(0)
    assert np.isnan(metrics.score(name, y[:0], p[:0]))
    assert np.isnan(metrics.score(name, y, p, None, np.zeros(300)))
    p[3] = np.nan
    assert np.isnan(metrics.score(name, y, p))


def test_the_metric_of_the_same_inputs_is_scikit_learns_of_weighted_rows() -> None:
    now, before = binary(1, 900, 9, shift=0.5), binary(0, 900, 9)
    of_now, of_before = concept.overlap(now, before)
    seen = concept.compare(now, before, auc)
    for side, weights, found in ((now, of_now, seen.now), (before, of_before, seen.before)):
        expected = sk.roc_auc_score(side.truth, side.prediction, sample_weight=weights)
        assert found.value == pytest.approx(expected, abs=1e-12)


def test_agreement_of_two_orders_is_scikit_learns_ndcg() -> None:
    for seed in range(20):
        then, now = np.random.default_rng(seed).random((2, 8))
        assert attribution.ndcg(then, now) == pytest.approx(sk.ndcg_score([then], [now]))
