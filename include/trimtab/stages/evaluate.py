"""Judge a trained version against thresholds, baselines and the champion on unseen rows."""

import logging

from trimtab.config.columns import primary_metric
from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.evaluation import gate, holdout, leaks, report, rules, statements
from trimtab.evaluation.case import Case, Contender
from trimtab.ledger import champion, versions
from trimtab.ledger.chain import digest
from trimtab.stages import evidence, loading
from trimtab.stages.configured import note_model
from trimtab.stages.dossier import issue
from trimtab.stages.mirror import catch_up
from trimtab.stages.report import write_report
from trimtab.stages.search import feature_set
from trimtab.stages.trial import tried
from trimtab.training import registry
from trimtab.types import Candidate, Champion, FeatureSet, GateVerdict, Rule

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
        catch_up(env, model)  # whoever recorded it may have been killed before telling it
        return _with_papers(env, GateVerdict.model_validate(found.payload))
    note_model(env, model)
    candidate = versions.candidate(env.ledger, model, version)
    if served := _earlier(env, candidate, current):
        return served
    opponent = versions.candidate(env.ledger, model, current.version) if current else None
    verdict = gate.judge(_case(env, candidate, opponent))
    verdict = verdict.model_copy(update={"report": report.path(model, version)})
    write_report(env, verdict)
    event = env.ledger.append("gate", model, key, verdict.to_json())
    recorded = GateVerdict.model_validate(event.payload)
    _tell(env, recorded)
    return _with_papers(env, recorded)


def _with_papers(env: Environment, verdict: GateVerdict) -> GateVerdict:
    """Issue the papers of who goes no further; the others get theirs when they are promoted."""
    if verdict.verdict != "PROMOTE":
        issue(env, verdict.model, verdict.version)
    return verdict


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
    group = spec.gate.versus_champion.group or features.group
    return Case(
        gate=spec.gate,
        primary=primary_metric(spec, task),
        task=task,
        holdout=holdout.read(env.lake, features, dataset.time, group),
        before=(*_before(env, candidate, opponent), trial.serves),
        after=(*_after(env, candidate), *trial.growth),
        challenger=_contender(env, candidate, "challenger", "model"),
        champion=_contender(env, opponent, "champion", "model") if opponent else None,
        dummy=_contender(env, candidate, "dummy", "baseline_dummy"),
        linear=_contender(env, candidate, "linear", "baseline_linear"),
        seed=digest([candidate.key, opponent.key if opponent else None]),
        operation=trial.operation,
        group=group,
    )


def _before(env: Environment, candidate: Candidate, opponent: Candidate | None) -> tuple[Rule, ...]:
    """Rules of the record: a version that breaks one of these is not measured at all."""
    spec, features = env.project.model(candidate.model), candidate.features
    key = env.project.dataset(spec.data.from_).key
    production = env.project.environment.production
    rule = {
        holdout.FROZEN: lambda: holdout.frozen(env.lake, features),
        holdout.RULE: lambda: holdout.overlap(
            env.lake, features, _learners(env, candidate, opponent), key
        ),
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


def _learners(
    env: Environment, candidate: Candidate, opponent: Candidate | None
) -> dict[str, FeatureSet]:
    """Every set of rows that one of the two was trained on, or began its search with."""
    found: dict[str, FeatureSet] = {}
    for who, one in (("the challenger", candidate), ("the champion", opponent)):
        if one is None:
            continue
        found[who] = one.features
        if one.tuned_on and one.tuned_on != one.features.key:
            found[f"the search before {who}"] = feature_set(env, one.model, one.tuned_on)
    return found


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
        linear=_linear(candidate),
    )


def _linear(candidate: Candidate) -> bool:
    """Whether a version is of a linear family; one that nobody knows any more is not."""
    try:
        return registry.get(candidate.estimator, candidate.features.task).style == "linear"
    except TrimtabError:
        return False


def _tell(env: Environment, verdict: GateVerdict) -> None:
    catch_up(env, verdict.model)
    title = f"{verdict.model} version {verdict.version}: {verdict.verdict}"
    env.notifier.send("info", title, " ".join(verdict.reasons))
