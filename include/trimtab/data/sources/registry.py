"""Sources by name: a name is the scheme of a source's ``uri``, or ``folder``, or ``sql``.

A new source is one class in one file: beside this one, or a user's own in the module
``trimtab_sources`` on the path, registered by `source` under the scheme of its addresses.
"""

import functools
import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.types import LandedFile

USER_MODULE = "trimtab_sources"


class Source(Protocol):
    """Where the files of one dataset come from."""

    def files(self) -> list[LandedFile]:
        """Return the complete files, sorted by name, opening none of them.

        Names are as they are: what must not be read (a link, a folder) is listed too, so that it
        gets its verdict. What is still being written is not.

        Raises:
            DependencyError: the place does not answer.
        """
        ...

    def fetch(self, file: LandedFile, into: Path) -> str:
        """Copy the bytes of ``file`` to the local path ``into``; return their SHA-256 (hex).

        In bounded memory: a file may be larger than the machine's memory.

        Raises:
            NotReadyError: the file is gone, is still being written, or is another one by now.
            RefusedFileError: it must not be taken: no plain file, or a checksum beside it says
                other bytes; ``into`` holds what was read, if anything was.
            DependencyError: the place does not answer.
        """
        ...

    def probe(self) -> str:
        """Return what can be seen of the place, in a few words; raise when it cannot be used."""
        ...


@runtime_checkable
class Doorbell(Protocol):
    """A source that can tell when there may be something new, so that looks may be rare."""

    def rung(self, seconds: float) -> bool:
        """Wait at most so long; return whether it rang."""
        ...


SourceFactory = Callable[[Environment, str], Source]
F = TypeVar("F", bound=SourceFactory)
_FACTORIES: dict[str, SourceFactory] = {}


def source(name: str) -> Callable[[F], F]:
    """Register what opens sources of this name; it is called with an environment and a dataset."""

    def register(factory: F) -> F:
        _FACTORIES[name] = factory
        return factory

    return register


def open_source(env: Environment, dataset: str) -> Source:
    """Open the source that the dataset's file names.

    Raises:
        TrimtabError: no class is registered for it.
    """
    name = env.project.dataset(dataset).source.opener
    if name not in _FACTORIES:
        _load_user_module()
    if name not in _FACTORIES:
        raise TrimtabError(
            f"{dataset}: no source is registered for {name}://, known are {sorted(_FACTORIES)}; "
            f"correct source.uri, or register a class of your own by @source({name!r}) in a module "
            f"{USER_MODULE}"
        )
    return _FACTORIES[name](env, dataset)


@functools.cache
def _load_user_module() -> None:
    if importlib.util.find_spec(USER_MODULE) is not None:
        importlib.import_module(USER_MODULE)
