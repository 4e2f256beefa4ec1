"""Kinds of sources by name. A new kind is one class in one file beside this one."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from trimtab.environment import Environment
from trimtab.types import LandedFile


class Source(Protocol):
    """Where the files of one dataset come from."""

    def files(self) -> list[LandedFile]:
        """Return the complete files, sorted by name, reading none of them."""
        ...

    def fetch(self, file: LandedFile, into: Path) -> str:
        """Copy the bytes of ``file`` to the local path ``into``; return their SHA-256 (hex).

        In bounded memory: a file may be larger than the machine's memory.

        Raises:
            NotReadyError: the file is gone or is still being written.
        """
        ...


SourceFactory = Callable[[Environment, str], Source]
F = TypeVar("F", bound=SourceFactory)
_FACTORIES: dict[str, SourceFactory] = {}


def source(kind: str) -> Callable[[F], F]:
    """Register what opens sources of ``kind``; it is called with an environment and a dataset."""

    def register(factory: F) -> F:
        _FACTORIES[kind] = factory
        return factory

    return register


def open_source(env: Environment, dataset: str) -> Source:
    """Open the source that the dataset's file names."""
    return _FACTORIES[env.project.dataset(dataset).source.kind](env, dataset)
