"""The model card of a version, from what the ledger and its folder say at this moment."""

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.evaluation import card
from trimtab.ledger import anchor, champion, versions
from trimtab.stages import importance
from trimtab.types import Candidate, Certificate


def write_card(env: Environment, model: str, version: int) -> None:
    """Write the card again; it can be done at any time."""
    candidate = versions.candidate(env.ledger, model, version)
    card.write(env.reports, card_of(env, env.project.model(model), candidate))


def card_of(env: Environment, spec: ModelSpec, candidate: Candidate) -> card.Card:
    """Return what the card tells; the words are those of ``spec``."""
    model, version = candidate.model, candidate.version
    last = env.ledger.latest(champion.KIND, model)
    return card.Card(
        spec=spec,
        candidate=candidate,
        verdict=versions.newest_verdict(env.ledger, model, version),
        approval=versions.approval(env.ledger, model, version),
        history=tuple(champion.history(env.ledger, model)),
        importance=importance.shown(env, candidate),
        certificate=_certificate(env, model, version),
        head=anchor.text_of(last) if last else "",
    )


def _certificate(env: Environment, model: str, version: int) -> Certificate | None:
    events = env.ledger.events("certificate", model)
    mine = [event for event in events if event.payload["version"] == version]
    return Certificate.model_validate(mine[-1].payload) if mine else None
