"""Measure every contender on the same rows under the same resamples."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trimtab.config.model import METRICS
from trimtab.evaluation import bootstrap, discovery, slices
from trimtab.evaluation.bootstrap import Interval, Resampling
from trimtab.evaluation.case import Answers, Case
from trimtab.evaluation.slices import Scored, Sliced
from trimtab.evaluation.weighted import score
from trimtab.types import Rule


@dataclass(frozen=True)
class Measured:
    """The numbers of one case. ``metrics`` has the others' under ``champion.roc_auc`` and so on."""

    metrics: dict[str, float]
    interval: Interval
    differences: dict[str, Interval]  # challenger minus champion, dummy, linear; paired
    resampling: Resampling


def measure(case: Case, answers: Mapping[str, Answers]) -> Measured:
    """Compute all metrics, the primary one's interval and its paired differences."""
    y, primary, spec = case.holdout.y, case.primary, case.gate.versus_champion
    resampling = bootstrap.plan(
        len(y),
        case.holdout.times,
        case.holdout.groups,
        resamples=spec.resamples,
        confidence=spec.confidence,
        seed=case.seed,
    )
    metrics = _metrics(case, answers)
    draws = {
        who: resampling.values(primary, y, answer.prediction, answer.classes)
        for who, answer in answers.items()
    }
    ours, value = draws["challenger"], metrics[primary]
    differences = {
        who: resampling.interval(value - metrics[f"{who}.{primary}"], ours - theirs)
        for who, theirs in draws.items()
        if who != "challenger"
    }
    return Measured(metrics, resampling.interval(value, ours), differences, resampling)


def _metrics(case: Case, answers: Mapping[str, Answers]) -> dict[str, float]:
    names = dict.fromkeys((case.primary, *METRICS[case.task]))
    return {
        name if who == "challenger" else f"{who}.{name}": score(
            name, case.holdout.y, answer.prediction, answer.classes
        )
        for who, answer in answers.items()
        for name in names
    }


def computable(case: Case, measured: Measured) -> Rule:
    """Refuse when the primary metric or its interval does not exist on these rows."""
    low, value, high = measured.interval.triple
    passed = bool(np.isfinite([low, value, high]).all())
    verb = "were measured" if passed else "cannot be computed on these rows"
    return Rule(
        name="measurement",
        passed=passed,
        value=value if passed else None,
        reason=f"{case.primary} and its interval ({case.gate.versus_champion.resamples} resamples "
        f"by {measured.resampling.unit}) {verb}.",
    )


def sliced(case: Case, answers: Mapping[str, Answers], resampling: Resampling) -> Sliced:
    """Measure both in every slice the model file names, and in the worst that are found."""
    gate, frame = case.gate, case.holdout.frame
    ours, theirs = answers["challenger"], answers.get("champion")
    scored = Scored(case.primary, case.holdout.y, ours, theirs, resampling)
    named = slices.measure(scored, frame, gate.slices, gate.slice_min_rows)
    if not gate.discover_slices:
        return named
    columns = case.challenger.features.features
    found = discovery.worst(
        scored, case.task, frame, columns, most=gate.discover_slices, least=gate.slice_min_rows
    )
    return replace(named, slices=(*named.slices, *found))
