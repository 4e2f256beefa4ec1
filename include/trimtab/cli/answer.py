"""How a verb answers: text for people or one JSON document, and an honest exit code."""

import contextlib
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

REFUSED, FALSE = 1, 3  # FALSE: a record was looked at and is not what was written


class Answer:
    """What one call of a verb says. ``document`` is printed with ``--json``."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.document: dict[str, Any] = {}
        self.ok = True
        self.code = REFUSED  # when it is not ok
        self._console: Console | None = None

    @property
    def console(self) -> "Console":
        """Where text for people goes: stdout, or stderr when stdout carries the document."""
        if self._console is None:
            from rich.console import Console

            stream = sys.stderr if self.as_json else sys.stdout
            width = None if stream.isatty() else 140  # a log has no edge at 80
            self._console = Console(file=stream, width=width, highlight=False, soft_wrap=True)
        return self._console

    def say(self, text: Any = "", style: str | None = None) -> None:
        """Print text or a table for people; square brackets in it are only text."""
        self.console.print(text, style=style, markup=False)

    def refuse(self, reason: str, *, code: int = REFUSED, **facts: Any) -> None:
        """Say why it did not work; the exit code will be ``code``."""
        self.ok, self.code = False, code
        self.document = {**self.document, "error": {"message": reason, **facts}}
        typer.echo(f"trimtab: {reason}", err=True)


@contextlib.contextmanager
def answering(*, as_json: bool, debug: bool) -> Iterator[Answer]:
    """Turn errors into clear text and exit codes; print the document at the end."""
    from trimtab.errors import TrimtabError

    level = logging.INFO if debug else logging.ERROR
    if not debug:
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")  # it sets up loggers of its own
    logging.basicConfig(level=level, stream=sys.stderr, format="%(name)s: %(message)s")
    answer = Answer(as_json=as_json)
    with contextlib.suppress(ValueError):  # not in the main thread: tests
        signal.signal(signal.SIGTERM, _leave)  # so that what was started is stopped
    try:
        yield answer
    except TrimtabError as error:
        if debug:
            traceback.print_exc()
        answer.refuse(str(error), kind=type(error).__name__)
    except KeyboardInterrupt:
        answer.refuse("interrupted", kind="KeyboardInterrupt")
    if as_json:
        typer.echo(json.dumps(answer.document, indent=1, default=str))
    if not answer.ok:
        raise typer.Exit(answer.code)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
