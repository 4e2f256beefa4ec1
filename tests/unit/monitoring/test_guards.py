from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trimtab.config.monitor import Retrain
from trimtab.monitoring import guards
from trimtab.monitoring.history import History, Training
from trimtab.watch import Action, Alarm, Cause, Observation, RetrainDecision, Signal, Triage

MARCH = datetime(2026, 3, 31, tzinfo=UTC)
ALL = Retrain(when=("new_data", "drift", "performance"), cooldown="25d", min_new_rows=1000)
TRAINED = (Training(1, 2000, MARCH - timedelta(days=90)), Training(3, 5000, MARCH))


def found(action: Action = "nothing", cause: Cause = "nothing", **more: Any) -> Triage:
    return Triage(
        model="m", version=3, key="a" * 64, partition="2026-04",
        cause=cause, action=action, severity="warning", reason="r", **more,
    )  # fmt: skip


def history(*alarms: Signal, **more: Any) -> History:
    alarm = tuple(Alarm(signal=signal, findings=(), since="2026-04") for signal in alarms)
    seen = Observation(
        model="m", version=3, sha256="a" * 64, partition="2026-04", rows=1000, alarm=alarm
    )
    return History((seen,), **{"trainings": TRAINED, "rows": 6000, **more})


def decide(
    action: Action = "nothing",
    *alarms: Signal,
    days: float = 30,
    settings: Retrain = ALL,
    now: datetime | None = MARCH,
    **more: Any,
) -> RetrainDecision:
    at = now + timedelta(days=days) if now else None
    return guards.decide(found(action), history(*alarms, **more), settings, at)


def test_enough_new_rows_are_a_cause() -> None:
    seen = decide()
    assert seen.retrain
    assert seen.causes == ("new_data",)
    assert seen.reason == "new_data: 1,000 new rows since version 3"
    assert seen.new_rows == 1000


def test_rows_of_a_faulty_file_are_not_counted() -> None:
    wrong = found("quarantine", "upstream_fault").model_copy(update={"key": "a" * 64})
    came = {"triages": (wrong,), "clock": {"a" * 64: MARCH + timedelta(days=20)}}
    seen = decide(rows=6500, **came)
    assert (seen.retrain, seen.new_rows) == (False, 500), "1,000 of the 1,500 are faulty"
    assert decide(rows=6500, **came, dismissed=frozenset({"a" * 64})).new_rows == 1500
    before = {**came, "clock": {"a" * 64: MARCH}}
    assert decide(rows=6500, **before).new_rows == 1500, "the last training had left it out"


def test_a_loss_is_a_cause_beside_new_rows_and_so_is_the_shift_it_comes_with() -> None:
    assert decide("retrain", "performance").causes == ("new_data", "performance")
    both = decide("retrain", "data", "performance")
    assert both.causes == ("new_data", "drift", "performance")


@pytest.mark.parametrize("action", ["watch", "wait", "quarantine", "recalibrate", "roll_back"])
def test_an_alarm_alone_is_none_unless_triage_asks_for_a_training(action: Action) -> None:
    calm = Retrain(when=("drift", "performance"))
    seen = decide(action, "data", "performance", settings=calm, rows=9000)
    assert not seen.retrain
    assert seen.reason == f"nothing asks for: {action.replace('_', ' ')}"


@pytest.mark.parametrize("action", ["quarantine", "roll_back"])
def test_new_rows_are_no_cause_while_they_are_in_doubt(action: Action) -> None:
    assert not decide(action, rows=99_000).retrain
    assert decide("watch", rows=99_000).retrain


def test_when_chances_went_wrong_is_no_reason_to_forget_older_rows() -> None:
    said = found("recalibrate", "miscalibration").model_copy(update={"helps_from": MARCH})
    seen = guards.decide(said, history(rows=99_000), ALL, MARCH + timedelta(days=99))
    assert seen.causes == ("new_data",)
    assert (seen.retrain, seen.helps_from) == (True, None)


def test_new_rows_are_no_cause_after_giving_up() -> None:
    said = found("escalate", "no_gain")
    assert not guards.decide(said, history(rows=99_000), ALL, MARCH + timedelta(days=99)).retrain


def test_cooldown() -> None:
    seen = decide("retrain", "performance", days=12)
    assert not seen.retrain
    assert seen.reason == (
        "new_data and performance, but cooldown: 12 days since version 3, 25 days wanted"
    )


def test_the_cooldown_ends_on_the_day() -> None:
    assert decide(days=25).retrain
    assert not decide(days=24.99).retrain


def test_a_request_that_led_to_no_training_is_cooled_down_after_too() -> None:
    asked = RetrainDecision(
        model="m", partition="p", retrain=True, reason="", at=MARCH + timedelta(days=28)
    )
    seen = decide("retrain", decisions=(asked,))
    assert seen.reason.endswith("but cooldown: 2 days since the last request, 25 days wanted")
    assert decide("retrain", decisions=(asked,), open_request="b" * 64).retrain, "it is waited for"


def test_too_few_new_rows_stop_an_alarm() -> None:
    seen = decide("retrain", "performance", rows=5999)
    assert not seen.retrain
    assert seen.causes == ("performance",)
    assert seen.reason == "performance, but min_new_rows: 999 since version 3, 1,000 wanted"


def test_both_guards_speak() -> None:
    seen = decide("retrain", days=1, rows=5001)
    assert seen.reason == (
        "performance, but cooldown: 24 hours since version 3, 25 days wanted; "
        "min_new_rows: 1 since version 3, 1,000 wanted"
    )


def test_trainings_of_a_month_are_counted() -> None:
    month = tuple(Training(i, 0, MARCH + timedelta(days=3 * i)) for i in range(1, 5))
    quick = Retrain(cooldown="1d", min_new_rows=0, max_per_month=4)
    seen = decide("retrain", days=30, trainings=month, settings=quick)
    assert seen.reason.endswith("but max_per_month: 4 trainings in 30 days, 4 allowed")
    assert decide("retrain", days=33, trainings=month, settings=quick).retrain, "the first is older"


def test_trainings_may_take_so_long_together() -> None:
    slow = (Training(1, 0, MARCH, 400.0), Training(2, 0, MARCH + timedelta(days=10), 300.0))
    short = Retrain(cooldown="1d", min_new_rows=0, budget="10m")
    seen = decide("retrain", days=20, trainings=slow, settings=short)
    assert seen.reason.endswith(
        "but budget: trainings of 30 days took 12 minutes, 10 minutes allowed"
    )
    assert decide("retrain", days=31, trainings=slow, settings=short).retrain


def test_no_cause_says_what_is_missing() -> None:
    seen = decide(rows=5400)
    assert not seen.retrain
    assert seen.causes == ()
    assert seen.reason == "no alarm, and min_new_rows: 400 since version 3, 1,000 wanted"


def test_only_listed_causes_count() -> None:
    calm = Retrain(when=("drift",), cooldown="1d", min_new_rows=10)
    assert decide("retrain", "performance", settings=calm).reason == (
        "performance is not among retrain.when ['drift']"
    )
    assert decide(settings=calm).reason == "no alarm"
    assert decide("retrain", "performance", "data", settings=calm).causes == ("drift",)
    assert not decide("retrain", "performance", settings=Retrain(when=())).retrain


def test_a_second_cause_joins_the_open_request() -> None:
    seen = decide("retrain", open_request="b" * 64)
    assert seen.retrain
    assert seen.reason == "new_data and performance: joins the open request bbbbbbbbbbbb"


def test_a_guard_speaks_before_a_request_is_joined() -> None:
    assert not decide("retrain", days=2, open_request="b" * 64).retrain


def test_without_time_only_the_rows_count() -> None:
    trained = (Training(1, 5000, None),)
    assert decide("retrain", trainings=trained, now=None).retrain
    assert not decide("retrain", trainings=trained, now=None, rows=5500).retrain


def test_rows_the_training_had_already_are_not_new() -> None:
    seen = decide("retrain", days=-40, rows=4000)
    assert seen.new_rows == 0
    assert not seen.retrain


def test_before_the_first_training_nothing_is_asked_for() -> None:
    seen = decide("retrain", trainings=())
    assert not seen.retrain
    assert "nothing was trained yet" in seen.reason


def test_the_rows_that_help_are_asked_for_unless_all_are_wanted() -> None:
    since = MARCH + timedelta(days=20)
    said = found("retrain", "concept_drift", helps_from=since)
    at = MARCH + timedelta(days=30)
    assert guards.decide(said, history(), ALL, at).helps_from == since
    everything = ALL.model_copy(update={"window": "all"})
    assert guards.decide(said, history(), everything, at).helps_from is None


@pytest.mark.parametrize("flaps", [100])
def test_flapping_alarms_lead_to_one_training_per_cooldown(flaps: int) -> None:
    trainings, asked = list(TRAINED), []
    for day in range(1, flaps + 1):
        action: Action = "retrain" if day % 2 else "watch"
        rows = 5000 + 100 * day
        settings = ALL.model_copy(update={"when": ("drift", "performance")})
        seen = decide(action, "data", days=day, rows=rows, settings=settings, trainings=trainings)
        if seen.retrain and seen.at:
            asked.append(day)
            trainings.append(Training(len(trainings) + 2, rows, seen.at))
    assert asked == [25, 51, 77]
