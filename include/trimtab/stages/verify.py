"""Compute every hash again that a version rests on, and compare with what the ledger says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trimtab.data.identity import identity
from trimtab.environment import Environment
from trimtab.errors import DependencyError, IntegrityError, TrimtabError
from trimtab.evaluation.papers import bundle
from trimtab.ledger import versions
from trimtab.serving import loader
from trimtab.stages.dossier import issued
from trimtab.stages.papers import kept_lock
from trimtab.training import package
from trimtab.types import Candidate, Dossier, Verification

KIND = "version_verified"


@dataclass
class _Found:
    """What was looked at so far."""

    files: int = 0
    altered: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(env: Environment, model: str, version: int, *, data: bool = True) -> Verification:
    """Check the package, the feature rows, the data, the lock file and every issued dossier.

    ``data=False`` leaves the tables' files alone, which are the most bytes by far. The result is
    an entry of the ledger. What the ledger says is trusted here; `trimtab ledger verify` checks it.

    Raises:
        NotReadyError: the version is not trained.
        DependencyError: a store does not answer, which says nothing about its files.
    """
    candidate, found = versions.candidate(env.ledger, model, version), _Found()
    for told in _checks(env, candidate, found, data=data):
        found.altered.append(told)
    result = Verification(
        model=model,
        version=version,
        intact=not found.altered,
        files=found.files,
        altered=tuple(found.altered),
        notes=tuple(found.notes),
    )
    key = f"{version}:{env.clock.now().isoformat()}"
    env.ledger.append(KIND, model, key, result.to_json())
    return result


def _checks(env: Environment, candidate: Candidate, found: _Found, *, data: bool) -> Iterator[str]:
    folder = env.lake / candidate.uri
    for name, sha256 in candidate.manifest.items():
        yield from _file(folder / name, sha256, f"package file {name}", found)
    if candidate.features.sha256:
        place = env.lake / candidate.features.uri
        yield from _file(place, candidate.features.sha256, "feature rows", found)
    yield from _recorded(env, candidate, found, data=data)
    papers = issued(env, candidate.model, candidate.version)
    if not papers:
        found.notes.append("no dossier of it was issued")
    for each in papers:
        yield from _dossier(env.lake / each.uri, each, found)


def _recorded(
    env: Environment, candidate: Candidate, found: _Found, *, data: bool
) -> Iterator[str]:
    """What the record of the version vouches for, provided that it is the one of the ledger."""
    try:
        made = loader.description(env.lake, candidate)
    except IntegrityError:
        found.notes.append("lock file and data were not compared: their hashes are in model.json")
        return
    yield from _lock(env, made["lock"]["sha256"], found)
    if not data:
        found.notes.append("files of the datasets were left out")
        return
    for name, then in made["data"].items():
        yield from _dataset(env, name, then, found)


def _lock(env: Environment, sha256: str, found: _Found) -> Iterator[str]:
    try:
        kept = kept_lock(env, sha256)
    except IntegrityError as error:
        yield str(error)
        return
    if kept is None:
        found.notes.append("its lock file was not kept")
    else:
        found.files += 1


def _dataset(env: Environment, name: str, then: dict[str, object], found: _Found) -> Iterator[str]:
    where = f"dataset {name} version {then['version']}"
    try:
        now = identity(env, name, int(str(then["version"])))
    except DependencyError:
        raise
    except (TrimtabError, OSError) as error:
        yield f"{where}: cannot be read any more ({error})"
        return
    before = {file: facts["sha256"] for file, facts in dict(then["files"]).items()}  # type: ignore
    after = {file: facts["sha256"] for file, facts in now["files"].items()}
    found.files += len(after)
    for file in sorted({*before, *after}):
        if before.get(file) != after.get(file):
            yield f"{where}, file {file}: SHA-256 is another than recorded"


def _dossier(folder: Path, issued: Dossier, found: _Found) -> Iterator[str]:
    papers, where = folder / bundle.PAPERS, f"dossier {issued.key[:16]}"
    for name, sha256 in issued.manifest.items():
        yield from _file(papers / name, sha256, f"{where}, {name}", found)
    yield from _file(folder / bundle.ZIP, issued.zip_sha256, f"{where}, {bundle.ZIP}", found)
    yield from _manifest(papers / bundle.MANIFEST, issued, where, found)
    there = {str(file.relative_to(papers)) for file in papers.rglob("*") if file.is_file()}
    for name in sorted(there - set(issued.manifest) - {bundle.MANIFEST}):
        yield f"{where}, {name}: was not issued; somebody put it there"


def _manifest(file: Path, issued: Dossier, where: str, found: _Found) -> Iterator[str]:
    found.files += 1
    try:
        same = json.loads(file.read_text()) == issued.manifest
    except (OSError, ValueError):
        same = False
    if not same or bundle.key(issued.manifest) != issued.key:
        yield f"{where}, {bundle.MANIFEST}: does not list what the ledger says"


def _file(file: Path, expected: str, where: str, found: _Found) -> Iterator[str]:
    if not file.is_file():
        yield f"{where}: is missing ({file})"
        return
    found.files += 1
    if (now := package.sha256(file)) != expected:
        yield f"{where}: SHA-256 {now[:12]}, the ledger says {expected[:12]} ({file})"
