"""Weighted metrics are scikit-learn's, and a weight is a repetition of rows."""

import numpy as np
import pytest
from sklearn import metrics as sk

from trimtab.config.model import METRICS
from trimtab.evaluation.weighted import resampled, score

RNG = np.random.default_rng(5)
N = 400
CLASSES = ("a", "b", "c")
BINARY = (RNG.random(N) < 0.3).astype(float)
CHANCE = np.clip(np.round(0.3 * BINARY + 0.7 * RNG.random(N), 2), 0.01, 0.99)  # with ties
NUMBER = RNG.normal(3, 2, N)
GUESS = NUMBER + RNG.normal(0, 1, N)
LABEL = RNG.choice(CLASSES, N)
CHANCES = RNG.dirichlet([1, 1, 1], N)


def reference(name: str, rows: np.ndarray) -> float:
    b, p, y, g = BINARY[rows], CHANCE[rows], NUMBER[rows], GUESS[rows]
    return {
        "roc_auc": lambda: sk.roc_auc_score(b, p),
        "average_precision": lambda: sk.average_precision_score(b, p),
        "accuracy": lambda: sk.accuracy_score(b, p >= 0.5),
        "f1": lambda: sk.f1_score(b, p >= 0.5),
        "neg_log_loss": lambda: -sk.log_loss(b, p),
        "neg_brier_score": lambda: -sk.brier_score_loss(b, p),
        "r2": lambda: sk.r2_score(y, g),
        "neg_mean_absolute_error": lambda: -sk.mean_absolute_error(y, g),
        "neg_root_mean_squared_error": lambda: -sk.root_mean_squared_error(y, g),
    }[name]()


def multiclass(name: str, rows: np.ndarray) -> float:
    y, p = LABEL[rows], CHANCES[rows]
    said = np.asarray(CLASSES)[p.argmax(axis=1)]
    return {
        "accuracy": lambda: sk.accuracy_score(y, said),
        "f1_macro": lambda: sk.f1_score(y, said, average="macro"),
        "neg_log_loss": lambda: -sk.log_loss(y, p, labels=list(CLASSES)),
    }[name]()


@pytest.mark.parametrize("name", [*METRICS["binary"], *METRICS["regression"]])
def test_equals_scikit_learn_plain_and_resampled(name: str) -> None:
    y, p = (BINARY, CHANCE) if name in METRICS["binary"] else (NUMBER, GUESS)
    assert score(name, y, p) == pytest.approx(reference(name, np.arange(N)))
    blocks = np.arange(N) // 40
    weights = np.random.default_rng(1).multinomial(10, [0.1] * 10, size=3)
    values = resampled(name, y, p, blocks, weights)
    for weight, value in zip(weights, values, strict=True):
        rows = np.repeat(np.arange(N), weight[blocks])
        assert value == pytest.approx(reference(name, rows))


@pytest.mark.parametrize("name", METRICS["multiclass"])
def test_multiclass_equals_scikit_learn(name: str) -> None:
    rows = np.arange(N)
    assert score(name, LABEL, CHANCES, CLASSES) == pytest.approx(multiclass(name, rows))
    weights = np.random.default_rng(1).multinomial(N, [1 / N] * N, size=1)
    (value,) = resampled(name, LABEL, CHANCES, rows, weights, CLASSES)
    assert value == pytest.approx(multiclass(name, np.repeat(rows, weights[0])))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_one_class_has_no_ranking(name: str) -> None:
    for label in (0.0, 1.0):
        assert np.isnan(score(name, np.full(5, label), np.linspace(0, 1, 5)))


def test_a_class_the_model_never_saw_costs_as_a_certain_error() -> None:
    p = np.array([[0.5, 0.5]])
    assert score("neg_log_loss", np.array(["new"]), p, ("a", "b")) == pytest.approx(np.log(1e-15))
