"""``trimtab reconcile``: what MLflow shows, brought to what the ledger says."""

from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, open_project

if TYPE_CHECKING:
    from trimtab.types import Reconciled


def reconcile(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell MLflow what it missed, close what crashes left open, undo what was changed by hand."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import reconcile as stage

        found = stage.reconcile(open_project(config, home), dry_run=dry_run)
        answer.document = found.to_json()
        _show(answer, found)
        if found.problems:
            answer.refuse("; ".join(found.problems), kind="NotMirrored")


def _show(answer: Answer, found: "Reconciled") -> None:
    from trimtab.stages.foreign import told

    would = "would be " if found.dry_run else ""
    for each in found.told:
        answer.say(f"{each.model}: {each.what}: " + (each.skipped or "told"))
    for each in found.waiting:
        answer.say(f"{each.model}: {each.what}: " + ("would be told" if would else "waits"))
    for one in found.closed:
        answer.say(f"{one.model}: {one.what} {one.name} ({one.id}) {would}closed: {one.reason}")
    for change in found.foreign:
        answer.say(f"{change.model}: {told(change)}")
    if not (found.told or found.waiting or found.closed or found.foreign):
        answer.say(f"{found.place} shows what the ledger says")
