"""Named locks that several stages agree on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from trimtab.ledger.ledger import Ledger


@contextmanager
def publishing(ledger: Ledger, *datasets: str) -> Iterator[None]:
    """Hold the publication of these datasets.

    Who publishes holds it over all files of a delivery; who reads several tables holds it while
    looking at their versions, and so never sees January and February of a delivery of three months.
    """
    with ExitStack() as held:
        for dataset in sorted(datasets):  # one order for all: nobody waits in a circle
            held.enter_context(ledger.lock(f"publish:{dataset}"))
        yield
