"""What a version is compared with, as files: built when first wanted, and again when of no use."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from trimtab.environment import Environment
from trimtab.monitoring import report
from trimtab.types import Candidate, Record

log = logging.getLogger(__name__)
T = TypeVar("T", bound=Record)


def place(env: Environment, candidate: Candidate, what: str) -> Path:
    """Where a version keeps what it is compared with; ``what`` ends the file's name."""
    return env.lake / "profiles" / candidate.model / f"{candidate.key[:16]}.{what}"


def kept(
    path: Path, kind: type[T], build: Callable[[], T], fits: Callable[[T], bool] = lambda _: True
) -> T:
    """Read a file of the version, or build it; two builders write the same.

    One that an earlier trimtab has written otherwise, or that does not fit, is built again.
    """
    if path.exists():
        try:
            found = kind.model_validate_json(path.read_text())
        except ValidationError:
            log.info("%s is of an earlier make; it is built again", path)
        else:
            if fits(found):
                return found
    built = build()
    report.write(built.model_dump_json(), path)
    return built
