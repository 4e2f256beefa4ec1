"""What is told of one training: plain values, so that stages need not know MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from trimtab.types import Candidate

CHAMPION, CHALLENGER = "champion", "challenger"
HEAD = "trimtab.ledger"  # of a version: the ledger's entry that made it champion, with its hash
KEY, VERSION, FAMILY, PARENT = (
    "trimtab.key",
    "trimtab.version",
    "trimtab.family",
    "mlflow.parentRunId",
)
GATE, APPROVAL, BLOCKED = "trimtab.gate", "trimtab.approval", "trimtab.blocked"


@dataclass(frozen=True)
class Family:
    """One family of candidates: a nested run."""

    metrics: Mapping[str, float]
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Input:
    """A dataset the model was trained on; ``digest`` is ours, of every byte."""

    name: str
    digest: str
    kind: str
    source: str
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelFiles:
    """A packaged model (skops) and what MLflow wants beside it."""

    file: Path
    example: Any
    prediction: Any
    trusted: tuple[str, ...]
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class Training:
    """One version: its run, its nested runs, its files, its model."""

    candidate: Candidate
    ended: datetime
    metrics: Mapping[str, float]
    params: Mapping[str, Any]
    tags: Mapping[str, str]
    families: Mapping[str, Family]
    inputs: tuple[Input, ...]
    folder: Path
    files: tuple[str, ...]  # of the folder, shown as artifacts of the run
    model: ModelFiles
