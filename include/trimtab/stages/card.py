"""The model card of a version, from what the ledger and its folder say at this moment."""

from trimtab.environment import Environment
from trimtab.evaluation import card
from trimtab.ledger import champion, versions
from trimtab.stages import importance
from trimtab.types import Certificate


def write_card(env: Environment, model: str, version: int) -> None:
    """Write the card again; it can be done at any time."""
    candidate = versions.candidate(env.ledger, model, version)
    card.write(
        env.reports,
        env.project.model(model),
        candidate,
        versions.newest_verdict(env.ledger, model, version),
        versions.approval(env.ledger, model, version),
        champion.history(env.ledger, model),
        importance.of(env, candidate),
        newest_certificate(env, model, version),
    )


def newest_certificate(env: Environment, model: str, version: int) -> Certificate | None:
    """Return the newest certificate of a rebuild of a version."""
    events = env.ledger.events("certificate", model)
    mine = [event for event in events if event.payload["version"] == version]
    return Certificate.model_validate(mine[-1].payload) if mine else None
