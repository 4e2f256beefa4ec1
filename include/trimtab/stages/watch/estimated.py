"""The primary metric of all scored rows, estimated while their labels are missing."""

from trimtab.monitoring import estimated as estimate
from trimtab.monitoring import looks
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch import truth
from trimtab.stages.watch.look import PREDICTION, Look
from trimtab.types import TARGET
from trimtab.watch import Finding


def estimated(look: Look) -> list[Comparison]:
    """Estimate from confidence (classification) or expected loss (regression), by the hold-out.

    It calls nobody once the labels are there: then the truth decides, and it is shown beside it.
    """
    before, name = truth.hold_out(look, watched=True), truth.primary(look)
    answered = look.rows[PREDICTION].count()
    found = Finding(
        signal="estimated",
        statistic=name,
        reference_rows=0 if before is None else len(before),
        current_rows=answered,
        status="not_enough_data",
        note=f"{name} not estimated: {answered:,} answered rows",
    )
    if before is None or min(answered, len(before)) < look.settings.min_rows:
        return [Comparison(found)]
    now, metric = truth.answered(look), truth.metric(look, name)
    if look.candidate.features.task == "regression":
        seen = estimate.regression(now, before, metric, name)
    else:
        seen = estimate.classification(now, before, metric, truth.classes(look))
    there = look.rows[TARGET].count() >= looks.COMPLETE * look.rows.height
    told = {
        "value": seen.value,
        "interval": seen.interval,
        "expected": seen.expected,
        "threshold": seen.expected - look.settings.performance_drop,
        "beyond": "below",
        "p_value": None if there else seen.p_value,
        "status": "ok",
        "note": _note(name, seen, there),
    }
    return [Comparison(found.model_copy(update=told))]


def _note(name: str, seen: estimate.Estimate, there: bool) -> str:
    told = f"{name} {seen.value:.3g} estimated from the inputs, {seen.expected:.3g} at the gate"
    return f"{told}; the labels are there and decide" if there else told
