"""Incidents in the ledger: opened once, joined by other models of the dataset, resolved."""

from collections.abc import Iterator
from dataclasses import dataclass

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.features.steps import steps
from trimtab.features.view import needed
from trimtab.ledger import Ledger
from trimtab.ledger.event import Entry
from trimtab.monitoring import incidents
from trimtab.watch import Incident, Triage

OPENED, RESOLVED = "incident", "incident_resolved"
LOCK = "incidents"


@dataclass(frozen=True)
class Change:
    """What one window does to the incidents there are."""

    incident: Incident | None = None  # it opens, joins or is in
    new: bool = False  # opens or joins: somebody has to hear of it
    over: tuple[Incident, ...] = ()  # these end

    def entries(self, found: Triage) -> Iterator[Entry]:
        """Yield what is to be written about it."""
        if self.incident and self.new:
            mine = self.incident
            first = mine.models == (found.model,)
            key = mine.id if first else f"{mine.id}:{found.model}"
            yield Entry(OPENED, mine.dataset, key, mine.to_json())
        for ended in self.over:
            facts = {"id": ended.id, "model": found.model, "key": found.key}
            yield Entry(RESOLVED, ended.dataset, ended.id, facts)


def change(env: Environment, spec: ModelSpec, found: Triage) -> Change:
    """Say what a window opens, joins and ends."""
    standing = unresolved(env.ledger)
    newest = {name: seen for name in _models(standing) if (seen := _newest(env, name))}
    newest[found.model] = found
    mine = [e for e in standing if found.model in e.models and not _older(env, e, found)]
    over = tuple(each for each in mine if incidents.over(each, newest))
    wanted = incidents.about(found, _upstream(env, spec), spec.scored_on)
    if wanted is None:
        return Change(over=over)
    joined = incidents.joined(wanted, standing)
    if joined is None:
        return Change(wanted, new=True, over=over)
    return Change(joined, new=joined not in standing, over=over)


def origin(env: Environment, spec: ModelSpec, found: Triage) -> str:
    """Return the dataset whose columns a triage is about."""
    return incidents.origin(found, _upstream(env, spec), spec.scored_on)


def unresolved(ledger: Ledger) -> list[Incident]:
    """Return the incidents that are open, with all their models, oldest first."""
    ended = {event.key for event in ledger.events(RESOLVED)}
    found: dict[str, Incident] = {}
    for event in ledger.events(OPENED):
        incident = Incident.model_validate(event.payload)
        if incident.id not in ended:
            found[incident.id] = incident
    return list(found.values())


def _models(standing: list[Incident]) -> set[str]:
    return {model for incident in standing for model in incident.models}


def _newest(env: Environment, model: str) -> Triage | None:
    """Return the last word on the newest window, also when labels of older ones came later."""
    order = _windows(env, model)
    events = env.ledger.events("triage", model)
    last = max(events, key=lambda e: (order.get(_window(e.key), -1), e.seq), default=None)
    return Triage.model_validate(last.payload) if last else None


def _older(env: Environment, incident: Incident, found: Triage) -> bool:
    """Whether a triage is of a window before those of the incident: labels that came late."""
    order = _windows(env, found.model)
    acted = env.ledger.events("acted", found.model)
    theirs = [order.get(_window(e.key), -1) for e in acted if e.payload["incident"] == incident.id]
    return order.get(_window(found.key), len(order)) < max(theirs, default=-1)


def _windows(env: Environment, model: str) -> dict[str, int]:
    """Rank of every window by when it was seen first."""
    keys = [_window(event.key) for event in env.ledger.events("observation", model)]
    return {key: rank for rank, key in enumerate(dict.fromkeys(keys))}


def _window(key: str) -> str:
    return key.partition(":")[0]


def _upstream(env: Environment, spec: ModelSpec) -> dict[str, str]:
    """Map every column that a join or a view brings to the dataset it comes from."""
    catalog = env.project.catalog
    made = steps(spec, catalog, needed(spec, catalog))
    return {name: step.dataset for step in made if step.dataset for name in step.brings}
