"""Columns against what the version learnt from, answers against those at its gate."""

from trimtab.monitoring import detect, profile
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch.look import PREDICTION, Look


def data(look: Look) -> list[Comparison]:
    """Compare every feature."""
    schema = look.rows.schema
    reasons = {
        name: why
        for name, before in look.reference.columns.items()
        if (why := profile.unreadable(before.kind, schema.get(name)))
    }
    measured = profile.measure(look.rows, look.reference.columns)
    return detect.compare(look.reference.columns, measured, look.settings, reasons=reasons)


def prediction(look: Look) -> list[Comparison]:
    """Compare the answers."""
    before = look.reference.prediction
    if before is None:
        return []
    now = profile.measure(look.rows, {PREDICTION: before}).get(PREDICTION)
    return [detect.compare_column("prediction", before, now, look.settings, signal="prediction")]
