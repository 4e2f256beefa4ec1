"""Give the service back to a version that had it before; the way back never asks the gate."""

from datetime import datetime

from trimtab.environment import Environment
from trimtab.errors import GateRefusedError
from trimtab.ledger import champion, versions
from trimtab.serving import loader
from trimtab.stages.anchor import keep_champion
from trimtab.stages.card import write_card
from trimtab.stages.mirror import catch_up
from trimtab.types import Champion, DatasetVersion


def rollback(env: Environment, model: str, *, to: int | None, reason: str, actor: str) -> Champion:
    """Make an earlier champion (default: the last one before) serve again.

    The same person with the same reason means the same rollback: a retry does not go further
    back. A version rolled back from is passed over, and stays blocked until it is judged again.

    Raises:
        GateRefusedError: no reason, nothing to go back to, or ``to`` was never fit to serve.
        IntegrityError: the version's files are not what the ledger says; the champion stays.
        LedgerConflictError: somebody else changed the champion meanwhile.
    """
    if not reason.strip():
        raise GateRefusedError(f"a rollback of {model} needs a reason; say why")
    current = champion.current(env.ledger, model)
    if current is None:
        raise GateRefusedError(f"{model} has no champion yet, so there is nothing to roll back")
    if _is_this(current, to, reason, actor):
        return _after(env, current)
    version = _target(env, current, to)
    candidate = versions.candidate(env.ledger, model, version)
    loader.load(env.lake, candidate, "model")  # a version that cannot be loaded must not serve
    return _after(
        env,
        champion.swap(
            env.ledger,
            model,
            version,
            expected=current,
            action="rollback",
            actor=actor,
            reason=reason,
            since=_newest(env, model),
        ),
    )


def _is_this(current: Champion, to: int | None, reason: str, actor: str) -> bool:
    same = (current.action, current.reason, current.actor) == ("rollback", reason, actor)
    return same and to in (None, current.version)


def _target(env: Environment, current: Champion, to: int | None) -> int:
    choices = _choices(env, current)
    if to is None:
        served = [version for version, champion_once in choices.items() if champion_once]
        if not served:
            raise GateRefusedError(
                f"{current.model} version {current.version} is the only champion there ever was; "
                f"{_named(choices)}"
            )
        return served[0]
    if to not in choices:
        why = "serves now" if to == current.version else "was never champion nor approved"
        raise GateRefusedError(
            f"{current.model} cannot go back to version {to}: it {why}; {_named(choices)}"
        )
    return to


def _choices(env: Environment, current: Champion) -> dict[int, bool]:
    """Versions fit to serve, the best to go back to first; True: was champion, not rolled back."""
    model, choices = current.model, dict[int, bool]()
    for change in reversed(champion.history(env.ledger, model)):
        if change.version != current.version and change.version not in choices:
            gone = versions.rolled_back(env.ledger, model, change.version)
            choices[change.version] = gone is None
    for event in reversed(env.ledger.events("approval", model)):
        version = int(event.payload["version"])
        if version not in choices and version != current.version and event.payload["approved"]:
            verdict = versions.newest_verdict(env.ledger, model, version)
            if verdict and verdict.verdict == "PROMOTE":
                choices[version] = False
    return choices


def _named(choices: dict[int, bool]) -> str:
    if not choices:
        return "there is no other version fit to serve"
    return "choose one of " + ", ".join(map(str, sorted(choices)))


def _newest(env: Environment, model: str) -> datetime | None:
    """The data's own time of the rollback: the newest row published."""
    event = env.ledger.latest("dataset_version", env.project.model(model).data.from_)
    return DatasetVersion.model_validate(event.payload).newest if event else None


def _after(env: Environment, now: Champion) -> Champion:
    """What follows a change of champion; every part can be done again."""
    title = f"{now.model} was rolled back to version {now.version}"
    keep_champion(env, now.model)
    catch_up(env, now.model)
    write_card(env, now.model, now.version)
    env.notifier.send("warning", title, f"{now.reason} ({now.actor})")
    return now
