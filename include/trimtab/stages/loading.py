"""Load a version for a stage; a load that is refused is put on record."""

from trimtab.environment import Environment
from trimtab.errors import IntegrityError
from trimtab.ledger.chain import digest
from trimtab.serving import loader
from trimtab.serving.loader import LoadedModel
from trimtab.types import Candidate

REFUSED = "load_refused"


def load(env: Environment, candidate: Candidate, name: str = "model") -> LoadedModel:
    """Load a version, or one of its baselines, as the ledger says.

    Raises:
        IntegrityError: a file is not what the ledger says, or holds a type we do not allow.
    """
    try:
        return loader.load(env.lake, candidate, name)
    except IntegrityError as error:
        refused(env, candidate, str(error))
        raise


def refused(env: Environment, candidate: Candidate, reason: str) -> None:
    """Record that a version was not let into memory, and tell people the first time."""
    model, version = candidate.model, candidate.version
    found = {"version": version, "key": candidate.key, "reason": reason}
    key = f"{version}:{digest(found)[:16]}"
    if env.ledger.append(REFUSED, model, key, found).new:
        env.notifier.send("error", f"{model} version {version} was not loaded", reason)
