"""Gather what the papers of a version are made of, from the ledger and its verified package."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from trimtab.config import DatasetSpec, ModelSpec
from trimtab.environment import Environment
from trimtab.errors import IntegrityError
from trimtab.evaluation.papers.facts import Facts, File, Source
from trimtab.ledger import Event, datasets, versions
from trimtab.serving import loader
from trimtab.stages.card import card_of
from trimtab.stages.lineage import live
from trimtab.stages.provenance import lock_key
from trimtab.training import package, record
from trimtab.types import Candidate, DatasetVersion, FileVerdict, Validation

# What a version does, and what is told of it elsewhere: the papers say how it was made and judged.
_LEFT_OUT = ("scoring", "observation", "mirrored", "dossier", "version_verified", "version_number")


def gather(env: Environment, model: str, version: int) -> Facts:
    """Return the facts of a version.

    Raises:
        NotReadyError: the version is not trained.
        IntegrityError: a file of its package is not what the ledger says.
    """
    candidate = versions.candidate(env.ledger, model, version)
    made = loader.description(env.lake, candidate)
    spec = env.project.models.get(model) or ModelSpec.model_validate(made["config"])
    told, events = card_of(env, spec, candidate), _events(env, candidate)
    other = told.verdict.champion if told.verdict else None
    trained = next(event for event in events if event.kind == "training")
    return Facts(
        **vars(told),
        made=made,
        opponent=versions.candidate(env.ledger, model, other) if other else None,
        sources=tuple(_source(env, made, name, trained) for name in candidate.features.versions),
        events=events,
        files=_files(env, candidate),
        lock=kept_lock(env, made["lock"]["sha256"]),
    )


def _events(env: Environment, candidate: Candidate) -> tuple[Event, ...]:
    """Entries about this version, wherever its number stands in them."""
    mine = env.ledger.events(subject=candidate.model)
    return tuple(
        event
        for event in mine
        if event.payload.get("version") == candidate.version and event.kind not in _LEFT_OUT
    )


def _files(env: Environment, candidate: Candidate) -> dict[str, bytes]:
    """What people look at, as it lies in the package, and its record under another name."""
    shown = (package.IMPORTANCE, f"{package.FIGURES}/")
    names = [name for name in candidate.manifest if name.startswith(shown)]
    found = {name: loader.read(env.lake, candidate, name) for name in names}
    return {**found, "record.json": loader.read(env.lake, candidate, package.DESCRIPTION)}


def _source(env: Environment, made: dict[str, Any], name: str, trained: Event) -> Source:
    """A dataset as it was when the version was trained."""
    content = made["data"][name]
    version = int(content["version"])
    published = env.ledger.events(datasets.KIND, name)
    there = live(datasets.versions(env.ledger, name), version)
    refused = [
        event
        for event in env.ledger.events("file", name)
        if event.payload["verdict"] == "rejected" and event.seq < trained.seq
    ]
    return Source(
        spec=DatasetSpec.model_validate(made["catalog"]["datasets"][name]),
        made=datasets.at(env.ledger, name, version),
        at=next(e.at for e in published if e.payload["version"] == version),
        files=tuple(_file(env, sha256, each) for sha256, each in there.items()),
        refused=len(refused),
        content=content,
    )


def _file(env: Environment, sha256: str, published: DatasetVersion) -> File:
    dataset = published.dataset
    judged = env.ledger.find("file", dataset, sha256)
    checked = env.ledger.find("validation", dataset, sha256)
    return File(
        published=published,
        verdict=FileVerdict.model_validate(judged.payload) if judged else None,
        validation=Validation.model_validate(checked.payload) if checked else None,
        set_aside=dict(sorted(datasets.set_aside(env.ledger, dataset, sha256).items())),
    )


def kept_lock(env: Environment, sha256: str) -> bytes | None:
    """Return the lock file of a training: as it was kept, else the project's if it is the same.

    Raises:
        IntegrityError: what was kept has been changed.
    """
    key = lock_key(sha256)
    if not env.store.exists(key):
        file = record.lock_file(env.project.folder)
        return file.read_bytes() if file and package.sha256(file) == sha256 else None
    with tempfile.TemporaryDirectory(dir=env.scratch) as folder:
        data = env.store.fetch(key, Path(folder)).read_bytes()
    if (now := hashlib.sha256(data).hexdigest()) != sha256:
        raise IntegrityError(f"lock file {key}: SHA-256 {now[:12]}, the record says {sha256[:12]}")
    return data
