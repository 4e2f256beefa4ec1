"""What the labels tell: the primary metric, the same inputs' answers, and probabilities."""

from typing import Any

from trimtab.monitoring import concept as same_inputs
from trimtab.monitoring import performance as promised
from trimtab.monitoring import reliability
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch import truth
from trimtab.stages.watch.look import Look
from trimtab.watch import Finding, Signal

CALIBRATION = 0.03  # least mean distance of said and seen shares that matters


def performance(look: Look) -> list[Comparison]:
    """Judge rows with a known label that the version was not trained on."""
    rows, name = truth.judged(look), truth.primary(look)
    finding = promised.measure(
        truth.known(look, rows),
        truth.hold_out(look),
        metric=truth.metric(look, name),
        name=name,
        gate=look.gate,
        settings=look.settings,
        coverage=truth.coverage(look, rows),
        looks=look.looks,
    )
    return [Comparison(finding)]


def concept(look: Look) -> list[Comparison]:
    """Judge whether the same inputs get worse answers than at the gate.

    Of two classes by the order of the answers (ROC AUC): what only moves all of them up or down
    is a matter of calibration. Else by the primary metric.
    """
    rows, before = truth.judged(look), truth.hold_out(look, watched=True)
    name = "roc_auc" if look.candidate.features.task == "binary" else truth.primary(look)
    found = _finding("concept", f"{name} of the same inputs", rows.height, before)
    if before is None or min(rows.height, len(before)) < look.settings.min_rows:
        return [_few(found, look, rows)]
    seen = same_inputs.compare(
        truth.known(look, rows, watched=True), before, truth.metric(look, name)
    )
    if seen.rows < look.settings.min_rows:
        note = f"only {seen.rows:,} rows have inputs like those of the gate's rows"
        return [_with(found, status="not_enough_data", note=note, current_rows=seen.rows)]
    if seen.now.value != seen.now.value or seen.before.value != seen.before.value:
        note = f"{name} does not exist on {truth.coverage(look, rows)}"
        return [_with(found, status="not_computable", note=note)]
    limit = look.settings.watch("concept").limit or look.settings.performance_drop
    note = (
        f"{name} {seen.now.value:.3g} where the same inputs had {seen.before.value:.3g} at the "
        f"gate; other inputs explain {seen.harder_inputs:+.3f} of the difference"
    )
    told = _with(
        found,
        value=seen.now.value,
        interval=seen.now.interval,
        expected=seen.before.value,
        threshold=seen.before.value - limit,
        beyond="below",
        p_value=min(seen.p_value * look.looks, 1.0),
        note=note,
    )
    return [told]


def calibration(look: Look) -> list[Comparison]:
    """Judge whether things happen as often as the model says, as they did at the gate."""
    if look.candidate.features.task == "regression":
        return []
    rows, before = truth.judged(look), truth.hold_out(look)
    found = _finding("calibration", "calibration_error", rows.height, before)
    if before is None or min(rows.height, len(before)) < look.settings.min_rows:
        return [_few(found, look, rows)]
    seen = reliability.compare(truth.known(look, rows), before, truth.classes(look))
    limit = look.settings.watch("calibration").limit or CALIBRATION
    told = _with(
        found,
        value=seen.error,
        expected=seen.by_chance,
        threshold=seen.by_chance + limit,
        p_value=min(seen.p_value * look.looks, 1.0),
        note=f"it happens in {seen.seen:.1%} where the gate's rows let expect {seen.said:.1%}",
    )
    return [told]


def _finding(signal: Signal, statistic: str, rows: int, before: Any) -> Finding:
    return Finding(
        signal=signal,
        statistic=statistic,
        status="ok",
        reference_rows=0 if before is None else len(before),
        current_rows=rows,
    )


def _few(found: Finding, look: Look, rows: Any) -> Comparison:
    note = f"not judged: {truth.coverage(look, rows)}"
    if not found.reference_rows:
        note = "not judged: the version had no hold-out rows"
    return _with(found, status="not_enough_data", note=note)


def _with(found: Finding, **told: Any) -> Comparison:
    return Comparison(found.model_copy(update=told))
