"""``trimtab staleness``: how fast a version goes stale, and how old it should become at most."""

from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.answer import answering
from trimtab.cli.options import Config, Debug, Home, Json, maybe_version, open_project

if TYPE_CHECKING:
    from trimtab.environment import Environment


def staleness(
    what: Annotated[
        str,
        typer.Argument(metavar="MODEL[@VERSION]", help="Such as late@3 [default: the champion]."),
    ],
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Measure the decay curve of a version: the score of a model by its age in weeks."""
    model, named = maybe_version(what)
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.cli.table import show_rows
        from trimtab.stages import staleness as stage

        env = open_project(config, home)
        version = named or _champion(env, model)
        found = stage.staleness(env, model, version, answer.say)
        answer.document = found.to_json()
        curve = zip(found.weeks, found.scores, found.losses, found.errors, strict=True)
        rows = [
            {"weeks_old": weeks, found.metric: score, "lost": loss, "standard_error": error}
            for weeks, score, loss, error in curve
        ]
        show_rows(answer, f"{model} version {version}", rows)
        answer.say(found.reason)
        if found.report:
            answer.say(f"page: {env.reports / found.report}")


def _champion(env: "Environment", model: str) -> int:
    from trimtab.errors import NotReadyError
    from trimtab.ledger import champion

    now = champion.current(env.ledger, env.project.model(model).model)
    if now is None:
        raise NotReadyError(f"{model} has no champion yet; name a version: {model}@VERSION")
    return now.version
