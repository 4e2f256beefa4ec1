"""Findings from profiles, and when findings are an alarm. Pure: the same input, the same answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab.config.model import Monitor
from trimtab.monitoring.distance import Distance, distance
from trimtab.monitoring.profile import ColumnProfile
from trimtab.types import Finding

Alarm = Literal["drift", "performance"]
PREDICTION = "prediction"
STATISTIC = "psi"


@dataclass(frozen=True)
class Comparison:
    """One column on both sides, with the finding it led to."""

    finding: Finding
    reference: ColumnProfile | None = None
    current: ColumnProfile | None = None
    distance: Distance | None = None

    @property
    def size(self) -> float:
        """PSI above what chance alone gives; 0 when it could not be computed."""
        return max(self.distance.psi - self.distance.floor, 0.0) if self.distance else 0.0


def compare(
    reference: Mapping[str, ColumnProfile],
    current: Mapping[str, ColumnProfile],
    settings: Monitor,
    *,
    signal: Literal["data", "prediction"] = "data",
    reasons: Mapping[str, str] | None = None,
) -> list[Comparison]:
    """Compare every column of the reference; ``reasons`` says why one is not in ``current``."""
    why = reasons or {}
    return [
        compare_column(
            name, before, current.get(name), settings, signal=signal, reason=why.get(name, "")
        )
        for name, before in reference.items()
    ]


def compare_column(
    name: str,
    before: ColumnProfile,
    after: ColumnProfile | None,
    settings: Monitor,
    *,
    signal: Literal["data", "prediction"] = "data",
    reason: str = "",
) -> Comparison:
    """Judge one column. The limit is the model's own plus what sampling alone would give."""
    rows = after.rows if after else 0

    def found(
        status: Literal["ok", "drift", "not_enough_data", "not_computable"],
        note: str,
        apart: Distance | None = None,
    ) -> Comparison:
        finding = Finding(
            signal=signal,
            column=name,
            statistic=STATISTIC,
            value=apart.psi if apart else None,
            threshold=settings.drift + (apart.floor if apart else 0.0),
            reference_rows=before.rows,
            current_rows=rows,
            status=status,
            note=note,
        )
        return Comparison(finding, before, after, apart)

    if after is None:
        return found("not_computable", reason or "the column is absent")
    if not sum(before.counts):
        return found("not_computable", "the reference has no value in this column")
    if before.constant:
        return found("not_computable", f"one value only in the reference; {_constant(after)}")
    if min(rows, before.rows) < settings.min_rows:
        few = f"{min(rows, before.rows):,} rows, {settings.min_rows:,} wanted"
        return found("not_enough_data", few)
    apart = distance(before, after)
    moved = apart.psi >= settings.drift + apart.floor
    return found("drift" if moved else "ok", change(before, after), apart)


def change(before: ColumnProfile, after: ColumnProfile) -> str:
    """Say in a few words what is different: the mean, the share of a category, the nulls."""
    parts = []
    if before.mean is not None and after.mean is not None:
        parts.append(f"{_number(before.mean)} → {_number(after.mean)} mean")
    if before.kind == "categorical" and after.rows - after.nulls > 0:
        parts.append(_category_change(before, after))
    if not sum(after.counts):
        parts.append("no value at all now")
    elif abs(before.null_share - after.null_share) >= 0.005:
        parts.append(f"nulls {before.null_share:.1%} → {after.null_share:.1%}")
    return ", ".join(part for part in parts if part)


def alarms(
    data: Sequence[Comparison],
    prediction: Comparison | None,
    performance: Finding | None,
    settings: Monitor,
) -> tuple[Alarm, ...]:
    """Which of the findings are loud enough to call somebody."""
    drifted = [c for c in data if c.finding.status == "drift"]
    judged = [c for c in data if c.finding.status in ("ok", "drift")]
    moved = bool(prediction and prediction.finding.status == "drift")
    wide = bool(judged) and len(drifted) / len(judged) >= settings.drifted_share
    worse = bool(performance and performance.status == "drift")
    rung: list[tuple[Alarm, bool]] = [("drift", wide or moved), ("performance", worse)]
    return tuple(name for name, loud in rung if loud)


def summary(
    data: Sequence[Comparison], prediction: Comparison | None, performance: Finding | None
) -> str:
    """One sentence for people: how much moved, what most, and what it did to the model."""
    parts = [_features(data)]
    if prediction is not None:
        parts.append(_prediction(prediction))
    parts.append(performance.note if performance else "no label is known yet")
    return "; ".join(parts)


def _features(data: Sequence[Comparison]) -> str:
    judged = [c for c in data if c.finding.status in ("ok", "drift")]
    drifted = sorted(
        (c for c in judged if c.finding.status == "drift"), key=lambda c: c.size, reverse=True
    )
    if not judged:
        few = any(c.finding.status == "not_enough_data" for c in data)
        return "not enough rows to compare" if few else "no feature could be compared"
    text = f"{len(drifted)} of {len(judged)} features moved"
    if drifted:
        most = drifted[0].finding
        note = f": {most.note}" if most.note else ""
        text += f", most of all {most.column} (PSI {most.value:.2g}{note})"
    odd = len(data) - len(judged)
    return f"{text} ({odd} could not be compared)" if odd else text


def _prediction(prediction: Comparison) -> str:
    finding = prediction.finding
    if finding.value is None:
        return f"predictions could not be compared ({finding.note})"
    moved = {True: "moved", False: "moved little"}[finding.status == "drift"]
    return f"predictions {moved} (PSI {finding.value:.2g})"


def _constant(after: ColumnProfile) -> str:
    same = "still one now" if after.constant else "several now"
    return same if sum(after.counts) else "none now"


def _category_change(before: ColumnProfile, after: ColumnProfile) -> str:
    names = (*before.categories, "other values")
    left, right = sum(before.counts), sum(after.counts)
    moves = [a / right - b / left for b, a in zip(before.counts, after.counts, strict=True)]
    i = max(range(len(moves)), key=lambda j: abs(moves[j]))
    name = names[i]
    if i == len(before.categories) and not before.counts[i]:
        name = f"new values ({', '.join(repr(value) for value in after.unlisted)})"
    if abs(moves[i]) < 0.005:
        return ""
    return f"{name} {before.counts[i] / left:.1%} → {after.counts[i] / right:.1%}"


def _number(value: float) -> str:
    return f"{value:,.1f}" if 10 <= abs(value) < 1e6 else f"{value:.3g}"
