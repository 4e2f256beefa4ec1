"""What every observed window means, and whether to train: decided once, by what was known then."""

import logging

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.ledger.event import Entry, Event
from trimtab.monitoring import policy
from trimtab.monitoring.history import KINDS, Past
from trimtab.stages import recalibrate
from trimtab.watch import Triage

log = logging.getLogger(__name__)


def decide(env: Environment, model: str) -> list[Triage]:
    """Decide on every observation without a decision, in order.

    Triage, decision and, when one is wanted, the request for a training are one transaction: a
    copy that comes second finds all of it, and whoever is killed leaves nothing half said.

    Raises:
        NotReadyError: every observation was decided on before.
    """
    spec = env.project.model(model)
    with env.ledger.lock(f"retrain:{model}"):
        seen = _Seen(env, spec)
        decided = [_decide(env, spec, seen, key) for key in seen.news().undecided()]
    if not decided:
        raise NotReadyError(f"{model}: nothing to decide; every observation was decided on")
    return decided


def _decide(env: Environment, spec: ModelSpec, seen: "_Seen", key: str) -> Triage:
    history = seen.news().at(key)
    made = policy.decide(history, spec, history.now)
    also = [Entry("retrain_decision", spec.model, key, made.retrain.to_json())]
    waits = history.open_request
    if made.retrain.retrain and (waits is None or waits.startswith(recalibrate.PREFIX)):
        also.append(Entry("retrain_request", spec.model, key, made.retrain.to_json()))
    event = env.ledger.append("triage", spec.model, key, made.triage.to_json(), also=also)
    found = Triage.model_validate(event.payload)
    log.info("%s %s: %s: %s", spec.model, found.partition, found.action, found.reason)
    return found


class _Seen:
    """The part of the ledger that decisions rest on, read once and then only what is new."""

    def __init__(self, env: Environment, spec: ModelSpec) -> None:
        self.env, self.spec, self.past, self.upto = env, spec, Past(), 0

    def news(self) -> Past:
        """Return everything up to now."""
        new = [*self._events("model"), *self._events("dataset")]
        for event in sorted(new, key=lambda event: event.seq):
            self.past.add(event)
            self.upto = event.seq
        return self.past

    def _events(self, whose: str) -> list[Event]:
        subject = self.spec.model if whose == "model" else self.spec.data.from_
        found = self.env.ledger.events(subject=subject, after=self.upto)
        return [event for event in found if KINDS.get(event.kind) == whose]
