"""Columns against what the version learnt from, answers against those at its gate."""

from trimtab.monitoring import detect, profile
from trimtab.monitoring import joint as together
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.joint import ERROR
from trimtab.monitoring.null import null
from trimtab.monitoring.profile import ColumnProfile
from trimtab.stages.watch import expected
from trimtab.stages.watch.look import PREDICTION, Look
from trimtab.watch import Finding


def data(look: Look) -> list[Comparison]:
    """Compare the features that are watched."""
    schema, columns = look.rows.schema, _watched(look)
    reasons = {
        name: why
        for name, before in columns.items()
        if (why := profile.unreadable(before.kind, schema.get(name)))
    }
    measured = profile.measure(look.rows, columns)
    blocks = expected.features(look.env, look.candidate, look.reference)
    return detect.compare(
        columns,
        measured,
        look.settings,
        reasons=reasons,
        nulls=expected.nulls(look, blocks, columns),
    )


def joint(look: Look) -> list[Comparison]:
    """Compare how well rows fit what the watched columns had in common."""
    columns = _watched(look)
    before = expected.together(look.env, look.candidate, columns)
    if before.basis is None or before.error is None or before.blocks is None:
        why = "fewer than three columns vary"
        return [
            Comparison(
                Finding(
                    signal="joint",
                    statistic="reconstruction_psi",
                    status="not_computable",
                    note=why,
                )
            )
        ]
    rows = together.sample(look.rows)
    now = profile.measure(together.errors(rows, before.basis).to_frame(), {ERROR: before.error})
    span = expected.seconds(look.rows, look.time)
    found = detect.compare_column(
        None,
        before.error,
        now[ERROR],
        look.settings,
        signal="joint",
        statistic="reconstruction_psi",
        expected=null(before.blocks.of(ERROR), rows.height, span),
    )
    return [found]


def prediction(look: Look) -> list[Comparison]:
    """Compare the answers."""
    before = look.reference.prediction
    if before is None:
        return []
    now = profile.measure(look.rows, {PREDICTION: before}).get(PREDICTION)
    blocks = expected.predictions(look.env, look.candidate, before)
    return [
        detect.compare_column(
            "prediction",
            before,
            now,
            look.settings,
            signal="prediction",
            expected=expected.nulls(look, blocks, [PREDICTION])[PREDICTION],
        )
    ]


def _watched(look: Look) -> dict[str, ColumnProfile]:
    return expected.watched(look.env, look.candidate, look.reference, look.settings)
