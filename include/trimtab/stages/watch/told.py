"""What monitoring has seen, meant and done, window by window, from the ledger."""

import re
from datetime import UTC, datetime
from typing import Any

from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.monitoring import looks, timeline
from trimtab.monitoring.timeline import Spent
from trimtab.types import Record
from trimtab.watch import Acted, Observation, RetrainDecision, Triage

_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


class Window(Record):
    """One look at one window: every finding, and what was made of it."""

    observation: Observation
    triage: Triage | None = None
    retrain: RetrainDecision | None = None
    acted: Acted | None = None
    page: str | None = None  # file of the HTML page


class Told(Record):
    """The looks asked for, and how the alarms stand against what is allowed."""

    model: str
    since: str | None
    max_false_alarms: str
    alarms: tuple[str, ...]  # windows of the budget's time in which one began
    windows: tuple[Window, ...]


def told(env: Environment, model: str, since: str | None = None) -> Told:
    """Return every look at the windows since then, in the order of the ledger.

    Args:
        env: the environment.
        model: name of the model.
        since: a year, month, day or moment of the data's own time; of windows without a time the
            first partition, by its name.

    Raises:
        NotReadyError: nothing was observed since then.
    """
    settings = env.project.model(model).monitor
    events = env.ledger.events("observation", model)
    seen = [Observation.model_validate(event.payload) for event in events]
    asked = [window for window in seen if since is None or _after(window, since)]
    if not asked:
        when = f" since {since}" if since and seen else ""
        raise NotReadyError(f"{model}: no window was observed{when}")
    used: Spent = timeline.spent(looks.merged(seen), settings)
    return Told(
        model=model,
        since=since,
        max_false_alarms=settings.max_false_alarms,
        alarms=used.alarms,
        windows=tuple(_window(env, each) for each in asked),
    )


def _window(env: Environment, seen: Observation) -> Window:
    def found(kind: str) -> Any:
        event = env.ledger.find(kind, seen.model, seen.key)
        return event.payload if event else None

    return Window(
        observation=seen,
        triage=found("triage"),
        retrain=found("retrain_decision"),
        acted=found("acted"),
        page=str(env.reports / seen.report) if seen.report else None,
    )


def _after(window: Observation, since: str) -> bool:
    """Whether a part of the window is not before that time."""
    moment = _moment(since)
    if moment is None or window.newest is None:
        return window.partition >= since
    return window.newest >= moment


def _moment(text: str) -> datetime | None:
    if day := _DAY.match(text):
        year, month, number = (int(part or 1) for part in day.groups())
        try:
            return datetime(year, month, number, tzinfo=UTC)
        except ValueError:
            return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
