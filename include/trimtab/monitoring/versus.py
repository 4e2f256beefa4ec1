"""A champion and its predecessor on the very same rows. Pure."""

from math import isfinite

from trimtab.config.monitor import Monitor
from trimtab.monitoring import blocks
from trimtab.monitoring.truth import Known, Metric
from trimtab.watch import Finding


def compare(
    now: Known, before: Known, *, metric: Metric, name: str, version: int, settings: Monitor
) -> Finding:
    """Judge the difference of a metric, champion minus predecessor, by its blocks.

    The rows are the same, so that what makes a day hard for both does not count.

    Args:
        now: rows with the champion's answers.
        before: the same rows with those of the predecessor.
        metric: higher is better.
        name: the metric's name.
        version: of the predecessor.
        settings: ``performance_drop`` and ``min_rows``.
    """
    found = Finding(
        signal="performance",
        statistic=f"{name} versus version {version}",
        expected=0.0,
        threshold=-settings.performance_drop,
        beyond="below",
        reference_rows=len(before),
        current_rows=len(now),
        status="ok",
        against=version,
    )
    if len(now) < settings.min_rows:
        note = f"{len(now):,} rows with a label, {settings.min_rows:,} wanted"
        return found.model_copy(update={"status": "not_enough_data", "note": note})
    mine, other = now.value(metric), before.value(metric)
    apart = blocks.spread(lambda keep: mine(keep) - other(keep), now.blocks)
    if not isfinite(apart.value) or not isfinite(apart.error):
        note = f"{name} of both does not exist on enough days"
        return found.model_copy(update={"status": "not_computable", "note": note})
    same = blocks.Spread(0.0, 0.0, apart.freedom, apart.blocks, apart.rows)
    everything = now.truth == now.truth
    told = f"{name} {mine(everything):.3g}, version {version} has {other(everything):.3g}"
    return found.model_copy(
        update={
            "value": apart.value,
            "interval": apart.interval,
            "p_value": blocks.chance_of_fall(apart, same),
            "note": told,
        }
    )
