"""What can stand under a clause: a value, a pointer into the dossier, or why there is none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from trimtab.evaluation.papers.facts import Facts

Kind = Literal["value", "pointer", "not applicable", "missing"]


@dataclass(frozen=True)
class Answer:
    """``by`` says whether records alone gave it, or words that a person wrote are in it."""

    kind: Kind
    content: Any
    by: Literal["record", "person"] = "record"

    def to_json(self) -> dict[str, Any]:
        """Plain values; the content is under the kind's own name."""
        name = {"not applicable": "reason", "missing": "wanted"}.get(self.kind, self.kind)
        return {"kind": self.kind, name: self.content, "by": self.by}


@dataclass(frozen=True)
class Clause:
    """One clause of Annex IV. ``text`` is its matter in short, not its wording."""

    id: str
    text: str
    ask: Callable[[Facts], Answer]


@dataclass(frozen=True)
class Heading:
    """One of the nine headings."""

    number: str
    title: str
    clauses: tuple[Clause, ...]


def value(content: Any) -> Answer:
    """Answer with what the records say."""
    return Answer("value", content)


def pointer(*places: str) -> Answer:
    """Answer with places in the dossier: a file, or a part of it as in ``gate.json#/rules``."""
    return Answer("pointer", list(places))


def not_applicable(reason: str) -> Answer:
    """Answer with why there is nothing to say."""
    return Answer("not applicable", reason)


def missing(wanted: str) -> Answer:
    """Say who has to do what."""
    return Answer("missing", wanted, "person")


def words(text: str, key: str) -> Answer:
    """Answer with a text of the model file, or ask for it."""
    if text.strip():
        return Answer("value", text, "person")
    return missing(f"write it under {key} in the model file")
