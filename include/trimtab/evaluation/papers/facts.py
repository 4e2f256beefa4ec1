"""Everything the papers of a version are made of. Equal facts give equal bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from trimtab.config.columns import primary_metric
from trimtab.config.dataset import DatasetSpec
from trimtab.config.model import ModelSpec
from trimtab.evaluation.card import Card
from trimtab.ledger import Event
from trimtab.types import Candidate, DatasetVersion, FileVerdict, Validation


@dataclass(frozen=True)
class File:
    """One file whose rows a dataset version holds, and what became of all its rows."""

    published: DatasetVersion
    verdict: FileVerdict | None
    validation: Validation | None
    set_aside: Mapping[str, int]  # reason -> rows


@dataclass(frozen=True)
class Source:
    """A dataset at the version that was learnt from. ``spec`` is the contract as recorded."""

    spec: DatasetSpec
    made: DatasetVersion
    at: datetime  # when this version was published
    files: tuple[File, ...]
    refused: int  # files that were refused before the training
    content: Mapping[str, Any]  # what the version's record says of the table and its files

    @property
    def name(self) -> str:
        """Name and version, as they are written everywhere."""
        return f"{self.spec.dataset}@{self.made.version}"

    @property
    def set_aside(self) -> int:
        """Rows that were kept out, of all files."""
        return sum(sum(file.set_aside.values()) for file in self.files)


@dataclass(frozen=True, kw_only=True)
class Facts(Card):
    """One version of a model. ``spec`` is the model file of now: its words are about the model."""

    made: Mapping[str, Any]  # model.json, checked against the ledger
    opponent: Candidate | None  # the champion it was judged against
    sources: tuple[Source, ...]
    events: tuple[Event, ...]  # of the ledger, about this version: how it was made and decided on
    files: Mapping[str, bytes]  # of its package, as they are: those that people look at
    lock: bytes | None  # the lock file it was made with

    @property
    def name(self) -> str:
        """Model and version, as they are written everywhere."""
        return f"{self.candidate.model}@{self.candidate.version}"

    @cached_property
    def recorded(self) -> ModelSpec:
        """The model file it was trained by."""
        return ModelSpec.model_validate(self.made["config"])

    @property
    def primary(self) -> str:
        """The metric that decides."""
        return primary_metric(self.recorded, self.candidate.features.task)

    @property
    def trained(self) -> Event:
        """The end of its training."""
        return self.of("training")[0]

    def of(self, *kinds: str) -> list[Event]:
        """Events of these kinds, in their order."""
        return [event for event in self.events if event.kind in kinds]
