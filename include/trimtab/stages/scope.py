"""Which rows the next training of a model leaves out, as the ledger has it."""

from datetime import datetime

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.features.scope import Scope
from trimtab.ledger import advice, champion, versions
from trimtab.types import FeatureSet
from trimtab.watch import RetrainDecision


def scope(env: Environment, spec: ModelSpec) -> Scope:
    """Leave out files that are advised against, and what came before the change of concept."""
    files = tuple(sorted(advice.standing(env.ledger, spec.data.from_)))
    return Scope(files, _since(env, spec) if spec.retrain.window == "helps" else None)


def open_requests(env: Environment, model: str) -> dict[str, RetrainDecision]:
    """Return the retrain requests nobody has answered, by key, oldest first."""
    closed = {event.key for event in env.ledger.events("retrain_closed", model)}
    return {
        event.key: RetrainDecision.model_validate(event.payload)
        for event in env.ledger.events("retrain_request", model)
        if event.key not in closed
    }


def _since(env: Environment, spec: ModelSpec) -> datetime | None:
    """What an open request asks for, else what the version on its way, or the champion, learnt.

    A concept that has changed has not changed back because the next request knows nothing of it.
    """
    asked = [each.helps_from for each in open_requests(env, spec.model).values()]
    if moments := [moment for moment in asked if moment]:
        return max(moments)
    serving = champion.current(env.ledger, spec.model)
    learnt = {
        int(event.payload["version"]): FeatureSet.model_validate(event.payload["features"])
        for event in env.ledger.events("training", spec.model)
    }
    newest = max(learnt, default=0)
    if newest and not versions.is_open(env.ledger, spec.model, newest):
        newest = serving.version if serving else 0
    return learnt[newest].asked_since if newest in learnt else None
