"""What every column that moved looks like, read off the window's own values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from trimtab.monitoring import shape
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch.look import Look
from trimtab.watch import Finding


def told(
    look: Look, findings: Sequence[Finding], compared: Sequence[Comparison]
) -> tuple[Finding, ...]:
    """Return the judged findings; a column that moved says whether it looks like a fault.

    Args:
        look: at the window.
        findings: judged, one for each of ``compared``.
        compared: with the profiles of both sides.
    """
    return tuple(_told(look, f, c) for f, c in zip(findings, compared, strict=True))


def _told(look: Look, finding: Finding, seen: Comparison) -> Finding:
    before, after, column = seen.reference, seen.current, finding.column
    asked = finding.signal == "data" and finding.status == "moved" and not finding.slice
    if not asked or before is None or after is None or column is None:
        return finding
    values: Any = np.empty(0)
    if before.kind == "numeric" and column in look.rows.columns:
        values = look.rows[column].cast(pl.Float64, strict=False).drop_nulls().to_numpy()
    found = shape.of(before, after, values)
    return finding.model_copy(update={"change": found.change, "factor": found.factor})
