import numpy as np
import pytest

from trimtab.monitoring import gaps


def rate(*values: float, error: float = 0.02, seed: int = 0) -> gaps.Rate:
    draw = np.random.default_rng(seed)
    return gaps.Rate(
        "error rate", np.asarray(values), draw.normal(values, error, (500, len(values)))
    )


def found(limit: float | None, *values: float) -> gaps.Finding:
    labels = [f"g{i}" for i in range(len(values))]
    return gaps.finding(
        gaps.Asked("sex", "error", limit, before=0.05),
        [(rate(*values), labels)],
        rows=900,
        clusters=30,
        interval=(0.1, 0.3),
        skipped={"rare": 12},
    )


def test_a_gap_beyond_its_limit_is_rare_by_chance() -> None:
    far, near = found(0.05, 0.1, 0.3), found(0.25, 0.1, 0.3)
    assert (far.p_value or 1) < 1e-4
    assert near.p_value == 1.0 or (near.p_value or 0) > 0.5
    assert far.value == pytest.approx(0.2)
    assert far.note == "error rate: g1 0.3, g0 0.1; too small to judge: rare (12 rows)"


def test_more_groups_make_the_same_gap_less_sure() -> None:
    two, many = found(0.15, 0.1, 0.3), found(0.15, 0.1, 0.3, *[0.2] * 10)
    assert (two.p_value or 0) < (many.p_value or 0)


def test_at_the_limit_alarms_are_rarer_than_said() -> None:
    draw = np.random.default_rng(1)
    seen = []
    for i in range(300):
        values = draw.normal([0.1, 0.2], 0.02)
        one = rate(*values, seed=i)
        seen.append(gaps.chance([(one, ["a", "b"])], 0.1, 200))
    assert np.mean(np.asarray(seen) < 0.05) <= 0.09


def test_without_a_limit_a_gap_is_shown_and_not_judged() -> None:
    shown = found(None, 0.1, 0.6)
    assert (shown.status, shown.p_value) == ("ok", None)
    assert "no limit in gate.fairness" in shown.note


def test_one_group_alone_is_not_compared() -> None:
    alone = found(0.1, 0.1)
    assert alone.status == "not_enough_data"
