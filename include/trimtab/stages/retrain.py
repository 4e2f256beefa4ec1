"""A training that a person asks for: one more open request, or the one there is."""

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.ledger.chain import digest
from trimtab.stages.scope import open_requests
from trimtab.types import DatasetVersion
from trimtab.watch import RetrainDecision


def request(env: Environment, model: str, *, actor: str, reason: str) -> str:
    """Ask for a training by hand; return the key of the request, an open one if there is one."""
    spec = env.project.model(model)
    with env.ledger.lock(f"retrain:{model}"):
        if waiting := open_requests(env, model):
            return next(iter(waiting))
        answered = len(env.ledger.events("retrain_closed", model))
        key = f"manual:{digest([model, actor, reason, answered])[:32]}"
        newest = _newest(env, spec)
        asked = RetrainDecision(
            model=model,
            partition="",
            retrain=True,
            causes=("manual",),
            reason=reason,
            at=newest.newest if newest else None,
        )
        env.ledger.append("retrain_request", model, key, asked.to_json(), actor=actor)
    return key


def _newest(env: Environment, spec: ModelSpec) -> DatasetVersion | None:
    event = env.ledger.latest("dataset_version", spec.data.from_)
    return DatasetVersion.model_validate(event.payload) if event else None
