"""Whether what triage asks for becomes a training. Pure: replaying the same events decides so."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from trimtab.config.monitor import Retrain
from trimtab.monitoring import faults
from trimtab.monitoring.history import History, Training
from trimtab.watch import RetrainDecision, Triage

Cause = Literal["new_data", "drift", "performance", "manual"]
MONTH = timedelta(days=30)
_MOVED = ("data", "joint", "prediction")


def decide(
    found: Triage, history: History, settings: Retrain, now: datetime | None
) -> RetrainDecision:
    """Decide by the data's own time; every guard that says no is named.

    Args:
        found: what the window's alarms mean.
        history: trainings and requests so far, rows of the dataset.
        settings: causes and guards.
        now: newest event time when the window was published.
    """
    last = max(history.trainings, key=lambda training: training.version, default=None)
    new_rows = max(history.rows - (last.rows if last else 0) - _wrong(history, last), 0)
    loud = _causes(found, history)
    causes: list[Cause] = [cause for cause in loud if cause in settings.when]
    helps = found.helps_from if settings.window == "helps" and found.action == "retrain" else None
    if "new_data" in settings.when and new_rows >= settings.min_new_rows and _may(found):
        causes.insert(0, "new_data")
    names = " and ".join(causes)

    def decided(retrain: bool, reason: str) -> RetrainDecision:
        return RetrainDecision(
            model=found.model,
            partition=found.partition,
            retrain=retrain,
            causes=tuple(causes),
            reason=reason,
            new_rows=new_rows,
            helps_from=helps if retrain else None,
            at=now,
        )

    stops = list(_stops(last, history, settings, new_rows, now))
    if not causes:
        return decided(False, _no_cause(found, loud, settings, stops))
    if stops:
        return decided(False, f"{names}, but {'; '.join(stops)}")
    if history.open_request:
        return decided(True, f"{names}: joins the open request {history.open_request[:12]}")
    since = f" since version {last.version}" if last else ""
    return decided(True, f"{names}: {new_rows:,} new rows{since}")


def _causes(found: Triage, history: History) -> list[Cause]:
    """Of a training that triage asks for: the loss, and the shift of the data that came with it."""
    if found.action != "retrain":
        return []
    shifted = any(alarm.signal in _MOVED for alarm in history.newest.alarm)
    return ["drift", "performance"] if shifted else ["performance"]


def _wrong(history: History, last: Training | None) -> int:
    """Rows that came since the last training in files it must not take."""
    faulty = faults.files(history)
    rows = {seen.sha256: seen.rows for seen in history.observations if seen.sha256 in faulty}
    if last is None:
        return sum(rows.values())
    until = last.until
    return sum(n for file, n in rows.items() if until and history.clock.get(file, until) > until)


def _may(found: Triage) -> bool:
    """Whether new rows alone may ask: not while they, or the last answers to them, are in doubt."""
    return found.action not in ("quarantine", "roll_back") and found.cause != "no_gain"


def _stops(
    last: Training | None,
    history: History,
    settings: Retrain,
    new_rows: int,
    now: datetime | None,
) -> Iterator[str]:
    if last is None:
        yield "nothing was trained yet: the first training needs no request"
        return
    if now and last.until and now - last.until < settings.cooldown:
        gone, wanted = _days(now - last.until), _days(settings.cooldown)
        yield f"cooldown: {gone} since version {last.version}, {wanted} wanted"
    elif now and (asked := _asked(history)) and now - asked < settings.cooldown:
        gone, wanted = _days(now - asked), _days(settings.cooldown)
        yield f"cooldown: {gone} since the last request, {wanted} wanted"
    if new_rows < settings.min_new_rows:
        wanted = f"{settings.min_new_rows:,} wanted"
        yield f"min_new_rows: {new_rows:,} since version {last.version}, {wanted}"
    month = [t for t in history.trainings if now and t.until and now - MONTH < t.until <= now]
    if len(month) >= settings.max_per_month:
        yield f"max_per_month: {len(month)} trainings in 30 days, {settings.max_per_month} allowed"
    spent = timedelta(seconds=sum(training.seconds for training in month))
    if settings.budget is not None and spent >= settings.budget:
        yield f"budget: trainings of 30 days took {_time(spent)}, {_time(settings.budget)} allowed"


def _asked(history: History) -> datetime | None:
    """When the last request was made that is answered by now, by a training or in words."""
    if history.open_request:
        return None
    return max((d.at for d in history.decisions if d.retrain and d.at), default=None)


def _no_cause(found: Triage, loud: list[Cause], settings: Retrain, stops: list[str]) -> str:
    if loud:
        return f"{' and '.join(loud)} is not among retrain.when {list(settings.when)}"
    if found.action not in ("nothing", "retrain"):
        return f"{found.cause.replace('_', ' ')} asks for: {found.action.replace('_', ' ')}"
    if "new_data" in settings.when and stops:
        return f"no alarm, and {'; '.join(stops)}"
    return "no alarm"


def _days(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return f"{days:.0f} days" if abs(days) >= 2 else f"{days * 24:.0f} hours"


def _time(span: timedelta) -> str:
    minutes = span / timedelta(minutes=1)
    return f"{minutes:.0f} minutes" if minutes >= 2 else f"{span.total_seconds():.0f} seconds"
