"""``trimtab rollback``, ``block`` and ``unblock``: the way back, and what may not come back."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import By, Config, Debug, Home, Json, Reason, open_project, os_user

if TYPE_CHECKING:
    from trimtab.types import Block, Champion


def rollback(
    model: str,
    reason: Reason,
    to: Annotated[
        int | None,
        typer.Option("--to", help="Version [default: the last approved one that is not blocked]."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Go back to what served then, such as 2026-03-03T12:00Z."),
    ] = None,
    override_freeze: Annotated[
        bool, typer.Option("--override-freeze", help="Although changes are frozen; it is kept.")
    ] = False,
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make an earlier version the champion again, and block the one that served."""
    moment = _moment(at) if at else None
    if to is not None and moment:
        raise typer.BadParameter("name a version or a moment, not both", param_hint="--to, --at")
    with answering(as_json=json, debug=debug) as answer, _in_haste():
        from trimtab.stages import rollback as stage

        now = stage.rollback(
            open_project(config, home),
            model,
            to=to,
            at=moment,
            reason=reason,
            actor=by or os_user(),
            override_freeze=override_freeze,
        )
        _show(answer, now)


def block(
    model: str,
    version: int,
    reason: Reason,
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Keep a version that does not serve from ever serving."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import block as stage

        env, who = open_project(config, home), by or os_user()
        _show_mark(answer, stage.block(env, model, version, reason=reason, actor=who))


def unblock(
    model: str,
    version: int,
    reason: Reason,
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Let a blocked version be promoted or gone back to again."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import block as stage

        env, who = open_project(config, home), by or os_user()
        _show_mark(answer, stage.unblock(env, model, version, reason=reason, actor=who))


def recalibrate(
    model: str,
    reason: Reason,
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Ask for another calibration of the champion, as a new version through the gate."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import recalibrate as stage

        env, who = open_project(config, home), by or os_user()
        key = stage.request(env, model, actor=who, reason=reason)
        answer.document = {"model": model, "request": key, "by": who, "reason": reason}
        answer.say(f"{model}: asked for; the next run of {model}.train, or 'trimtab run', does it")


@contextmanager
def _in_haste() -> Iterator[None]:
    """Collect no garbage: each time it would look through all that is imported until the swap."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write 2026-03-03T12:00Z", param_hint="--at") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text} names no time zone; write {text}Z", param_hint="--at")
    return moment


def _show(answer: Answer, now: "Champion") -> None:
    answer.document = now.to_json()
    answer.say(f"{now.model}: v{now.version} serves again (was v{now.previous}): {now.reason}")
    if now.overrode:
        answer.say(f"{now.model} is {now.overrode}; the ledger keeps that this was overridden")


def _show_mark(answer: Answer, mark: "Block") -> None:
    answer.document = mark.to_json()
    word = "blocked" if mark.blocked else "not blocked any more"
    answer.say(f"{mark.model} v{mark.version} is {word} ({mark.actor}): {mark.reason}")
