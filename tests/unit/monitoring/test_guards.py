from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trimtab.config.monitor import Retrain
from trimtab.monitoring import guards
from trimtab.monitoring.guards import Training
from trimtab.watch import Observation, RetrainDecision

MARCH = datetime(2026, 3, 31, tzinfo=UTC)
ALL = Retrain(when=("new_data", "drift", "performance"), cooldown="25d", min_new_rows=1000)
TRAINED = (Training(1, 2000, MARCH - timedelta(days=90)), Training(3, 5000, MARCH))


def decide(*alarm: Any, days: float = 30, rows: int = 6000, **more: Any) -> RetrainDecision:
    seen = Observation(
        model="m", version=3, sha256="a" * 64, partition="2026-04", rows=1000, alarm=alarm
    )
    more = {"trainings": TRAINED, "settings": ALL, "at": MARCH + timedelta(days=days), **more}
    return guards.decide(seen, rows=rows, **more)


def test_enough_new_rows_are_a_cause() -> None:
    seen = decide()
    assert seen.retrain
    assert seen.causes == ("new_data",)
    assert seen.reason == "new_data: 1,000 new rows since version 3"
    assert seen.new_rows == 1000


def test_an_alarm_is_a_cause_beside_new_rows() -> None:
    assert decide("drift", "performance").causes == ("new_data", "drift", "performance")


def test_cooldown() -> None:
    seen = decide("drift", days=12)
    assert not seen.retrain
    assert seen.reason == (
        "new_data and drift, but cooldown: 12 days since version 3, 25 days wanted"
    )


def test_the_cooldown_ends_on_the_day() -> None:
    assert decide(days=25).retrain
    assert not decide(days=24.99).retrain


def test_too_few_new_rows_stop_an_alarm() -> None:
    seen = decide("performance", rows=5999)
    assert not seen.retrain
    assert seen.causes == ("performance",)
    assert seen.reason == "performance, but min_new_rows: 999 since version 3, 1,000 wanted"


def test_both_guards_speak() -> None:
    seen = decide("drift", days=1, rows=5001)
    assert seen.reason == (
        "drift, but cooldown: 24 hours since version 3, 25 days wanted; "
        "min_new_rows: 1 since version 3, 1,000 wanted"
    )


def test_no_cause_says_what_is_missing() -> None:
    seen = decide(rows=5400)
    assert not seen.retrain
    assert seen.causes == ()
    assert seen.reason == "no alarm, and min_new_rows: 400 since version 3, 1,000 wanted"


def test_only_listed_causes_count() -> None:
    calm = Retrain(when=("performance",), cooldown="1d", min_new_rows=10)
    assert decide("drift", settings=calm).reason == (
        "drift is not among retrain.when ['performance']"
    )
    assert decide(settings=calm).reason == "no alarm"
    assert decide("performance", "drift", settings=calm).causes == ("performance",)
    assert not decide("drift", "performance", settings=Retrain(when=())).retrain


def test_a_second_cause_joins_the_open_request() -> None:
    seen = decide("drift", open_request="b" * 64)
    assert seen.retrain
    assert seen.reason == "new_data and drift: joins the open request bbbbbbbbbbbb"


def test_a_guard_speaks_before_a_request_is_joined() -> None:
    assert not decide("drift", days=2, open_request="b" * 64).retrain


def test_without_time_only_the_rows_count() -> None:
    trained = (Training(1, 5000, None),)
    assert decide("drift", trainings=trained, at=None).retrain
    assert not decide("drift", trainings=trained, at=None, rows=5500).retrain


def test_rows_the_training_had_already_are_not_new() -> None:
    seen = decide("drift", days=-40, rows=4000)
    assert seen.new_rows == 0
    assert not seen.retrain


def test_before_the_first_training_nothing_is_asked_for() -> None:
    seen = decide("drift", trainings=())
    assert not seen.retrain
    assert "nothing was trained yet" in seen.reason


@pytest.mark.parametrize("flaps", [100])
def test_flapping_alarms_lead_to_one_training_per_cooldown(flaps: int) -> None:
    trainings, asked = list(TRAINED), []
    for day in range(1, flaps + 1):
        seen = decide("drift", days=day, rows=5000 + 100 * day, trainings=tuple(trainings))
        if seen.retrain and seen.at:
            asked.append(day)
            trainings.append(Training(len(trainings) + 2, 5000 + 100 * day, seen.at))
    assert asked == [25, 50, 75, 100]
