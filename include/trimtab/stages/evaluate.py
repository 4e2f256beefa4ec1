"""Judge a trained version against thresholds, baselines and the champion on unseen rows."""

import logging

from trimtab.config.columns import primary_metric
from trimtab.environment import Environment
from trimtab.errors import IntegrityError
from trimtab.evaluation import gate, holdout, leaks, report, rules, statements
from trimtab.evaluation.case import Case, Contender
from trimtab.ledger import champion, versions
from trimtab.ledger.chain import digest
from trimtab.stages import evidence, importance, loading
from trimtab.stages.mirror import catch_up
from trimtab.stages.trial import tried
from trimtab.types import Candidate, Champion, GateVerdict, Importance, Rule

log = logging.getLogger(__name__)


def evaluate(env: Environment, model: str, version: int) -> GateVerdict:
    """Return the verdict on a version against the champion of this moment.

    A verdict that is recorded already is returned; one against an older champion is judged again.

    Raises:
        NotReadyError: the version is not trained.
    """
    current = champion.current(env.ledger, model)
    key = versions.gate_key(version, current)
    if found := env.ledger.find("gate", model, key):
        return GateVerdict.model_validate(found.payload)
    candidate = versions.candidate(env.ledger, model, version)
    if served := _earlier(env, candidate, current):
        return served
    opponent = versions.candidate(env.ledger, model, current.version) if current else None
    verdict = gate.judge(_case(env, candidate, opponent))
    verdict = verdict.model_copy(update={"report": report.path(model, version)})
    spec = env.project.model(model)
    report.write(env.reports, verdict, spec, candidate, opponent, _worth(env, candidate))
    event = env.ledger.append("gate", model, key, verdict.to_json())
    recorded = GateVerdict.model_validate(event.payload)
    _tell(env, recorded)
    return recorded


def _earlier(
    env: Environment, candidate: Candidate, current: Champion | None
) -> GateVerdict | None:
    """A version that serves is not judged against itself: its own verdict stands."""
    if current is None or current.version != candidate.version:
        return None
    return versions.newest_verdict(env.ledger, candidate.model, candidate.version)


def _case(env: Environment, candidate: Candidate, opponent: Candidate | None) -> Case:
    spec = env.project.model(candidate.model)
    dataset = env.project.dataset(spec.data.from_)
    task, features, trial = candidate.features.task, candidate.features, tried(env, candidate)
    return Case(
        gate=spec.gate,
        primary=primary_metric(spec, task),
        task=task,
        holdout=holdout.read(env.lake, features, dataset.time),
        before=(*_before(env, candidate, opponent), trial.serves),
        after=(*_after(env, candidate), *trial.growth),
        challenger=_contender(env, candidate, "challenger", "model"),
        champion=_contender(env, opponent, "champion", "model") if opponent else None,
        dummy=_contender(env, candidate, "dummy", "baseline_dummy"),
        linear=_contender(env, candidate, "linear", "baseline_linear"),
        seed=digest([candidate.key, opponent.key if opponent else None]),
        operation=trial.operation,
    )


def _before(env: Environment, candidate: Candidate, opponent: Candidate | None) -> tuple[Rule, ...]:
    """Rules of the record: a version that breaks one of these is not measured at all."""
    spec, features = env.project.model(candidate.model), candidate.features
    key = env.project.dataset(spec.data.from_).key
    theirs = opponent.features if opponent else None
    production = env.project.environment.production
    rule = {
        holdout.RULE: lambda: holdout.overlap(env.lake, features, theirs, key),
        "clean_code": lambda: _clean(env, candidate),
        evidence.PACKAGE: lambda: evidence.packaged(env, candidate),
        evidence.DATA: lambda: evidence.data(env, candidate),
        statements.RULE: lambda: statements.rule(spec, production=production),
    }
    return tuple(rules.guarded(name, judge) for name, judge in rule.items())


def _after(env: Environment, candidate: Candidate) -> tuple[Rule, ...]:
    """Rules beside the measurements: what a leak gives is measured and shown."""
    trust = env.project.model(candidate.model).features.trust
    rule = {leaks.RULE: lambda: leaks.rule(env.lake, candidate.features, trust)}
    return tuple(rules.guarded(name, judge) for name, judge in rule.items())


def _clean(env: Environment, candidate: Candidate) -> Rule:
    return rules.clean_code(
        production=env.project.environment.production,
        commit=candidate.git_commit,
        dirty=candidate.dirty,
    )


def _contender(env: Environment, candidate: Candidate, role: str, name: str) -> Contender:
    """A packaged model, loaded by the loader that will serve it."""
    return Contender(
        name=role,
        version=candidate.version,
        features=candidate.features,
        load=lambda: loading.load(env, candidate, name),
    )


def _worth(env: Environment, candidate: Candidate) -> Importance | None:
    """What its features are worth, for the page; the rules say when that file is not its own."""
    try:
        return importance.of(env, candidate)
    except IntegrityError as error:
        log.warning("the page shows no importance: %s", error)
        return None


def _tell(env: Environment, verdict: GateVerdict) -> None:
    catch_up(env, verdict.model)
    title = f"{verdict.model} version {verdict.version}: {verdict.verdict}"
    env.notifier.send("info", title, " ".join(verdict.reasons))
