"""Before a version may serve, a fresh process loads it and is asked what it answered before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trimtab.environment import Environment
from trimtab.errors import DependencyError, GateRefusedError, IntegrityError, TrimtabError
from trimtab.evaluation import operation, rules
from trimtab.serving.fresh import trial
from trimtab.serving.trial import Trial
from trimtab.stages import loading
from trimtab.training import package
from trimtab.types import Candidate, GateVerdict, Measure, Rule


@dataclass(frozen=True)
class Tried:
    """What the gate learns of it: whether it serves, and what it costs (bytes, milliseconds)."""

    serves: Rule
    growth: tuple[Rule, ...] = ()
    operation: Mapping[str, float] = field(default_factory=dict)


def tried(env: Environment, candidate: Candidate) -> Tried:
    """Try a version; whatever goes wrong refuses it. An unreachable machine part is a retry.

    Raises:
        DependencyError: no process could be started, or it was ended from outside.
    """
    found: list[Trial] = []
    serves = rules.guarded(operation.SERVES, lambda: _serves(env, candidate, found))
    if not serves.passed or not found:
        return Tried(serves)
    measured = {cost.name: float(getattr(found[0], cost.name)) for cost in operation.COSTS}
    most = env.project.model(candidate.model).gate.growth
    judged = operation.growth(measured, _earlier(env, candidate), most)
    return Tried(serves, judged, measured)


def require(env: Environment, candidate: Candidate) -> None:
    """Try a version once more before it becomes champion: days may lie between.

    Raises:
        GateRefusedError: it does not load, or does not answer as recorded.
        DependencyError: no process could be started, or it was ended from outside.
    """
    rule = _whole(env, candidate)
    if rule.passed:
        rule = _serves(env, candidate, [])
    if not rule.passed:
        loading.refused(env, candidate, rule.reason)
        raise GateRefusedError(
            f"{candidate.model} version {candidate.version} may not be promoted: {rule.reason}"
        )


def _whole(env: Environment, candidate: Candidate) -> Rule:
    """Every file counts, also one that only a page shows: nothing may fail after the swap."""
    changed = package.changed(env.lake / candidate.uri, candidate.manifest)
    return operation.whole(changed, len(candidate.manifest))


def _serves(env: Environment, candidate: Candidate, found: list[Trial]) -> Rule:
    try:
        answered = trial(env.lake, candidate, package.RECORDED)
    except DependencyError:
        raise
    except TrimtabError as error:
        if isinstance(error, IntegrityError):
            loading.refused(env, candidate, str(error))
        return operation.unanswered(str(error))
    found.append(answered)
    return operation.answers(
        answered.rows, answered.difference, answered.rounding, answered.seconds
    )


def _earlier(env: Environment, candidate: Candidate) -> list[dict[str, Measure]]:
    """What the last other versions cost that passed the gate, one measurement of each."""
    found: dict[int, dict[str, Measure]] = {}
    for event in reversed(env.ledger.events("gate", candidate.model)):
        verdict = GateVerdict.model_validate(event.payload)
        known = {cost.name for cost in operation.COSTS} <= set(verdict.operation)
        if known and verdict.verdict == "PROMOTE" and verdict.version != candidate.version:
            found.setdefault(verdict.version, verdict.operation)
    return list(found.values())[: operation.LAST]
