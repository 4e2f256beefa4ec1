from dataclasses import replace
from typing import Any

import pytest
from tests.unit.monitoring.windows import (
    DAY,
    GOOD,
    SPEC,
    START,
    data,
    finding,
    history,
    performance,
    windows,
)

from trimtab.monitoring.history import Training
from trimtab.monitoring.triage import triage
from trimtab.types import GateVerdict
from trimtab.watch import Alarm, Change, Finding, Triage


def of(*findings: Any, spec: Any = SPEC, **more: Any) -> Triage:
    labelled = more.pop("labelled", 1000)
    past = history(windows(*findings, spec=spec, labelled=labelled), **more)
    return triage(past, spec, past.now)


def said(found: Triage) -> tuple[str, str, str]:
    return found.cause, found.action, found.severity


OK = [GOOD]
ALARM = Alarm(signal="performance", findings=("performance:roc_auc",), since="w1", windows=2)


def test_quiet() -> None:
    found = of(OK, OK)
    assert said(found) == ("nothing", "nothing", "info")
    assert found.reason == "nothing has moved"
    assert (found.key, found.partition, found.version) == (f"{1:064d}", "w1", 2)


def test_what_has_not_lasted_is_no_alarm() -> None:
    found = of(OK, [data()])
    assert said(found) == ("nothing", "nothing", "info")
    assert found.reason == "data:a: moved, but not in enough windows yet"


def test_not_enough_data_is_never_drift() -> None:
    few = data(status="not_enough_data")
    assert said(of([few], [few])) == ("not_enough_data", "nothing", "info")
    rows = finding("quality", statistic="volume", status="ok")
    assert of([few], [few, rows]).cause == "not_enough_data", (
        "a number of rows says nothing of them"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("scale", "a: another unit (times 1000), data is off"),
        ("offset", "a: another unit or origin"),
        ("nulls", "a: missing values"),
        ("renamed", "a: a renamed category"),
        ("stuck", "a: one value only"),
    ],
)
def test_a_fault_of_the_source_is_acted_on_at_once(change: Change, words: str) -> None:
    found = of(OK, [performance(), data(change=change, factor=1000.0)])
    assert said(found) == ("upstream_fault", "quarantine", "error")
    assert found.reason.startswith(words)
    assert "do not retrain" in found.reason
    assert found.evidence == ("data:a",)


@pytest.mark.parametrize("what", ["missing", "type", "duplicates", "volume", "gap", "age"])
def test_broken_quality_is_a_fault(what: str) -> None:
    assert of(OK, [finding("quality", what, column="a")]).action == "quarantine"


def test_new_categories_and_values_out_of_a_shifting_range_are_no_fault() -> None:
    new = [finding("quality", "new_categories", column="a"), data(change="new_values")]
    far = [finding("quality", "range", column="a", change="shift"), data()]
    assert of(OK, new, new).cause == "covariate_shift"
    assert of(OK, far, far).cause == "covariate_shift"
    assert of(OK, [finding("quality", "range", column="a")]).cause == "upstream_fault"


def test_a_column_of_another_type_is_certain() -> None:
    found = of(OK, [data(p_value=None, change=None)])
    assert found.cause == "upstream_fault"
    assert "another type" in found.reason


def test_a_switched_off_alarm_calls_nobody() -> None:
    spec = _with(monitor={"signals": {"data": {"alarm": False}}})
    assert of(OK, [data(change="nulls")], spec=spec).action == "nothing"


def test_a_shift_without_a_loss_is_watched() -> None:
    found = of([data(), GOOD], [data(), GOOD])
    assert said(found) == ("covariate_shift", "watch", "info")
    assert found.reason == (
        "the inputs have moved (a) without a loss: roc_auc 0.8 against 0.8 at the gate"
    )
    assert found.since == "w0"


def test_a_shift_whose_loss_is_only_estimated_waits_for_the_labels() -> None:
    both = [data(), finding("estimated", "roc_auc")]
    found = of(both, both)
    assert said(found) == ("covariate_shift", "wait", "warning")
    assert "the labels will say" in found.reason


def test_errors_without_a_shift_are_another_concept() -> None:
    found = of(OK, [performance()], [performance()])
    assert said(found) == ("concept_drift", "retrain", "warning")
    assert found.helps_from == START + 10 * DAY, "rows since it began"
    assert found.since == "w1"


def test_errors_on_the_same_inputs_are_another_concept_though_inputs_move() -> None:
    both = [performance(), data(), finding("concept", "roc_auc")]
    assert of(OK, both, both).cause == "concept_drift"


def test_harder_rows_are_no_other_concept() -> None:
    same = finding("concept", "roc_auc", status="ok").model_copy(
        update={"value": 0.8, "threshold": 0.78, "beyond": "below"}
    )
    found = of(OK, [performance(), same], [performance(), same])
    assert said(found) == ("performance_loss", "retrain", "warning")
    assert "the same inputs are answered as well as before" in found.reason
    unsure = same.model_copy(update={"value": 0.7})
    assert of(OK, [performance(), unsure], [performance(), unsure]).cause == "concept_drift"


def test_a_first_loss_is_not_called_none() -> None:
    found = of([data(), GOOD], [data(), GOOD], [data(), performance()])
    assert said(found) == ("covariate_shift", "watch", "info")
    assert found.reason.endswith(": a loss if it lasts")


def test_errors_where_the_inputs_have_moved_need_all_rows() -> None:
    same = finding("concept", "roc_auc", status="ok")
    found = of(OK, [performance(), data(), same], [performance(), data(), same])
    assert said(found) == ("performance_loss", "retrain", "warning")
    assert found.helps_from is None
    assert "the inputs have moved (a)" in found.reason


def test_probabilities_that_are_off_while_the_order_holds() -> None:
    off = [finding("calibration"), finding("concept", "roc_auc", status="ok"), GOOD]
    assert said(of(off, off)) == ("miscalibration", "recalibrate", "warning")
    found = of(OK, off, off)
    assert found.helps_from == of(OK, [performance()], [performance()]).helps_from, "it began then"
    loss = [*off[:2], finding("performance", "neg_log_loss")]
    assert of(loss, loss).action == "recalibrate", "which that loss is made of"
    ranks = [*off[:2], performance()]
    assert of(ranks, ranks).action == "retrain"
    before = [finding("calibration"), finding("concept"), finding("performance", "neg_log_loss")]
    assert of(before, loss).action == "retrain", "the order did not hold a window ago"
    concept = [finding("calibration"), finding("concept"), finding("performance", "neg_log_loss")]
    assert of(concept, concept).action == "retrain"


def test_labels_of_a_faulty_file_judge_nobody() -> None:
    first = windows(OK, [data(change="scale")], [performance()])
    fault = triage(history(first[:2]), SPEC, first[1].newest)
    looks = [
        seen.model_copy(update={"labels_at": 9, "findings": (performance(),)}) for seen in first
    ]
    past = history((*first, looks[1]), triages=(fault,))
    assert said(triage(past, SPEC, past.now)) == ("upstream_fault", "nothing", "info")
    third = history((*first, looks[1], looks[2]), triages=(fault,))
    assert triage(third, SPEC, third.now).action == "nothing", "one sound window that moved"
    loud = looks[2].model_copy(update={"alarm": (ALARM,)})
    trusted = history((*first, looks[1], loud))
    assert triage(trusted, SPEC, trusted.now).action == "retrain", "the control"


def test_a_fault_a_person_dismissed_is_the_world_from_now_on() -> None:
    seen = windows(OK, [data(change="scale")], [data(change="scale")])
    fault = triage(history(seen[:2]), SPEC, None)
    told = history(seen, triages=(fault,), dismissed=frozenset({seen[1].sha256}))
    assert triage(told, SPEC, told.now).cause == "covariate_shift"
    mended = replace(told, repaired=told.dismissed)
    assert triage(mended, SPEC, mended.now).cause == "upstream_fault", "the same again is a fault"
    other = windows(OK, [data(change="scale")], [data(change="nulls")])
    more = history(other, triages=(fault,), dismissed=frozenset({other[1].sha256}))
    assert triage(more, SPEC, more.now).cause == "upstream_fault"


def versus(**more: Any) -> Finding:
    return finding("performance", "roc_auc versus version 1", against=1, **more)


def test_a_fresh_champion_that_is_worse_goes() -> None:
    found = of([GOOD, versus()], [GOOD, versus()])
    assert said(found) == ("bad_champion", "roll_back", "error")
    assert found.to_version == 1
    assert "a person decides" in found.reason
    auto = _with(monitor={"rollback": "auto"})
    assert "the model file lets" in of([versus()], [versus()], spec=auto).reason
    assert of([GOOD], [GOOD, versus()]).action == "nothing", "once is not enough"
    assert of([GOOD, versus()], [GOOD, versus()], champions=()).action == "nothing"


def trainings(*gains: float, cause: str = "performance") -> dict[str, Any]:
    made = [Training(i + 3, 0, None, 0.0, frozenset({cause})) for i in range(len(gains))]
    gates = [
        GateVerdict(
            model="m", version=i + 3, verdict="PROMOTE" if gain > -1 else "REJECT", reasons=(),
            rules=(), primary="roc_auc", value=0.8, interval=(0.7, 0.9), rows=100,
            difference=(gain, gain + 0.01, gain + 0.02),
        )
        for i, gain in enumerate(gains)
    ]  # fmt: skip
    return {"trainings": tuple(made), "gates": tuple(gates)}


def test_retraining_again_and_again_without_gain() -> None:
    bad = [performance()]
    found = of(bad, bad, **trainings(-0.01, -2, -0.01))
    assert said(found) == ("no_gain", "escalate", "error")
    assert "3 retrainings (versions 3, 4, 5) have brought no gain" in found.reason
    assert of(bad, bad, **trainings(-0.01, -0.01)).action == "retrain"
    assert of(bad, bad, **trainings(-0.01, -0.01, 0.01)).action == "retrain", "the last one gained"
    assert of(bad, bad, **trainings(-1, -1, -1, cause="new_data")).action == "retrain"
    assert of(OK, OK, **trainings(-1, -1, -1)).action == "nothing"


def test_labels_that_are_due_and_missing_are_waited_for() -> None:
    blind = [performance("not_enough_data", p_value=None), finding("prediction", status="ok")]
    found = of(blind, blind, blind, blind, labelled=0)
    assert said(found) == ("label_delay", "wait", "warning")
    assert found.since == "w0"
    assert "labels of 2 windows since w0 are due" in found.reason, "those of w2 come with w3"
    assert of(blind, blind, blind, labelled=0).cause == "nothing", "due in one window only"
    guess = [*blind, finding("estimated", "roc_auc", note="it may be bad")]
    assert "it may be bad" in of(blind, blind, blind, guess, labelled=0).reason


def test_as_many_labels_as_usual_are_not_late() -> None:
    seen = list(windows(*[[GOOD]] * 8))
    counts = [100, 120, 90, 110, 100, 100, 0, 0]
    told = {o.sha256: n for o, n in zip(seen, counts, strict=True)}
    assert triage(history(seen, labelled=told), SPEC, seen[-1].newest).action == "nothing"
    fewer = dict(zip(told, [100, 120, 90, 110, 20, 15, 0, 0], strict=True))
    assert triage(history(seen, labelled=fewer), SPEC, seen[-1].newest).cause == "label_delay"


def test_a_backlog_that_is_caught_up_with_is_not_late() -> None:
    blind = [performance("not_enough_data", p_value=None), finding("prediction", status="ok")]
    seen = windows(blind, blind, blind, blind, labelled=0)
    at_once = dict.fromkeys((o.sha256 for o in seen), seen[-1].newest)
    assert triage(history(seen, clock=at_once), SPEC, seen[-1].newest).cause == "nothing"


@pytest.mark.parametrize(
    ("signal", "cause"),
    [("fairness", "unfair"), ("kpi", "off_target"), ("service", "service_fault")],
)
def test_what_is_for_a_person(signal: Any, cause: str) -> None:
    off = [finding(signal)]
    assert said(of(off, off)) == (cause, "escalate", "error")


def test_the_model_file_may_say_how_loud() -> None:
    spec = _with(monitor={"signals": {"data": {"severity": "error"}}})
    assert said(of([data(), GOOD], [data(), GOOD], spec=spec))[2] == "error"


def _with(**more: Any) -> Any:
    return type(SPEC).model_validate({**SPEC.model_dump(by_alias=True), **more})


def test_a_fault_of_some_rows_is_a_fault_and_a_shift_of_theirs_is_none() -> None:
    part = data(slice="site=a", change="scale", factor=1000.0)
    found = of(OK, [part])
    assert (found.cause, found.action) == ("upstream_fault", "quarantine")
    assert found.reason.startswith("a: another unit (times 1000) where site=a")
    assert of(OK, [data(slice="site=a", change="shift")]).cause == "nothing"


def test_a_fault_is_told_once_by_the_whole_column_first() -> None:
    whole = data(change="scale", factor=1000.0, note="everywhere")
    found = of(OK, [whole, data(slice="site=a", change="scale", factor=1000.0)])
    assert found.evidence == ("data:a",)
