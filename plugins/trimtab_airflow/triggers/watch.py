"""What a trigger looks at. Everything here blocks, so it is called in threads only."""

import functools
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from trimtab_airflow.connections import airflow_connection

if TYPE_CHECKING:
    from trimtab.config.source import SourceSpec
    from trimtab.environment import Environment
    from trimtab.types import LandedFile

Listing = frozenset[tuple[str, str]]  # name and sighting of files
_LONG_POLL = 20.0  # seconds, what SQS allows at most
_LOCK = threading.Lock()
_SHARED: "list[Environment]" = []


def fingerprint(source: "SourceSpec") -> str:
    """Name a source as it is described: another one, another fingerprint."""
    return hashlib.sha256(source.model_dump_json().encode()).hexdigest()[:16]


class Watch:
    """The source of one dataset, and the ledger beside it.

    Raises:
        TrimtabError: the dataset's file or the environment cannot be used.
    """

    def __init__(self, dataset: str, described: str) -> None:
        from trimtab.data.sources import Doorbell, open_source

        self.env, self.dataset = environment(dataset, described), dataset
        self.source = open_source(self.env, dataset)
        spec = self.env.project.dataset(dataset).source
        self.every = spec.look_every.total_seconds()
        self.rings = isinstance(self.source, Doorbell)
        # S3 tells the time in whole seconds
        self.settle = spec.settle.total_seconds() + 1 if spec.kind == "files" else 0.0
        self._files: list[LandedFile] = []

    def listing(self) -> Listing:
        """List the complete files."""
        self._files = self.source.files()
        return _listing(self._files)

    def unjudged(self) -> Listing:
        """Ask the ledger which of the listed files nobody has judged."""
        from trimtab.stages.ingest import unjudged

        return _listing(unjudged(self.env, self.dataset, self._files))

    def rung(self) -> bool:
        """Wait a while for the source to ring."""
        from trimtab.data.sources import Doorbell

        source = self.source
        return isinstance(source, Doorbell) and source.rung(min(self.every, _LONG_POLL))

    @functools.cached_property
    def thread(self) -> ThreadPoolExecutor:
        """The thread in which somebody waits for the bell nearly all the time."""
        return ThreadPoolExecutor(1, thread_name_prefix=f"trimtab-bell-{self.dataset}")


def environment(dataset: str, described: str) -> "Environment":
    """Return the environment all triggers of this process share: one pool of connections.

    It is opened again when the dataset's source is not, or no more, as described.
    """
    from trimtab.environment import open_environment

    with _LOCK:
        if not (_SHARED and _describes(_SHARED[0], dataset, described)):
            _SHARED[:] = [open_environment(connections=airflow_connection)]
        return _SHARED[0]


def _describes(env: "Environment", dataset: str, described: str) -> bool:
    known = env.project.datasets.get(dataset)
    return known is not None and fingerprint(known.source) == described


def _listing(files: "list[LandedFile]") -> Listing:
    return frozenset((file.name, file.sighting) for file in files)
