"""``trimtab tracking``: what MLflow shows, brought to what the ledger says."""

from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, open_project

if TYPE_CHECKING:
    from trimtab.types import TrackingSync

app = typer.Typer(help="MLflow, a mirror of the ledger.", no_args_is_help=True)


@app.command()
def sync(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell MLflow what it missed, close runs nobody will end, put champion aliases right."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import sync as stage

        found = stage.sync(open_project(config, home), dry_run=dry_run)
        answer.document = found.to_json()
        _show(answer, found)
        if found.problems:
            answer.refuse("; ".join(found.problems), kind="NotMirrored")


def _show(answer: Answer, found: "TrackingSync") -> None:
    would = "would be " if found.dry_run else ""
    for each in found.told:
        answer.say(f"{each.model}: {each.what}: " + (each.skipped or "told"))
    for each in found.waiting:
        answer.say(f"{each.model}: {each.what}: " + ("would be told" if would else "waits"))
    for run in found.killed:
        answer.say(f"{run.model}: run {run.name} ({run.run_id}) {would}killed: {run.reason}")
    for model, (before, now) in found.aliases.items():
        answer.say(f"{model}: alias champion {would}moved from {before or 'nothing'} to {now}")
    if not (found.told or found.waiting or found.killed or found.aliases):
        answer.say(f"{found.place} shows what the ledger says")
