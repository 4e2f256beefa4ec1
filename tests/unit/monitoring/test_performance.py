from typing import Any

import numpy as np
import pytest
from tests.unit.monitoring.generated import auc, binary

from trimtab.config.monitor import Monitor
from trimtab.monitoring import performance
from trimtab.monitoring.truth import Known
from trimtab.types import GateVerdict
from trimtab.watch import Finding

SETTINGS = Monitor(min_rows=100)


def gate(value: float, half: float = 0.01) -> GateVerdict:
    return GateVerdict(
        model="m", version=1, verdict="PROMOTE", reasons=(), rules=(), primary="roc_auc",
        value=value, interval=(value - half, value + half), rows=5000,
    )  # fmt: skip


def judge(rows: Known, verdict: GateVerdict | None, **more: Any) -> Finding:
    more = {"reference": None, "coverage": "all rows", **more}
    return performance.measure(
        rows, metric=auc, name="roc_auc", gate=verdict, settings=SETTINGS, **more
    )


def value(rows: Known) -> float:
    return auc(rows.truth, rows.prediction)


def test_a_fall_is_found_and_stated() -> None:
    rows = binary(1, flip=0.3)
    found = judge(rows, gate(0.80), coverage="3,000 of 3,000 rows with a known label")
    assert found.p_value is not None
    assert found.p_value < 1e-6
    assert found.threshold == pytest.approx(0.78)
    assert found.note == (
        f"roc_auc {value(rows):.3g} against 0.8 at the gate "
        "(3,000 of 3,000 rows with a known label)"
    )
    assert found.interval is not None


def test_as_good_as_promised_is_likely() -> None:
    rows = binary(1)
    assert (judge(rows, gate(value(rows))).p_value or 0) == pytest.approx(0.5)
    assert (judge(rows, gate(value(rows) - 0.05)).p_value or 0) > 0.95


def test_the_gates_own_uncertainty_counts() -> None:
    rows = binary(1)
    sure = judge(rows, gate(value(rows) + 0.04)).p_value or 0
    unsure = judge(rows, gate(value(rows) + 0.04, half=0.08)).p_value or 0
    assert sure < 0.01 < 0.1 < unsure


def test_a_drop_of_a_few_rows_may_be_chance() -> None:
    rows = binary(1, 120, 20)
    assert (judge(rows, gate(value(rows) + 0.06)).p_value or 0) > 0.05


def test_one_day_is_judged_by_how_much_the_hold_outs_days_differ() -> None:
    rows, calm, wild = binary(7, 400, 1), binary(0), binary(0, day_spread=2.0)
    promised = gate(value(rows) + 0.1, half=0.0)
    assert (judge(rows, promised, reference=calm).p_value or 0) < 0.05
    assert (judge(rows, promised, reference=wild).p_value or 0) > (
        judge(rows, promised, reference=calm).p_value or 0
    )


def test_a_window_that_is_looked_at_often_must_be_surer() -> None:
    rows = binary(1, flip=0.03)
    once = judge(rows, gate(0.82)).p_value or 0
    assert judge(rows, gate(0.82), looks=6).p_value == pytest.approx(6 * once)
    assert judge(binary(1), gate(0.7), looks=6).p_value == 1


def test_too_few_labels() -> None:
    found = judge(binary(1, 99), gate(0.9), coverage="99 of 5,000 rows with a known label")
    assert found.status == "not_enough_data"
    assert found.note == "roc_auc not judged: 99 of 5,000 rows with a known label"


def test_one_class_is_not_computable() -> None:
    rows = binary(1)
    found = judge(Known(np.ones(3000), rows.prediction, rows.blocks), gate(0.7))
    assert found.status == "not_computable"


def test_without_a_gate_value_there_is_a_number_but_no_chance() -> None:
    for verdict in (None, gate(float("nan"))):
        found = judge(binary(1), verdict)
        assert (found.status, found.p_value, found.expected) == ("ok", None, None)
        assert found.value is not None
