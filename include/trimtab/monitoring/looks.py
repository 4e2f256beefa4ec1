"""When the labels of a window are worth another look, and windows as they are known best. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.watch import Observation, Signal

# Signals that are judged by labels, or may be: a later look asks these only.
BY_LABELS: tuple[Signal, ...] = ("performance", "concept", "calibration", "fairness", "kpi")
COMPLETE = 0.95  # share of labelled rows from which on no later look is expected
LEAST = 0.05  # share of the rows whose label must be new
PARTS = 4  # a look each time another quarter of the labels is there
# Looks a window can have: at once, when there are enough rows, at each quarter, when nearly all
# are there, and when the last one is due.
MOST = 1 + 1 + PARTS + 1 + 1


@dataclass(frozen=True)
class Labels:
    """How many rows have a label at a version, and whether the last one is due by then.

    ``changed`` of them had another one at the last look.
    """

    known: int
    due: bool
    changed: int = 0


def again(rows: int, before: Labels, now: Labels, min_rows: int) -> bool:
    """Whether the labels that came since the last look can change what it said."""
    if now.changed >= max(LEAST * rows, 1):
        return True
    if rows == 0 or now.known - before.known < LEAST * rows:
        return False
    judged = before.known < min_rows <= now.known
    quarter = PARTS * now.known // rows > PARTS * before.known // rows
    complete = now.known >= COMPLETE * rows
    return judged or quarter or complete or (now.due and not before.due)


def often(rows: int, known: int, earlier: int) -> int:
    """How many looks the chance of this one must answer for: a p-value is as many times as large.

    The looks before, this one, and those that may still come: each takes ``LEAST`` of the rows'
    labels. That is never fewer than the window has in the end, so that Bonferroni's bound holds;
    but for labels that change, of which nobody knows beforehand.
    """
    to_come = int((rows - known) / (LEAST * rows)) if rows else 0
    return max(min(earlier + 1 + to_come, MOST), earlier + 1)


def merged(observations: Sequence[Observation]) -> list[Observation]:
    """One record for each window, as it is known best: later looks replace what labels told.

    Args:
        observations: in the order of the ledger; the windows keep the order of their first look.
    """
    windows: dict[str, Observation] = {}
    for seen in observations:
        window = windows.get(seen.sha256)
        windows[seen.sha256] = (
            _updated(window, seen) if window and seen.labels_at is not None else seen
        )
    return list(windows.values())


def _updated(window: Observation, later: Observation) -> Observation:
    told = {finding.signal for finding in later.findings}
    kept = tuple(finding for finding in window.findings if finding.signal not in told)
    calm = tuple(alarm for alarm in window.alarm if alarm.signal not in told)
    return window.model_copy(
        update={
            "findings": (*kept, *later.findings),
            "alarm": (*calm, *later.alarm),
            "performance": later.performance,
            "labelled": later.labelled,
            "labels_at": later.labels_at,
        }
    )
