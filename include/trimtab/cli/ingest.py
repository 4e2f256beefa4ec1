"""``trimtab ingest``: give files to a dataset by hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import answering
from trimtab.cli.options import Config, Debug, Home, Json, open_dataset

if TYPE_CHECKING:
    from trimtab.environment import Environment
    from trimtab.types import Intake

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Any files; S3 is a source.")]


def ingest(
    dataset: str,
    files: Files,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Judge files, check and publish them. The exit code is 1 when one of them was refused."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.cli.table import show_rows
        from trimtab.stages import intake

        env = open_dataset(config, home, dataset)  # a wrong name is said once, not once per file
        taken: list[Intake] = []
        with answer.console.status("") as status:
            for number, file in enumerate(files, start=1):
                status.update(f"{number} of {len(files)}: {file.name}")
                taken.append(intake.take(env, dataset, file))
        answer.document = {"dataset": dataset, "files": [document(env, each) for each in taken]}
        show_rows(answer, dataset, [_line(each) for each in taken])
        if refused := [each for each in taken if not each.published]:
            told = [f"{each.name}: {each.reason}: {each.detail}" for each in refused]
            head = f"{len(refused)} of {len(taken)} file(s) not published"
            answer.refuse("\n  ".join([head, *told]), kind="refused")


def document(env: "Environment", taken: "Intake") -> dict[str, Any]:
    """One file as ``--json`` tells it."""
    told = taken.to_json(exclude={"dataset"})
    return {**told, "docs": str(env.reports / taken.docs) if taken.docs else None}


def _line(taken: "Intake") -> dict[str, Any]:
    return {
        "file": taken.name,
        "verdict": taken.verdict,
        "reason": taken.reason,
        "read": taken.rows_read,
        "accepted": taken.accepted,
        "set aside": taken.quarantined,
        "version": taken.version,
    }
