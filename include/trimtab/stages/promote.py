"""Make a judged and approved version the champion, by compare-and-swap."""

from trimtab.environment import Environment
from trimtab.errors import GateRefusedError, NotReadyError
from trimtab.ledger import Event, blocks, champion, versions
from trimtab.stages import freeze, trial
from trimtab.stages.anchor import keep_champion
from trimtab.stages.approve import flaw
from trimtab.stages.card import write_card
from trimtab.stages.configured import note_model
from trimtab.stages.dossier import issue
from trimtab.stages.mirror import catch_up
from trimtab.stages.report import tell_report
from trimtab.types import Approval, Champion, GateVerdict


def promote(env: Environment, model: str, version: int) -> Champion:
    """Return the champion this version became.

    Raises:
        GateRefusedError: no PROMOTE against the current champion, no approval, blocked, or it
            cannot serve any more.
        NotReadyError: changes are frozen; says until when.
        LedgerConflictError: another version became champion meanwhile; judge this one again.
    """
    current = champion.current(env.ledger, model)
    if current and current.version == version:
        return _after(env, current)
    note_model(env, model)
    gate = _gate(env, model, version)
    _not_blocked(env, model, version)
    if done := _done_before(env, gate, version):
        return done
    _not_frozen(env, model, version)
    verdict = _passed(gate, model, version, versions.generation(current))
    answer = _answer(env, model, version)
    trial.require(env, versions.candidate(env.ledger, model, version))
    return _after(
        env,
        champion.swap(
            env.ledger,
            model,
            version,
            expected=current,
            action="promote",
            actor=answer.actor,
            reason=verdict.reasons[0] if verdict.reasons else verdict.verdict,
            since=verdict.holdout_until,
        ),
    )


def _gate(env: Environment, model: str, version: int) -> Event:
    gate = versions.newest_gate(env.ledger, model, version)
    if gate is None:
        raise GateRefusedError(f"{model} version {version} has not been judged; evaluate it first")
    return gate


def _not_blocked(env: Environment, model: str, version: int) -> None:
    if mark := blocks.standing(env.ledger, model).get(version):
        raise GateRefusedError(
            f"{model} version {version} was blocked by {mark.actor} (ledger entry {mark.seq}): "
            f"{mark.payload['reason']}. No verdict brings it back; train a new version, or let a "
            f"person say that it may serve: trimtab unblock {model} {version} --reason …"
        )


def _not_frozen(env: Environment, model: str, version: int) -> None:
    if held := freeze.holding(env, model):
        raise NotReadyError(
            f"{model} is {freeze.shown(held)}. Version {version} waits; the next run after that "
            "promotes it if it is still the newest"
        )


def _done_before(env: Environment, gate: Event, version: int) -> Champion | None:
    """The promotion this verdict led to, when a later champion has already followed it."""
    judged_against = int(gate.key.split(":")[1])
    event = env.ledger.find(champion.KIND, gate.subject, str(judged_against + 1))
    since = [
        mark for mark in blocks.marks(env.ledger, gate.subject, version) if mark.seq > gate.seq
    ]
    if since or event is None or event.payload["version"] != version:
        return None
    return Champion.model_validate(event.payload)


def _passed(gate: Event, model: str, version: int, generation: int) -> GateVerdict:
    verdict = GateVerdict.model_validate(gate.payload)
    if verdict.verdict != "PROMOTE":
        raise GateRefusedError(
            f"{model} version {version} may not be promoted, the gate says {verdict.verdict}: "
            f"{' '.join(verdict.reasons)}"
        )
    if gate.key != f"{version}:{generation}":
        against = f"version {verdict.champion}" if verdict.champion else "no champion"
        raise GateRefusedError(
            f"{model} version {version} was judged against {against}, but the champion has changed "
            f"since (generation {generation}); evaluate it again"
        )
    return verdict


def _answer(env: Environment, model: str, version: int) -> Approval:
    answer = versions.approval(env.ledger, model, version)
    if answer is None:
        raise GateRefusedError(f"{model} version {version} is not approved yet; approve it first")
    if not answer.approved:
        raise GateRefusedError(
            f"{model} version {version} was refused by {answer.actor}: {answer.reason or '-'}"
        )
    if problem := flaw(env, answer):
        raise GateRefusedError(f"{model} version {version} may not be promoted: {problem}")
    return answer


def _after(env: Environment, now: Champion) -> Champion:
    """What follows a change of champion; every part can be done again."""
    model, version = now.model, now.version
    keep_champion(env, model)
    catch_up(env, model)
    write_card(env, model, version)
    tell_report(env, model, version)
    issue(env, model, version)
    env.notifier.send("info", f"{model} version {version} is champion", now.reason)
    return now
