"""``trimtab as-of``, ``history`` and ``audit explain``: what was, and why."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import answering
from trimtab.cli.lineage import show_tree
from trimtab.cli.options import Config, Debug, Home, Json, open_project

if TYPE_CHECKING:
    from datetime import datetime

    from trimtab.types import Served, Told

app = typer.Typer(help="Questions an auditor asks.", no_args_is_help=True)


def as_of(
    model: str,
    moment: Annotated[str, typer.Argument(help="With its zone, such as 2026-03-03T12:00Z.")],
    data_time: Annotated[
        bool, typer.Option("--data-time", help="A moment of the data instead of the clock.")
    ] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say which version served at a moment, since when, put there by whom, on which evidence."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import history as stage

        env = open_project(config, home)
        told = stage.served(env, model, stage.moment(moment), data_time=data_time)
        answer.document = told.to_json()
        answer.say(_served(told))
        show_tree(answer, *told.evidence)


def history(
    model: str,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what stages keep for themselves.")
    ] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell everything that was decided about a model, oldest first."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.cli.table import show_rows
        from trimtab.stages import history as stage

        told = stage.history(open_project(config, home), model, everything=everything)
        answer.document = {"model": model, "entries": [each.to_json() for each in told]}
        show_rows(answer, model, [_line(each) for each in told])


@app.command()
def explain(
    prediction_id: Annotated[
        str, typer.Argument(help="As in the column prediction_id of the predictions.")
    ],
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Go from a prediction to the version, its data, the files, and who let it pass."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages.audit import explain_prediction

        told = explain_prediction(open_project(config, home), prediction_id)
        answer.document = told.to_json()
        show_tree(answer, told)


def _served(told: "Served") -> str:
    if told.version is None:
        first = f"; the first one did from {_shown(told.until)} on" if told.until else ""
        return f"{told.model}: no version served at {_shown(told.at)}{first}"
    since = f"since {_shown(told.since)} " if told.since else ""
    until = f"until {_shown(told.until)}" if told.until else "until now"
    how = f"generation {told.generation}, ledger entry {told.entry}"
    return (
        f"{told.model} version {told.version} served, {since}{until}: "
        f"{told.action} by {told.actor} ({how}): {told.reason}"
    )


def _shown(at: "datetime") -> str:
    return f"{at:%Y-%m-%d %H:%M:%S %Z}"


def _line(told: "Told") -> dict[str, Any]:
    run = (told.origin or {}).get("run") or (told.origin or {}).get("user")
    return {
        "entry": told.seq,
        "at": f"{told.at:%Y-%m-%d %H:%M:%S}",
        "version": told.version,
        "what": told.what,
        "by": told.actor,
        "from": run,
        "reason": told.reason,
    }
