"""Where something came from and what was made of it, from the ledger alone."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.ledger import datasets
from trimtab.types import (
    Approval,
    Candidate,
    Champion,
    DatasetVersion,
    FeatureSet,
    FileVerdict,
    GateVerdict,
    Lineage,
    Scoring,
)


def lineage(env: Environment, what: str) -> Lineage:
    """Tell the story of ``DATASET[@VERSION]``, ``MODEL[@VERSION]``, or a file by name or hash.

    Raises:
        NotReadyError: the ledger knows nothing of that name.
    """
    name, _, version = what.partition("@")
    story = _Story(env)
    if name in env.project.datasets and (version.isdigit() or not version):
        return story.dataset(name, int(version) if version else None)
    if name in env.project.models and (version.isdigit() or not version):
        return story.model(name, int(version) if version else None)
    found = [file for file in story.files if file.name == what or _is_hash(what, file)]
    if not found:
        raise NotReadyError(
            f"the ledger knows no dataset, model or file {what!r}; give a name, NAME@VERSION, a "
            "file's name or the first letters of its hash"
        )
    told = tuple(story.file(file) for file in found)
    return told[0] if len(told) == 1 else Lineage(kind="files", name=what, children=told)


def used_by(env: Environment, dataset: str, version: int) -> tuple[Lineage, ...]:
    """Feature sets and models that were made of exactly this version."""
    return _Story(env).users(dataset, lambda taken: taken == version)


def made_of(env: Environment, dataset: str, version: int) -> Iterator[Lineage]:
    """Yield the files that have rows in a version of a dataset."""
    records = datasets.versions(env.ledger, dataset)
    for sha, record in live(records, version).items():
        facts = {"sha256": sha, "rows_published": record.rows, "since": record.version}
        yield Lineage(kind="file", name=record.name, facts=facts)


def live(records: Sequence[DatasetVersion], version: int) -> dict[str, DatasetVersion]:
    """Files that have rows in a version, by hash, as the ledger tells it."""
    there: dict[int, dict[str, DatasetVersion]] = {}
    now: dict[str, DatasetVersion] = {}
    for record in records:
        if record.version > version:
            break
        if record.operation == "revert":
            now = dict(there.get(record.target if record.target is not None else -1, {}))
        else:
            now = {sha: r for sha, r in now.items() if sha not in record.replaces}
            if record.rows:
                now[record.sha256] = record
        there[record.version] = dict(now)
    return now


class _Story:
    """What one walk through the ledger needs again and again."""

    def __init__(self, env: Environment) -> None:
        self.env, self.ledger = env, env.ledger

    @cached_property
    def files(self) -> list[FileVerdict]:
        return [FileVerdict.model_validate(e.payload) for e in self.ledger.events("file")]

    @cached_property
    def candidates(self) -> list[Candidate]:
        return [Candidate.model_validate(e.payload) for e in self.ledger.events("training")]

    @cached_property
    def features(self) -> list[FeatureSet]:
        return [FeatureSet.model_validate(e.payload) for e in self.ledger.events("features")]

    @cached_property
    def scorings(self) -> list[Scoring]:
        return [Scoring.model_validate(e.payload) for e in self.ledger.events("scoring")]

    def dataset(self, name: str, version: int | None) -> Lineage:
        """A version, the files it is made of, and who used it."""
        record = datasets.at(self.ledger, name, version)
        return Lineage(
            kind="dataset version",
            name=f"{name}@{record.version}",
            facts={"rows": record.total_rows, "operation": record.operation, "by": record.actor},
            children=(
                *made_of(self.env, name, record.version),
                *self.users(name, lambda taken: taken == record.version),
            ),
        )

    def file(self, file: FileVerdict) -> Lineage:
        """A file, the versions that hold its rows, and who used those."""
        records = datasets.versions(self.ledger, file.dataset)
        numbers = list(dict.fromkeys(record.version for record in records))
        holding = [n for n in numbers if file.sha256 in live(records, n)]
        mine = [s for s in self.scorings if s.sha256 == file.sha256]
        inside = Lineage(kind="dataset versions", name=file.dataset, facts={"versions": holding})
        return Lineage(
            kind="file",
            name=file.name,
            facts={
                "dataset": file.dataset,
                "sha256": file.sha256,
                "verdict": file.verdict,
                "reason": file.reason,
                "rows_accepted": file.rows_accepted,
                "quarantined": file.quarantined,
            },
            children=(
                *([inside] if holding else []),
                *self.users(file.dataset, lambda taken: taken in holding),
                *(_scoring(scoring) for scoring in mine),
            ),
        )

    def model(self, name: str, version: int | None) -> Lineage:
        """A model version (default: the newest), what it learnt from, who let it pass, its work."""
        mine = [c for c in self.candidates if c.model == name]
        chosen = [c for c in mine if version in (None, c.version)]
        if not chosen:
            known = ", ".join(str(c.version) for c in mine) or "none"
            raise NotReadyError(f"{name} has no version {version or ''}; versions: {known}")
        candidate = chosen[-1]
        sources = tuple(
            Lineage(
                kind="dataset version",
                name=f"{dataset}@{taken}",
                children=tuple(made_of(self.env, dataset, taken)),
            )
            for dataset, taken in candidate.features.versions.items()
        )
        told = self._candidate(candidate)
        return told.model_copy(update={"children": (*sources, *told.children)})

    def users(self, dataset: str, used: Callable[[int], bool]) -> tuple[Lineage, ...]:
        """Models trained on versions of a dataset, and feature sets nobody trained on yet."""
        trained = [c for c in self.candidates if used(c.features.versions.get(dataset, -1))]
        keys = {c.features.key for c in trained}
        waiting = [
            f for f in self.features if used(f.versions.get(dataset, -1)) and f.key not in keys
        ]
        return (
            *(self._candidate(candidate, of=dataset) for candidate in trained),
            *(
                Lineage(kind="feature set", name=f"{f.model} {f.key[:12]}", facts=_rows(f))
                for f in waiting
            ),
        )

    def _candidate(self, candidate: Candidate, of: str | None = None) -> Lineage:
        model, version = candidate.model, candidate.version
        taken = candidate.features.versions
        facts = {
            "estimator": candidate.estimator,
            "trained_on": {of: taken[of]} if of else taken,
            **_rows(candidate.features),
        }
        return Lineage(
            kind="model version",
            name=f"{model}@{version}",
            facts=facts,
            children=(*self._decisions(model, version), *self._predictions(model, version)),
        )

    def _decisions(self, model: str, version: int) -> Iterator[Lineage]:
        for event in self.ledger.events("gate", model):
            gate = GateVerdict.model_validate(event.payload)
            if gate.version == version:
                facts = {"verdict": gate.verdict, "primary": gate.primary, "value": gate.value}
                yield Lineage(kind="gate", name=gate.verdict, facts=facts)
        if given := self.ledger.find("approval", model, str(version)):
            answer = Approval.model_validate(given.payload)
            word = "approved" if answer.approved else "rejected"
            facts = {"by": answer.actor, "reason": answer.reason}
            yield Lineage(kind="approval", name=word, facts=facts)
        for event in self.ledger.events("champion", model):
            change = Champion.model_validate(event.payload)
            if change.version == version:
                facts = {"by": change.actor, "generation": change.generation}
                yield Lineage(kind="champion", name=change.action, facts=facts)

    def _predictions(self, model: str, version: int) -> Iterator[Lineage]:
        for scoring in self.scorings:
            if (scoring.model, scoring.version) == (model, version):
                yield _scoring(scoring)


def _scoring(scoring: Scoring) -> Lineage:
    facts = {
        "by": f"{scoring.model}@{scoring.version}",
        "file": scoring.sha256,
        "rows": scoring.rows,
        "dataset_version": scoring.dataset_version,
        "table_version": scoring.table_version,
    }
    name = ", ".join(scoring.partitions) or scoring.sha256[:12]
    return Lineage(kind="predictions", name=name, facts=facts)


def _rows(features: FeatureSet) -> dict[str, int]:
    return {"train_rows": features.train_rows, "holdout_rows": features.holdout_rows}


def _is_hash(what: str, file: FileVerdict) -> bool:
    return len(what) >= 6 and file.sha256.startswith(what.lower())
