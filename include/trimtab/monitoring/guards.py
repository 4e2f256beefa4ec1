"""Whether an observation asks for a training. Pure: replaying the same events decides the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from trimtab.config.monitor import Retrain
from trimtab.watch import Observation, RetrainDecision, Signal

Cause = Literal["new_data", "drift", "performance", "manual"]
_CAUSE: dict[Signal, Cause] = {
    "data": "drift",
    "joint": "drift",
    "prediction": "drift",
    "performance": "performance",
    "concept": "performance",
}


@dataclass(frozen=True)
class Training:
    """What the guards need of one training: its version, and how far its data went."""

    version: int
    rows: int  # rows of the dataset at the version it was trained on
    until: datetime | None = None


def decide(
    observation: Observation,
    trainings: Sequence[Training],
    settings: Retrain,
    *,
    rows: int,
    at: datetime | None,
    open_request: str | None = None,
) -> RetrainDecision:
    """Decide by the data's own time.

    Args:
        observation: what monitoring saw.
        trainings: trainings so far, whatever their gate said.
        settings: causes, cooldown and minimum of new rows.
        rows: rows of the dataset when the observed file was published.
        at: newest event time at that moment; None for a dataset without time.
        open_request: key of a request nobody has answered yet.
    """
    last = max(trainings, key=lambda training: training.version, default=None)
    new_rows = max(rows - last.rows, 0) if last else rows
    enough = new_rows >= settings.min_new_rows
    loud = list(dict.fromkeys(_CAUSE[a.signal] for a in observation.alarm if a.signal in _CAUSE))
    causes: list[Cause] = [cause for cause in loud if cause in settings.when]
    if "new_data" in settings.when and enough:
        causes.insert(0, "new_data")

    def decided(retrain: bool, reason: str) -> RetrainDecision:
        return RetrainDecision(
            model=observation.model,
            partition=observation.partition,
            retrain=retrain,
            causes=tuple(causes),
            reason=reason,
            new_rows=new_rows,
            at=at,
        )

    stops = list(_stops(last, settings, new_rows, at))
    if not causes:
        return decided(False, _no_cause(observation, settings, stops))
    if stops:
        return decided(False, f"{' and '.join(causes)}, but {'; '.join(stops)}")
    if open_request:
        return decided(True, f"{' and '.join(causes)}: joins the open request {open_request[:12]}")
    since = f" since version {last.version}" if last else ""
    return decided(True, f"{' and '.join(causes)}: {new_rows:,} new rows{since}")


def _stops(
    last: Training | None, settings: Retrain, new_rows: int, at: datetime | None
) -> Sequence[str]:
    """Every guard that says no. A dataset without time has no cooldown, only its row count."""
    if last is None:
        return ["nothing was trained yet: the first training needs no request"]
    stops = []
    if at and last.until and at - last.until < settings.cooldown:
        stops.append(
            f"cooldown: {_days(at - last.until)} since version {last.version}, "
            f"{_days(settings.cooldown)} wanted"
        )
    if new_rows < settings.min_new_rows:
        stops.append(
            f"min_new_rows: {new_rows:,} since version {last.version}, "
            f"{settings.min_new_rows:,} wanted"
        )
    return stops


def _no_cause(observation: Observation, settings: Retrain, stops: Sequence[str]) -> str:
    loud = dict.fromkeys(_CAUSE[a.signal] for a in observation.alarm if a.signal in _CAUSE)
    ignored = [cause for cause in loud if cause not in settings.when]
    if ignored:
        return f"{' and '.join(ignored)} is not among retrain.when {list(settings.when)}"
    if "new_data" in settings.when and stops:
        return f"no alarm, and {'; '.join(stops)}"
    return "no alarm"


def _days(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return f"{days:.0f} days" if abs(days) >= 2 else f"{days * 24:.0f} hours"
