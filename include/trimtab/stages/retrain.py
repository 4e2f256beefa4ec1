"""Turn observations into decisions, and decisions into at most one open request per model."""

from collections.abc import Sequence

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.ledger import Event
from trimtab.ledger.chain import digest
from trimtab.monitoring import guards
from trimtab.stages.scope import open_requests
from trimtab.types import Candidate, DatasetVersion
from trimtab.watch import Observation, RetrainDecision


def decide(env: Environment, model: str) -> list[RetrainDecision]:
    """Decide on every observation without a decision, in order.

    Raises:
        NotReadyError: every observation was decided on before.
    """
    spec = env.project.model(model)
    with env.ledger.lock(f"retrain:{model}"):
        past = {event.key for event in env.ledger.events("retrain_decision", model)}
        seen = env.ledger.events("observation", model)
        decided = [_decide(env, spec, event) for event in seen if event.key not in past]
    if not decided:
        raise NotReadyError(f"{model}: nothing to decide; every observation was decided on")
    return decided


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


def _decide(env: Environment, spec: ModelSpec, event: Event) -> RetrainDecision:
    """Request first, decision last: whoever is killed in between comes back to the same words."""
    model = spec.model
    if asked := env.ledger.find("retrain_request", model, event.key):
        decision = RetrainDecision.model_validate(asked.payload)
    else:
        waiting = open_requests(env, model)
        decision = judge(env, spec, event, open_request=next(iter(waiting), None))
        if decision.retrain and not waiting:
            env.ledger.append("retrain_request", model, event.key, decision.to_json())
    written = env.ledger.append("retrain_decision", model, event.key, decision.to_json())
    return RetrainDecision.model_validate(written.payload)


def judge(
    env: Environment, spec: ModelSpec, event: Event, *, open_request: str | None
) -> RetrainDecision:
    """Gather what the guards need and let them decide; writes nothing."""
    seen = Observation.model_validate(event.payload)
    versions = _versions(env, spec.data.from_)
    trainings = [
        _training(Candidate.model_validate(e.payload), spec, versions)
        for e in env.ledger.events("training", spec.model)
    ]
    state = next((v for v in versions if v.sha256 == seen.sha256), None)
    state = state or _newest(env, spec, before=event.seq)  # the file is of another dataset
    return guards.decide(
        seen,
        trainings,
        spec.retrain,
        rows=state.total_rows if state else 0,
        at=(state.newest if state else None) or seen.newest,
        open_request=open_request,
    )


def _training(
    candidate: Candidate, spec: ModelSpec, versions: Sequence[DatasetVersion]
) -> guards.Training:
    taken = candidate.features.versions.get(spec.data.from_, -1)
    rows = max((v.total_rows for v in versions if v.version <= taken), default=0)
    return guards.Training(candidate.version, rows, candidate.features.holdout_until)


def _versions(env: Environment, dataset: str) -> list[DatasetVersion]:
    events = env.ledger.events("dataset_version", dataset)
    return [DatasetVersion.model_validate(event.payload) for event in events]


def _newest(env: Environment, spec: ModelSpec, before: int | None = None) -> DatasetVersion | None:
    events = env.ledger.events("dataset_version", spec.data.from_)
    past = [event for event in events if before is None or event.seq < before]
    return DatasetVersion.model_validate(past[-1].payload) if past else None
