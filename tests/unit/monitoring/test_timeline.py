from datetime import timedelta

import pytest
from tests.unit.monitoring.stories import SETTINGS, concept, fault, quiet, unlabelled

from trimtab.monitoring import timeline, words


def test_versions_and_alarms_are_marked_where_they_are() -> None:
    line = timeline.performance(concept().history)
    assert line is not None
    assert [text.text for text in line.versions] == ["v1", "v2"]
    assert line.versions[1].x == pytest.approx((line.realised[3].x + line.realised[4].x) / 2)
    assert [point.alarm for point in line.realised] == [False] * 10 + [True]
    assert line.realised[-1].y > line.realised[0].y, "higher is better, so worse is drawn lower"


def test_estimates_stand_where_labels_are_missing() -> None:
    line = timeline.performance(unlabelled().history)
    assert line is not None
    assert (len(line.realised), len(line.estimated)) == (7, 10)
    point = line.estimated[0]
    assert point.low is not None
    assert point.high is not None
    assert point.high < point.y < point.low


def test_what_the_gate_promised_is_one_line_for_neighbours() -> None:
    line = timeline.performance(quiet().history)
    assert line is not None
    assert len(line.promises) == 1
    assert (line.promises[0].left, line.promises[0].right) == pytest.approx(
        (timeline.LEFT, timeline.RIGHT)
    )
    assert timeline.performance(quiet().history[:1]) is None


def test_every_signal_has_a_state_in_every_window() -> None:
    grid = timeline.grid(fault().history)
    states = {name: [cell.tone for cell in cells] for name, cells in grid.rows}
    assert states["Data quality"] == ["none"] * 9 + ["alarm"]
    assert states["Columns"][-1] == "alarm"
    assert set(states["Performance"]) == {"ok"}
    late = dict(timeline.grid(unlabelled().history).rows)
    assert [cell.tone for cell in late["Performance"]][-3:] == ["few"] * 3


def test_alarms_are_counted_once_where_they_begin_within_the_budgets_time() -> None:
    history = list(fault().history)
    last = history[-1]
    again = last.model_copy(update={"newest": (last.newest or last.since) + timedelta(days=1)})  # type: ignore[operator]
    assert timeline.spent([*history, again], SETTINGS).alarms == (
        "2026-10 (data quality, columns)",
    )
    late = again.model_copy(update={"newest": again.newest + timedelta(days=400), "alarm": ()})  # type: ignore[operator]
    assert timeline.spent([*history, again, late], SETTINGS).alarms == ()


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, ""), (0.4, "40%"), (0.05, "1 in 20"), (1e-5, "1 in 100,000"), (0.0, "under 1 in 10⁹")],
)
def test_chances_are_said_as_how_often(p: float | None, text: str) -> None:
    assert words.chance(p) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (float("nan"), ""), (1234567.0, "1,234,567"), (0.12345, "0.1235")],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert words.number(value) == text
