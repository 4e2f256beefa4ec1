"""A person's word on a published file: keep it out of trainings, or let it in again."""

from typing import Any

from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.ledger import Event, advice, datasets

_SHORTEST = 8  # letters of a hash that name a file


def advise(env: Environment, dataset: str, file: str, *, reason: str, actor: str) -> Event:
    """Keep the rows of a published file out of every training; ``file`` is its name or hash.

    Raises:
        DataError: no reason is given, or no published file, or several, are called so.
    """
    return _mark(env, dataset, file, advice.ADVISED, reason, actor)


def dismiss(
    env: Environment, dataset: str, file: str, *, reason: str, actor: str, repaired: bool = False
) -> Event:
    """Say that a file is right; monitoring does not speak against it again.

    Nor against the same change in later files, unless the source was ``repaired``.

    Raises:
        DataError: no reason is given, or no published file, or several, are called so.
    """
    facts = {"repaired": True} if repaired else {}
    return _mark(env, dataset, file, advice.DISMISSED, reason, actor, **facts)


def standing(env: Environment, dataset: str) -> list[dict[str, Any]]:
    """Return the files that trainings leave out, and who says why."""
    names = {v.sha256: v.name for v in datasets.versions(env.ledger, dataset)}
    return [
        {
            "file": names.get(sha256, ""),
            "sha256": sha256,
            "reason": event.payload["reason"],
            "by": event.actor,
            "model": event.payload.get("model"),
            "at": event.at.isoformat(timespec="seconds"),
        }
        for sha256, event in advice.standing(env.ledger, dataset).items()
    ]


def _mark(
    env: Environment, dataset: str, file: str, kind: str, reason: str, actor: str, **facts: Any
) -> Event:
    env.project.dataset(dataset)
    if not reason.strip():
        raise DataError(f"a word on a file of {dataset} needs a reason; say why")
    sha256 = _sha256(env, dataset, file)
    return advice.mark(env.ledger, dataset, sha256, kind, {"reason": reason, **facts}, actor=actor)


def _sha256(env: Environment, dataset: str, file: str) -> str:
    published = datasets.versions(env.ledger, dataset)
    found = {
        version.sha256
        for version in published
        if version.name == file or (len(file) >= _SHORTEST and version.sha256.startswith(file))
    }
    if len(found) == 1:
        return found.pop()
    lists = f"'trimtab data log {dataset}' lists them"
    several = f"{len(found)} published files of {dataset} are called {file}; name one by its hash"
    none = f"{dataset} has no published file {file!r}"
    raise DataError(f"{several if found else none}; {lists}")
