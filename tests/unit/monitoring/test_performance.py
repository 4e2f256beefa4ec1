from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from trimtab.config.monitor import Monitor
from trimtab.monitoring import performance
from trimtab.types import GateVerdict
from trimtab.watch import Finding

SETTINGS = Monitor(min_rows=100)


def gate(value: float, half: float = 0.01) -> GateVerdict:
    return GateVerdict(
        model="m", version=1, verdict="PROMOTE", reasons=(), rules=(), primary="roc_auc",
        value=value, interval=(value - half, value + half), rows=5000,
    )  # fmt: skip


def auc(y: Any, p: Any) -> float:
    return float(roc_auc_score(y, p)) if len(np.unique(y)) == 2 else float("nan")


def data(strength: float, rows: int = 4000, days: int = 20) -> tuple[Any, Any, Any]:
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2, rows)
    return y, draw.normal(size=rows) + strength * y, np.arange(rows) * days // rows


def judge(y: Any, p: Any, days: Any, verdict: GateVerdict | None = None, **more: Any) -> Finding:
    more = {"rows": len(y), "gate": verdict, "settings": SETTINGS, **more}
    return performance.measure(y, p, list(days), metric=auc, name="roc_auc", **more)


def test_a_fall_is_found_and_stated() -> None:
    found = judge(*data(0.2), gate(0.72))
    assert found.status == "drift"
    assert found.threshold == pytest.approx(0.67)
    assert (
        found.note
        == "roc_auc 0.574 against 0.72 at the gate (4,000 of 4,000 rows with a known label)"
    )


def test_within_the_allowed_drop_is_ok() -> None:
    value = auc(*data(0.8)[:2])
    assert judge(*data(0.8), gate(value + 0.04)).status == "ok"
    assert judge(*data(0.8), gate(value + 0.06)).status == "drift"


def test_a_drop_that_may_be_chance_is_no_finding() -> None:
    y, p, days = data(0.8, rows=120)
    value = auc(y, p)
    assert judge(y, p, days, gate(value + 0.06)).status == "ok", "120 rows cannot tell 0.06"


def test_the_gates_own_uncertainty_counts() -> None:
    value = auc(*data(0.8)[:2])
    assert judge(*data(0.8), gate(value + 0.06, half=0.07)).status == "ok"


def test_partial_labels_are_counted() -> None:
    found = judge(*data(0.8), gate(0.7), rows=10_000, trained=50)
    assert "(4,000 of 10,000 rows with a known label, 50 more were trained on)" in found.note
    assert found.current_rows == 4000


def test_too_few_labels() -> None:
    y, p, days = data(0.0, rows=99)
    found = judge(y, p, days, gate(0.9), rows=5000)
    assert found.status == "not_enough_data"
    assert found.note == "roc_auc not judged: 99 of 5,000 rows with a known label"


def test_one_class_is_not_computable() -> None:
    _, p, days = data(0.5)
    assert judge(np.ones(len(p)), p, days, gate(0.7)).status == "not_computable"


def test_without_a_gate_value_there_is_a_number_but_no_finding() -> None:
    for verdict in (None, gate(float("nan"))):
        found = judge(*data(0.8), verdict)
        assert found.status == "ok"
        assert found.value is not None


def test_jackknife_agrees_with_a_bootstrap_by_day() -> None:
    y, p, days = data(0.5, rows=6000, days=30)
    half = performance.half_width(y, p, list(days), auc, gate(0.7, half=0.0))
    draw = np.random.default_rng(1)
    values = []
    for _ in range(300):
        taken = np.concatenate([np.flatnonzero(days == d) for d in draw.integers(0, 30, 30)])
        values.append(auc(y[taken], p[taken]))
    assert half == pytest.approx(1.96 * np.std(values), rel=0.25)


def test_a_single_day_takes_the_gates_width() -> None:
    y, p, _ = data(0.5, rows=5000)
    half = performance.half_width(y, p, ["today"] * 5000, auc, gate(0.7, half=0.02))
    assert half == pytest.approx(0.02 * np.sqrt(2))
