"""Findings from profiles, and when findings are an alarm. Pure: the same input, the same answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from trimtab.config.monitor import Monitor
from trimtab.monitoring.distance import Distance, Expected, distance, psi_bins
from trimtab.monitoring.profile import ColumnProfile
from trimtab.watch import Alarm, Finding, Observation, Signal, Status

STATISTIC = "psi"
Drift = Literal["data", "joint", "prediction"]


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


def concluded(compared: Sequence[Comparison], findings: Sequence[Finding]) -> list[Comparison]:
    """Return the comparisons with the findings that judging made of theirs, in the same order."""
    return [replace(each, finding=found) for each, found in zip(compared, findings, strict=True)]


def compare(
    reference: Mapping[str, ColumnProfile],
    current: Mapping[str, ColumnProfile],
    settings: Monitor,
    *,
    signal: Drift = "data",
    reasons: Mapping[str, str] | None = None,
    nulls: Mapping[str, Expected] | None = None,
) -> list[Comparison]:
    """Compare every column of the reference.

    Args:
        reference: its columns, of which each is compared.
        current: the window's; a column may be missing.
        settings: of the model's monitor.
        signal: what it is about.
        reasons: why a column is not in ``current``.
        nulls: the distance of each column when nothing has changed; of the others the rows are
            taken as independent.
    """
    why, chances = reasons or {}, nulls or {}
    return [
        compare_column(
            name,
            before,
            current.get(name),
            settings,
            signal=signal,
            reason=why.get(name, ""),
            expected=chances.get(name),
        )
        for name, before in reference.items()
    ]


def compare_column(
    name: str | None,
    before: ColumnProfile,
    after: ColumnProfile | None,
    settings: Monitor,
    *,
    signal: Drift = "data",
    statistic: str = STATISTIC,
    reason: str = "",
    expected: Expected | None = None,
) -> Comparison:
    """Compare one column. The limit is the model's own plus what chance alone would give."""
    rows = after.rows if after else 0
    limit = settings.watch(signal).limit or settings.drift

    def found(status: Status, note: str, apart: Distance | None = None) -> Comparison:
        finding = Finding(
            signal=signal,
            column=name,
            statistic=statistic,
            value=apart.psi if apart else None,
            expected=apart.floor if apart else None,
            threshold=limit + (apart.floor if apart else 0.0),
            p_value=apart.p_value if apart else None,
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
    return found("ok", change(before, after), distance(before, after, expected))


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
    history: Sequence[Observation], newest: Observation, settings: Monitor
) -> tuple[Alarm, ...]:
    """Which signals have moved in k of the last n windows of this version, the newest included.

    A window in which a signal was not judged, for want of rows or labels, says nothing of it and
    is passed over.

    Args:
        history: earlier windows, oldest first, whatever their version.
        newest: the window to judge, with judged findings; or a later look at one of ``history``,
            which is then judged with the windows before it.
        settings: of the model's monitor.
    """
    same = list(takewhile(lambda each: each.sha256 != newest.sha256, history))
    mine = [each for each in same if each.version == newest.version]
    found = (_alarm(signal, [*mine, newest], settings) for signal in _moved(newest))
    return tuple(alarm for alarm in found if alarm)


def summary(findings: Sequence[Finding]) -> str:
    """One sentence for people: how much moved, what most, and what it did to the model."""
    judged = [f for f in findings if f.status in ("ok", "moved")]
    moved = [f for f in judged if f.status == "moved"]
    if not judged:
        return "nothing could be judged"
    told = [f"{len(moved)} of {len(judged)} findings moved"]
    told += [f"{f.name} ({f.note})" if f.note else f.name for f in moved[:3]]
    told += [f.note for f in findings if _whole(f) and f.status != "moved"][:1]
    return "; ".join(told)


def _whole(finding: Finding) -> bool:
    return finding.signal == "performance" and finding.slice is None


def _moved(window: Observation) -> list[Signal]:
    return list(dict.fromkeys(f.signal for f in window.findings if f.status == "moved"))


def _alarm(signal: Signal, windows: Sequence[Observation], settings: Monitor) -> Alarm | None:
    if not settings.watch(signal).alarm:
        return None
    k, n = settings.persistence(signal)
    judged = [(w, statuses) for w in windows if (statuses := _judged(w, signal))]
    moved = ["moved" in statuses for _, statuses in judged]
    if sum(moved[-n:]) < k:
        return None
    first = max((i + 1 for i, yes in enumerate(moved) if not yes), default=0)
    names = [f.name for f in windows[-1].findings if f.signal == signal and f.status == "moved"]
    return Alarm(
        signal=signal,
        findings=tuple(names),
        since=judged[first][0].partition,
        windows=sum(moved[-n:]),
    )


def _judged(window: Observation, signal: Signal) -> set[Status]:
    found: set[Status] = {f.status for f in window.findings if f.signal == signal}
    return found & {"ok", "moved"}


def _constant(after: ColumnProfile) -> str:
    same = "still one now" if after.constant else "several now"
    return same if sum(after.counts) else "none now"


def _category_change(before: ColumnProfile, after: ColumnProfile) -> str:
    names = (*before.categories, "other values")
    left, right = sum(before.counts), sum(after.counts)
    i = int(psi_bins(before.counts, after.counts).argmax())
    name = names[i]
    if i == len(before.categories) and not before.counts[i]:
        name = f"new values ({', '.join(repr(value) for value in after.unlisted)})"
    then, now = before.counts[i] / left, after.counts[i] / right
    return f"{name} {then:.1%} → {now:.1%}" if abs(now - then) >= 0.005 else ""


def _number(value: float) -> str:
    return f"{value:,.1f}" if 10 <= abs(value) < 1e6 else f"{value:.3g}"
