"""What a probe found, and how a probe that breaks becomes a finding."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from trimtab.types import Record

Status = Literal["ok", "warn", "refused"]


class Finding(Record):
    """One thing that was tried. ``refused`` means that trimtab must not work there."""

    what: str
    status: Status
    text: str
    cure: str = ""


def ok(what: str, text: str) -> Finding:
    """Say that it is as it should be."""
    return Finding(what=what, status="ok", text=text)


def judged(
    what: str, good: bool, text: str, cure: str, *, otherwise: Status = "refused"
) -> Finding:
    """Say whether it is as it should be; the cure only when it is not."""
    return ok(what, text) if good else Finding(what=what, status=otherwise, text=text, cure=cure)


def tried(what: str, probe: Callable[[], Iterable[Finding]], cure: str) -> Iterator[Finding]:
    """Yield what a probe finds; a probe that breaks is refused, with what it said."""
    try:
        yield from probe()
    except Exception as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        yield Finding(what=what, status="refused", text=said[0], cure=cure)
