from datetime import UTC, datetime, timedelta

import pytest

from trimtab.config.monitor import Kpi, Monitor
from trimtab.errors import TrimtabError
from trimtab.monitoring import budget, kpi, registry
from trimtab.watch import Finding, Observation

START = datetime(2026, 1, 1, tzinfo=UTC)
RATE = Kpi(name="rate", sql="SELECT avg(prediction) FROM scored")


def seen(day: int, *findings: Finding) -> Observation:
    newest = START + timedelta(days=day)
    return Observation(
        model="m", version=1, sha256=f"{day}", partition=f"{day}", rows=500, newest=newest,
        findings=findings,
    )  # fmt: skip


def year(values: list[float], asked: Kpi = RATE) -> list[Finding]:
    """Judge value after value, each by the windows before it."""
    history: list[Observation] = []
    for day, value in enumerate(values):
        newest = START + timedelta(days=day)
        found = kpi.judge(asked, value, 500, newest, history, Monitor())
        [judged] = budget.judged([found], Monitor(), 0.01)
        history.append(seen(day, judged))
    return [each.findings[0] for each in history]


def test_a_number_is_judged_by_its_own_history() -> None:
    values = [0.20, 0.21, 0.19, 0.205, 0.195, 0.20, 0.202, 0.198, 0.203, 0.40]
    found = year(values)
    assert [f.status for f in found[:4]] == ["not_enough_data"] * 4
    assert [f.status for f in found[4:-1]] == ["ok"] * 5
    assert found[-1].status == "moved"
    assert found[-1].note == "0.2 → 0.4"


def test_a_persons_limit_needs_no_history() -> None:
    both = Kpi(name="rate", function="f", min=0.1, max=0.3)
    low = Kpi(name="rate", function="f", min=0.1)
    high = Kpi(name="rate", function="f", max=0.3)
    for asked, value, status, threshold in (
        (both, 0.2, "ok", 0.3),
        (both, 0.05, "moved", 0.1),
        (both, 0.31, "moved", 0.3),
        (low, 0.05, "moved", 0.1),
        (low, 9.0, "ok", 0.1),
        (high, 0.31, "moved", 0.3),
    ):
        [found] = year([value], asked)
        assert (found.status, found.threshold, found.p_value) == (status, threshold, None)
    assert year([0.05], low)[0].note == "0.05; allowed is from 0.1"


def test_few_rows_say_nothing() -> None:
    limited = Kpi(name="rate", function="f", max=0.3)
    found = kpi.judge(limited, 0.9, 99, START, (), Monitor())
    assert found.status == "not_enough_data"


def test_functions_are_registered_once() -> None:
    def one(frame: object) -> float:
        return 1.0

    def other(frame: object) -> float:
        return 2.0

    registry.kpi("of_the_tests")(one)
    registry.kpi("of_the_tests")(one)
    try:
        assert "of_the_tests" in registry.names()
        assert registry.get("of_the_tests") is one
        with pytest.raises(TrimtabError, match="registered by"):
            registry.kpi("of_the_tests")(other)
        with pytest.raises(TrimtabError, match="no KPI function 'nix'"):
            registry.get("nix")
    finally:
        del registry._REGISTRY["of_the_tests"]
