from datetime import UTC, datetime, timedelta

import pytest

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget
from trimtab.watch import Finding, Observation, Signal

SETTINGS = Monitor(max_false_alarms="1 per 90d")
START = datetime(2026, 1, 1, tzinfo=UTC)


def window(day: float, *findings: Finding, name: str = "") -> Observation:
    newest = START + timedelta(days=day)
    return Observation(
        model="m",
        version=1,
        sha256=name or str(day),
        partition="p",
        rows=10,
        since=newest - timedelta(days=2),
        newest=newest,
        findings=findings,
    )


def finding(p_value: float | None, signal: Signal = "data", value: float = 1.0) -> Finding:
    return Finding(
        signal=signal, statistic="psi", value=value, threshold=0.1, p_value=p_value, status="ok"
    )


def moved(*found: Finding, level: float = 0.01, history: tuple[Observation, ...] = ()) -> list[int]:
    seen = budget.judged(found, SETTINGS, level, history)
    return [i for i, each in enumerate(seen) if each.status == "moved"]


def test_the_level_spreads_the_budget_over_its_windows() -> None:
    daily = [window(day) for day in range(10)]
    assert budget.level(SETTINGS, daily[:-1], daily[-1]) == pytest.approx(1 / 90)
    two = Monitor(max_false_alarms="2 per 90d")
    assert budget.level(two, daily[:-1], daily[-1]) == pytest.approx(2 / 90)
    hourly = [window(hour / 24) for hour in range(10)]
    assert budget.level(SETTINGS, hourly[:-1], hourly[-1]) == pytest.approx(1 / 90 / 24)


def test_ten_files_of_a_day_are_ten_windows() -> None:
    files = [window(day, name=f"{day} {i}") for day in range(3) for i in range(10)]
    level = budget.level(SETTINGS, files[:-1], files[-1])
    assert level == pytest.approx(2 / 29 / 90)
    looks = [*files, *files[:5]]
    assert budget.level(SETTINGS, looks, files[-1]) == level, "a later look is no new window"


def test_the_first_window_goes_by_its_own_span() -> None:
    assert budget.level(SETTINGS, [], window(0)) == pytest.approx(2 / 90)


def test_rare_windows_and_windows_without_time() -> None:
    yearly = [window(0), window(365)]
    assert budget.level(SETTINGS, yearly[:1], yearly[1]) == budget.HIGHEST
    bare = window(0).model_copy(update={"since": None, "newest": None})
    assert budget.level(SETTINGS, [], bare) == budget.UNTIMED


def test_holm_within_a_signal() -> None:
    assert moved(finding(0.004), finding(0.009), finding(0.5)) == []
    assert moved(finding(0.003), finding(0.004), finding(0.5)) == [0, 1], "0.01/3, then 0.01/2"


def test_many_parts_do_not_hide_the_whole() -> None:
    parts = [finding(0.5).model_copy(update={"slice": f"city={i}"}) for i in range(20)]
    assert moved(finding(0.004), *parts) == [0], "half of the level is the whole's"
    assert moved(finding(0.006), *parts) == []
    first = parts[0].model_copy(update={"p_value": 0.0002})
    assert moved(finding(0.5), first, *parts[1:]) == [1], "half of the level for 20 parts"
    assert moved(finding(0.5), first.model_copy(update={"p_value": 0.0003}), *parts[1:]) == []


def test_signals_share_the_level() -> None:
    assert moved(finding(0.008)) == [0]
    assert moved(finding(0.008), finding(0.9, "prediction")) == []
    assert moved(finding(0.004), finding(0.9, "prediction")) == [0]
    heard = (window(0, finding(0.9, "prediction"), finding(0.9, "performance")),)
    assert moved(finding(0.004), history=heard) == [], "three signals were heard lately"


def test_a_signal_that_may_not_alarm_takes_no_share() -> None:
    silent = Monitor.model_validate({"signals": {"prediction": {"alarm": False}}})
    found = budget.judged((finding(0.008), finding(0.001, "prediction")), silent, 0.01)
    assert [f.status for f in found] == ["moved", "moved"], "it is shown all the same"


def test_sure_is_not_enough() -> None:
    assert moved(finding(1e-9, value=0.05)) == []
    below = finding(1e-9, "performance", value=0.7).model_copy(update={"beyond": "below"})
    assert moved(below.model_copy(update={"threshold": 0.75})) == [0]
    assert moved(below.model_copy(update={"threshold": 0.65})) == []


def test_what_needs_no_chance_keeps_its_status() -> None:
    certain = finding(None, "quality").model_copy(update={"status": "moved"})
    few = finding(1e-9).model_copy(update={"status": "not_enough_data"})
    assert [f.status for f in budget.judged((certain, few), SETTINGS, 0.01)] == [
        "moved",
        "not_enough_data",
    ]
