"""Fairness of a million rows against Fairlearn's MetricFrame, and how often it is wrong."""

import time

import fairlearn.metrics as fl
import numpy as np
import pytest
from sklearn.metrics import zero_one_loss

from trimtab.evaluation import bootstrap
from trimtab.evaluation.case import Answers
from trimtab.evaluation.rates import rates, widest

pytestmark = pytest.mark.benchmark
SEEDS, MOST = 500, 0.1  # twice what the intervals promise; see docs/benchmarks.md


def people(n: int, seed: int, groups: int, shift: float = 0.0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    y = (rng.random(n) < 0.4).astype(float)
    score = y + rng.normal(0, 1, n) - shift * (group == groups - 1)
    return y, 1 / (1 + np.exp(-(score - 0.5))), group


def test_one_pass_against_metric_frame() -> None:
    n = 1_000_000
    y, p, group = people(n, 0, 5)
    plan = bootstrap.plan(n, None, resamples=500, confidence=0.95, seed="s")
    began = time.process_time()
    ours = rates("binary", y, Answers(p, None), group, plan)
    found = [widest(of, 0.95)[0].estimate for of in ours.values()]
    mine = time.process_time() - began
    metrics = {
        "selection": fl.selection_rate,
        "tpr": fl.true_positive_rate,
        "fpr": fl.false_positive_rate,
        "error": zero_one_loss,
    }
    began = time.process_time()
    frame = fl.MetricFrame(
        metrics=metrics, y_true=y, y_pred=(p >= 0.5).astype(int), sensitive_features=group
    )
    theirs = frame.difference()
    other = time.process_time() - began
    print(
        f"\n{n:,} rows, 5 groups: {mine:.2f} CPU s with 500 resamples; "
        f"MetricFrame {other:.2f} without any (goal: less)"
    )
    assert found[0] == pytest.approx(theirs["selection"])
    assert found[1] == pytest.approx(max(theirs["tpr"], theirs["fpr"]))
    assert found[2] == pytest.approx(theirs["error"])


@pytest.mark.parametrize(("n", "groups"), [(600, 2), (1200, 6), (4000, 20)])
def test_how_often_the_interval_is_wrong_and_what_it_finds(n: int, groups: int) -> None:
    """The interval of the largest difference begins above the true one, over 500 seeds."""
    told, wrong = [], {}
    for shift in (0.0, 0.25, 0.5, 1.0):
        low = {"demographic_parity": 0, "equalized_odds": 0, "error": 0}
        for seed in range(SEEDS):
            y, p, group = people(n, seed, groups, shift)
            plan = bootstrap.plan(n, None, resamples=500, confidence=0.95, seed=str(seed))
            for name, of in rates("binary", y, Answers(p, None), group, plan).items():
                low[name] += widest(of, 0.95)[0].low > 0
        shares = ", ".join(f"{name} {count / SEEDS:.1%}" for name, count in low.items())
        told.append(f"  shift {shift}: {shares}")
        wrong = wrong or low
    print(f"\n{n:,} rows, {groups} groups: gaps told from 0 (goal at shift 0: 5 %)")
    print("\n".join(told))
    assert all(count <= MOST * SEEDS for count in wrong.values())
