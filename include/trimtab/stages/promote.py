"""Make a judged and approved version the champion, by compare-and-swap."""

from trimtab.environment import Environment
from trimtab.errors import GateRefusedError
from trimtab.ledger import Event, champion, versions
from trimtab.stages.anchor import keep_champion
from trimtab.stages.card import write_card
from trimtab.stages.configured import note_model
from trimtab.stages.dossier import issue
from trimtab.stages.mirror import catch_up
from trimtab.stages.report import tell_report
from trimtab.types import Approval, Champion, GateVerdict


def promote(env: Environment, model: str, version: int) -> Champion:
    """Return the champion this version became.

    Raises:
        GateRefusedError: no PROMOTE against the current champion, no approval, or rolled back.
        LedgerConflictError: another version became champion meanwhile; judge this one again.
    """
    current = champion.current(env.ledger, model)
    if current and current.version == version:
        return _after(env, current)
    note_model(env, model)
    gate = _gate(env, model, version)
    if done := _done_before(env, gate, version):
        return done
    verdict = _passed(gate, model, version, versions.generation(current))
    answer = _answer(env, model, version)
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
    """The newest verdict, unless a rollback away from this version came after it."""
    gate = versions.newest_gate(env.ledger, model, version)
    if gate is None:
        raise GateRefusedError(f"{model} version {version} has not been judged; evaluate it first")
    back = versions.rolled_back(env.ledger, model, version)
    if back and back.seq > gate.seq:
        raise GateRefusedError(
            f"{model} version {version} was rolled back by {back.actor} (ledger entry {back.seq}): "
            f"{back.payload['reason']}. The verdict before that does not count any more; "
            "judge the version again, or train a new one"
        )
    return gate


def _done_before(env: Environment, gate: Event, version: int) -> Champion | None:
    """The promotion this verdict led to, when a later champion has already followed it."""
    judged_against = int(gate.key.split(":")[1])
    event = env.ledger.find(champion.KIND, gate.subject, str(judged_against + 1))
    if event is None or event.payload["version"] != version:
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
