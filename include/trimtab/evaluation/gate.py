"""The gate: measure challenger, champion and baselines on the same rows, then apply the rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from trimtab.evaluation import (
    behaviour,
    calibration,
    fairness,
    health,
    robustness,
    rules,
    slice_rules,
    versus,
)
from trimtab.evaluation.bootstrap import Interval
from trimtab.evaluation.calibration import Calibration
from trimtab.evaluation.case import Answers, Case, Contender, Model
from trimtab.evaluation.measure import Measured, computable, measure, sliced
from trimtab.evaluation.slices import Sliced
from trimtab.types import Behaved, Disturbance, GateVerdict, GroupGap, Rule

Word = Literal["PROMOTE", "HOLD", "REJECT"]
_TOLD = (  # when a version passes: rules by the beginning of their names
    "versus_champion",
    "threshold",
    "beats_dummy",
    "linear_baseline",
    "calibrated_again",
    "slice_",
    "fairness_",
    "behaviour_",
    "leaks",
)
_NOTHING = Interval(float("nan"), float("nan"), float("nan"))


@dataclass
class _Hearing:
    """What was found so far."""

    rules: list[Rule]
    models: dict[str, Model] = field(default_factory=dict)
    answers: dict[str, Answers] = field(default_factory=dict)
    measured: Measured | None = None
    slices: Sliced = field(default_factory=lambda: Sliced((), 0, 0))
    calibration: Calibration | None = None
    fairness: list[GroupGap] = field(default_factory=list)
    robustness: list[Disturbance] = field(default_factory=list)
    behaviour: list[Behaved] = field(default_factory=list)

    def ask(self, name: str, rule: Callable[[], Rule]) -> None:
        """Judge one rule; an exception in it refuses."""
        self.rules.append(rules.guarded(name, rule))

    @property
    def clean(self) -> bool:
        """Whether every rule passed so far."""
        return not _failed(self.rules)


def judge(case: Case) -> GateVerdict:
    """Return the verdict. Nothing that goes wrong in here lets a version pass."""
    hearing = _Hearing(list(case.before))
    _ask_rows(case, hearing)
    if len(case.holdout) and hearing.clean:  # a model that cannot serve is not loaded here either
        _ask_contenders(case, hearing)
        _ask_health(hearing)
    if hearing.clean:
        hearing.ask("measurement", lambda: _measure(case, hearing))
    if hearing.measured is not None and hearing.clean:
        _ask_values(case, hearing, hearing.measured)
        _ask_slices(case, hearing, hearing.measured)
        _ask_calibration(case, hearing)
        _ask_trust(case, hearing, hearing.measured)
    hearing.rules += case.after
    return _verdict(case, hearing)


def decide(found: Sequence[Rule]) -> Word:
    """Any refusal refuses, any open question holds; no rules at all is no pass."""
    failed = {rule.decides for rule in _failed(found)}
    if "reject" in failed or not found:
        return "REJECT"
    return "HOLD" if failed else "PROMOTE"


def reasons(word: Word, found: Sequence[Rule]) -> tuple[str, ...]:
    """Sentences: what refused or is missing, or why it passes."""
    if word == "PROMOTE":
        ordered = [rule for name in _TOLD for rule in found if rule.name.startswith(name)]
        return tuple(rule.reason for rule in ordered if rule.name != "slices")
    failed = sorted(_failed(found), key=lambda rule: rule.decides == "hold")
    return tuple(rule.reason for rule in failed)


def _failed(found: Sequence[Rule]) -> list[Rule]:
    """The rules that keep a version from passing; a warning does not."""
    return [rule for rule in found if not rule.passed and rule.severity == "block"]


def _ask_rows(case: Case, hearing: _Hearing) -> None:
    y = case.holdout.y
    hearing.ask("enough_rows", lambda: rules.enough_rows(len(y), case.gate.min_rows))
    hearing.ask("both_classes", lambda: rules.both_classes(y, case.task))
    if (column := case.group) is not None:
        hearing.ask("enough_groups", lambda: rules.enough_groups(case.holdout.groups, column))


def _ask_contenders(case: Case, hearing: _Hearing) -> None:
    def answered(who: Contender) -> Rule:
        hearing.models[who.name] = model = who.load()
        prediction = np.asarray(model.predict(case.holdout.columns(who.features)), dtype=float)
        hearing.answers[who.name] = Answers(prediction, model.classes)
        return rules.finite_predictions(who.name, prediction, len(case.holdout), case.task)

    for who in case.contenders:
        hearing.ask(f"{who.name}_answers", lambda who=who: answered(who))  # type: ignore[misc]


def _ask_health(hearing: _Hearing) -> None:
    """Look into the challenger, also when its answers are of no use: that may be why."""
    if (model := hearing.models.get("challenger")) is not None:
        hearing.ask(health.RULE, lambda: health.rule(model))


def _measure(case: Case, hearing: _Hearing) -> Rule:
    hearing.measured = measure(case, hearing.answers)
    return computable(case, hearing.measured)


def _ask_values(case: Case, hearing: _Hearing, measured: Measured) -> None:
    gate, primary = case.gate, case.primary
    value, spec = measured.interval.estimate, gate.versus_champion
    if (least := gate.min) is not None:
        hearing.ask("threshold", lambda: rules.threshold(primary, value, least))
    answer = hearing.answers["challenger"]
    hearing.ask(health.CONSTANT, lambda: health.varied(answer.prediction))
    dummy = measured.metrics[f"dummy.{primary}"]
    hearing.ask(
        "beats_dummy", lambda: rules.beats_dummy(primary, value, dummy, gate.versus_baseline)
    )
    linear, itself = measured.differences["linear"], case.challenger.linear
    hearing.ask(
        "linear_baseline",
        lambda: versus.linear(primary, linear, gate.versus_linear, itself=itself),
    )
    if (champion := case.champion) is not None:
        difference, rows = measured.differences["champion"], len(case.holdout)
        hearing.ask(
            "versus_champion",
            lambda: versus.champion(primary, difference, spec, rows=rows, version=champion.version),
        )


def _ask_slices(case: Case, hearing: _Hearing, measured: Measured) -> None:
    gate, primary, sure = case.gate, case.primary, case.gate.versus_champion.confidence
    if not gate.slices and not gate.discover_slices:
        return

    def measured_slices() -> Rule:
        hearing.slices = sliced(case, hearing.answers, measured.resampling)
        looked = gate.discover_slices > 0
        return slice_rules.measured(hearing.slices, gate.slices, looked=looked)

    hearing.ask("slices", measured_slices)
    if (floor := gate.slice_floor) is not None:
        hearing.ask("slice_floor", lambda: slice_rules.floors(primary, hearing.slices, floor, sure))
    if (champion := case.champion) is not None:
        most, version = gate.slice_max_regression, champion.version
        hearing.ask(
            "slice_regression",
            lambda: slice_rules.regressions(primary, hearing.slices, most, version, sure),
        )


def _ask_calibration(case: Case, hearing: _Hearing) -> None:
    if case.task == "regression":
        return

    def calibrated() -> Rule:
        hearing.calibration = found = _calibration(case, hearing, "challenger")
        return calibration.rule(found, case.gate.calibration)

    def again(version: int) -> Rule:
        now, before = (_calibration(case, hearing, who) for who in ("challenger", "champion"))
        return calibration.again(now, before, version=version)

    hearing.ask(calibration.NAME, calibrated)
    if (champion := case.champion) and case.challenger.features.recalibrates is not None:
        hearing.ask(calibration.AGAIN, lambda: again(champion.version))


def _calibration(case: Case, hearing: _Hearing, who: str) -> Calibration:
    answers = hearing.answers[who]
    return calibration.measure(case.holdout.y, answers.prediction, answers.classes)


def _labels_needed(case: Case, hearing: _Hearing) -> int | None:
    """About how many more labelled hold-out rows would decide, where a number says so."""
    open_ = {rule.name: rule for rule in _failed(hearing.rules) if rule.decides == "hold"}
    needed = []
    if (few := open_.get("enough_rows")) and few.limit is not None and few.value is not None:
        needed.append(int(few.limit - few.value))
    if "versus_champion" in open_ and hearing.measured is not None:
        difference = hearing.measured.differences["champion"]
        rows, spec = len(case.holdout), case.gate.versus_champion
        if more := versus.more_rows(difference, spec, rows):
            needed.append(more)
    gaps = [gap for gap in hearing.fairness if fairness.name(gap) in open_]
    told = (fairness.more_rows(gap, len(case.holdout)) for gap in gaps)
    return max([*needed, *(more for more in told if more)], default=None)


def _ask_trust(case: Case, hearing: _Hearing, measured: Measured) -> None:
    answers, model = hearing.answers["challenger"], hearing.models["challenger"]
    hearing.fairness = fairness.ask(case, answers, measured.resampling, hearing.ask)
    hearing.robustness = robustness.ask(case, model, hearing.ask)
    hearing.behaviour = behaviour.ask(case, model, hearing.ask)


def _verdict(case: Case, hearing: _Hearing) -> GateVerdict:
    word, measured = decide(hearing.rules), hearing.measured
    interval = measured.interval if measured else _NOTHING
    difference = measured.differences.get("champion") if measured else None
    metrics = measured.metrics if measured else {}
    features = case.challenger.features
    return GateVerdict(
        model=features.model,
        version=case.challenger.version,
        verdict=word,
        reasons=reasons(word, hearing.rules),
        rules=tuple(hearing.rules),
        primary=case.primary,
        value=interval.estimate,
        interval=(interval.low, interval.high),
        champion=case.champion.version if case.champion else None,
        champion_value=metrics.get(f"champion.{case.primary}"),
        difference=difference.triple if difference else None,
        metrics=metrics,
        slices=tuple(part.to_json() for part in hearing.slices.slices),
        fairness=tuple(hearing.fairness),
        robustness=tuple(hearing.robustness),
        behaviour=tuple(hearing.behaviour),
        operation=dict(case.operation),
        calibration=hearing.calibration.error if hearing.calibration else None,
        labels_needed=_labels_needed(case, hearing) if word == "HOLD" else None,
        resampling=measured.resampling.unit if measured else "",
        rows=len(case.holdout),
        holdout_sha256=features.holdout_sha256,
        holdout_from=features.train_until,
        holdout_until=features.holdout_until,
    )
