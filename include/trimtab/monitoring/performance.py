"""The primary metric on rows whose label is known, against what the gate saw."""

from dataclasses import replace
from math import isfinite, nan

from trimtab.config.monitor import Monitor
from trimtab.monitoring import blocks as by_block
from trimtab.monitoring.blocks import Spread
from trimtab.monitoring.truth import Known, Metric
from trimtab.types import GateVerdict
from trimtab.watch import Finding

FREEDOM = 30  # degrees of freedom of a gate's interval whose days are not known any more


def measure(
    rows: Known,
    reference: Known | None,
    *,
    metric: Metric,
    name: str,
    gate: GateVerdict | None,
    settings: Monitor,
    coverage: str = "",
    looks: int = 1,
) -> Finding:
    """Compare realised with promised performance.

    Args:
        rows: of the window, with a known label.
        reference: the hold-out, whose days say how much days differ; None when it is gone.
        metric: higher is better; NaN where it does not exist.
        name: the metric's name.
        gate: the verdict that promoted the version; None leaves nothing to compare with.
        settings: ``performance_drop`` and ``min_rows``.
        coverage: how many of the scored rows are judged, in words.
        looks: how often the window is looked at as labels come; the chance answers for all.
    """
    promised = gate.value if gate and isfinite(gate.value) else nan
    found = Finding(
        signal="performance",
        statistic=name,
        expected=promised if isfinite(promised) else None,
        threshold=promised - settings.performance_drop if isfinite(promised) else None,
        beyond="below",
        reference_rows=gate.rows if gate else 0,
        current_rows=len(rows),
        status="ok",
    )
    if len(rows) < settings.min_rows:
        note = f"{name} not judged: {coverage}"
        return found.model_copy(update={"status": "not_enough_data", "note": note})
    before = _before(reference, metric, gate)
    now = by_block.borrowed(by_block.spread(rows.value(metric), rows.blocks), before)
    if not isfinite(now.value):  # one class only, for example
        note = f"{name} does not exist on {coverage}"
        return found.model_copy(update={"status": "not_computable", "note": note})
    if not isfinite(promised):
        note = f"{name} {now.value:.3g}, with no gate value to compare with"
        return found.model_copy(update={"value": now.value, "interval": now.interval, "note": note})
    note = f"{name} {now.value:.3g} against {promised:.3g} at the gate ({coverage})"
    chance = min(by_block.chance_of_fall(now, before) * looks, 1.0)
    told = {"value": now.value, "interval": now.interval, "p_value": chance, "note": note}
    return found.model_copy(update=told)


def _before(reference: Known | None, metric: Metric, gate: GateVerdict | None) -> Spread:
    """The gate's value with its error: by the days of its rows, at least as wide as its interval.

    The hold-out's rows here may be a sample; the value is the gate's own.
    """
    kept = by_block.spread(reference.value(metric), reference.blocks) if reference else Spread(nan)
    if gate is None:
        return kept
    half = (gate.interval[1] - gate.interval[0]) / 2
    error = half / 1.96 if isfinite(half) else nan
    if isfinite(kept.error):
        return replace(
            kept, value=gate.value, error=max(kept.error, error if error == error else 0)
        )
    rows = gate.rows
    return Spread(gate.value, error, FREEDOM, max(by_block.MIN_BLOCKS, rows // 1000), rows)
