"""What the ledger knows about one version of a model: its training, verdicts, answers."""

from trimtab.errors import NotReadyError
from trimtab.ledger import blocks, champion, mirror
from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger
from trimtab.types import Approval, Candidate, Champion, GateVerdict


def candidate(ledger: Ledger, model: str, version: int) -> Candidate:
    """Return the training record of a version.

    Raises:
        NotReadyError: no training of this version has ended; names the versions there are.
    """
    number = ledger.find("version_number", model, str(version))
    if number and (event := ledger.find("training", model, number.payload["key"])):
        return trained_as(ledger, event)
    trained = {int(e.payload["version"]): e for e in ledger.events("training", model)}
    if version in trained:
        return trained_as(ledger, trained[version])
    known = ", ".join(map(str, sorted(trained))) or "none"
    raise NotReadyError(f"{model} version {version} is not trained; trained versions: {known}")


def trained_as(ledger: Ledger, event: Event) -> Candidate:
    """Return the record of a training, with the run that shows it once there is one."""
    run_id = mirror.run_id(ledger, event)
    return Candidate.model_validate(event.payload).model_copy(update={"run_id": run_id})


def generation(current: Champion | None) -> int:
    """Return the champion's generation, 0 before the first one."""
    return current.generation if current else 0


def gate_key(version: int, current: Champion | None) -> str:
    """Key of the gate event of ``version`` against ``current``."""
    return f"{version}:{generation(current)}"


def newest_gate(ledger: Ledger, model: str, version: int) -> Event | None:
    """Return the newest gate event of a version, against whichever champion it was."""
    mine = [e for e in ledger.events("gate", model) if e.key.startswith(f"{version}:")]
    return mine[-1] if mine else None


def newest_verdict(ledger: Ledger, model: str, version: int) -> GateVerdict | None:
    """Return the newest verdict on a version."""
    event = newest_gate(ledger, model, version)
    return GateVerdict.model_validate(event.payload) if event else None


def passed(ledger: Ledger, model: str) -> set[int]:
    """Return the versions that the gate lets pass by its newest word on each."""
    newest = {int(e.key.split(":")[0]): e for e in ledger.events("gate", model)}
    return {version for version, e in newest.items() if e.payload["verdict"] == "PROMOTE"}


def is_open(ledger: Ledger, model: str, version: int) -> bool:
    """Whether a trained version still has its way to go: to the gate, an answer or promotion.

    A run that was killed between two of these steps is finished by the next one.
    """
    serving = champion.current(ledger, model)
    if (serving and serving.version >= version) or version in blocks.standing(ledger, model):
        return False
    event = newest_gate(ledger, model, version)
    if event is None:
        return True
    answer = approval(ledger, model, version)
    passed = event.payload["verdict"] == "PROMOTE" and event.key == gate_key(version, serving)
    return passed and (answer is None or answer.approved)


def approval(ledger: Ledger, model: str, version: int) -> Approval | None:
    """Return the answer given to a version, if any."""
    event = ledger.find("approval", model, str(version))
    return Approval.model_validate(event.payload) if event else None


def challenger(ledger: Ledger, model: str) -> int | None:
    """Return the newest version while it may still become champion."""
    trained = ledger.latest("training", model)
    if trained is None:
        return None
    version, serving = int(trained.payload["version"]), champion.current(ledger, model)
    verdict, answer = newest_gate(ledger, model, version), approval(ledger, model, version)
    over = (
        (serving is not None and serving.version == version)
        or version in blocks.standing(ledger, model)
        or (verdict is not None and verdict.payload["verdict"] == "REJECT")
        or (answer is not None and not answer.approved)
    )
    return None if over else version


def answers(ledger: Ledger, model: str) -> dict[int, Approval]:
    """Return the answers given to versions of a model, oldest first."""
    found = [Approval.model_validate(event.payload) for event in ledger.events("approval", model)]
    return {answer.version: answer for answer in found}
