"""``trimtab new``: a contract and a model learned from one file."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, home_folder

if TYPE_CHECKING:
    from trimtab.stages.new import Learned


def new(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="CSV (.gz too), JSON Lines or Parquet."),
    ],
    target: Annotated[str, typer.Option("--target", help="The column to predict.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the dataset [default: the file's].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Learn a contract from a file: write a dataset file, a model file and a page to look at."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.paths import default_config
        from trimtab.stages.new import learn

        folder = config.resolve() if config else default_config()  # it may not be there yet
        with answer.console.status(f"looking at {file.name}"):
            learned = learn(
                file, target, config=folder, home=home_folder(home), name=name, force=force
            )
        answer.document = _document(learned)
        _show(answer, learned, file)


def _document(learned: "Learned") -> dict[str, Any]:
    profile = learned.profile
    return {
        "dataset": learned.dataset,
        "model": learned.model,
        "files": [str(file) for file in learned.files],
        "page": str(learned.page),
        "landing": str(learned.landing),
        "rows": profile.rows.height,
        "columns": {column.name: column.type for column in profile.columns},
        "key": list(profile.keys.chosen),
        "time": profile.time,
        "task": profile.target.task,
        "excluded": profile.excluded,
        "findings": [vars(finding) for finding in learned.findings],
    }


def _show(answer: Answer, learned: "Learned", file: Path) -> None:
    profile = learned.profile
    key = "the whole row" if profile.keys.content else " + ".join(profile.keys.chosen)
    answer.say(
        f"{profile.rows.height:,} rows, {len(profile.columns)} columns; key {key}; "
        f"time {profile.time or 'none'}; {profile.target.column.name}: {profile.target.why}"
    )
    marks = {"bad": "red", "warn": "yellow", "note": None}
    for finding in learned.findings[:5]:
        answer.say(f"  {finding.text} {finding.action}", style=marks[finding.tone])
    if more := len(learned.findings) - 5:
        answer.say(f"  and {more} more on the page" if more > 0 else "")
    for written in (*learned.files, learned.page):
        answer.say(f"wrote {written}")
    landing = shlex.quote(str(learned.landing))
    answer.say("Next:")
    answer.say(f"  mkdir -p {landing} && cp {shlex.quote(str(file))} {landing}/")
    answer.say(f"  trimtab run {learned.model}")
