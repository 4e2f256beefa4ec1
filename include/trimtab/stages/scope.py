"""Which rows the next training of a model leaves out, as the ledger has it."""

from collections.abc import Mapping

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.features.scope import Scope
from trimtab.ledger import advice, champion, versions
from trimtab.types import FeatureSet
from trimtab.watch import RetrainDecision


def scope(env: Environment, spec: ModelSpec) -> Scope:
    """Leave out files that are advised against, and what came before the change of concept."""
    files = tuple(sorted(advice.standing(env.ledger, spec.data.from_)))
    asked, before = open_requests(env, spec.model), _before(env, spec)
    since = None
    if spec.retrain.window == "helps":
        trained = [each for each in asked.values() if each.causes != ("recalibrate",)]
        moments = [each.helps_from for each in trained if each.helps_from]
        since = max(moments, default=before.asked_since if before else None)
    return Scope(files, since, _recalibrates(env, spec, asked, before))


def open_requests(env: Environment, model: str) -> dict[str, RetrainDecision]:
    """Return the retrain requests nobody has answered, by key, oldest first."""
    closed = {event.key for event in env.ledger.events("retrain_closed", model)}
    return {
        event.key: RetrainDecision.model_validate(event.payload)
        for event in env.ledger.events("retrain_request", model)
        if event.key not in closed
    }


def _before(env: Environment, spec: ModelSpec) -> FeatureSet | None:
    """What the version on its way has learnt from, or else the champion.

    A concept that has changed has not changed back because the next request knows nothing of it.
    """
    serving = champion.current(env.ledger, spec.model)
    learnt = {
        int(event.payload["version"]): FeatureSet.model_validate(event.payload["features"])
        for event in env.ledger.events("training", spec.model)
    }
    newest = max(learnt, default=0)
    if newest and not versions.is_open(env.ledger, spec.model, newest):
        newest = serving.version if serving else 0
    return learnt.get(newest)


def _recalibrates(
    env: Environment,
    spec: ModelSpec,
    asked: Mapping[str, RetrainDecision],
    before: FeatureSet | None,
) -> int | None:
    """The champion when nothing else is asked for; and of a version on its way what it did."""
    serving = champion.current(env.ledger, spec.model)
    if serving is None:
        return None
    causes = {cause for decision in asked.values() for cause in decision.causes}
    if causes:
        return serving.version if causes == {"recalibrate"} else None
    return before.recalibrates if before and before.recalibrates == serving.version else None
