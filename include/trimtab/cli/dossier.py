"""``trimtab dossier`` and ``verify``: the papers of a version, and whether bytes changed."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.answer import FALSE, Answer, answering
from trimtab.cli.options import (
    Config,
    Debug,
    Home,
    Json,
    ModelVersion,
    model_version,
    open_project,
)

if TYPE_CHECKING:
    from trimtab.types import Completeness


def dossier(
    what: ModelVersion,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to put MODEL-vN.zip and MODEL-vN.html into."),
    ] = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Issue the papers of a version: one zip and one page that is readable by itself."""
    model, version = model_version(what)
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.evaluation.papers.bundle import ZIP
        from trimtab.stages import dossier as stage

        env = open_project(config, home)
        made = stage.dossier(env, model, version)
        folder = env.lake / made.uri
        files = [folder / ZIP, env.reports / stage.path(model, version)]
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            named = f"{model}-v{version}"
            files = [shutil.copyfile(f, out / f"{named}{f.suffix}") for f in files]
        answer.document = {**made.to_json(), "files": [str(file) for file in files]}
        for file in files:
            answer.say(str(file))
        _told(answer, made.completeness)


def verify(
    what: ModelVersion,
    data: Annotated[bool, typer.Option(help="Hash the files of the datasets, too.")] = True,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compute every hash of a version again; 3 when a file is not what the ledger says."""
    model, version = model_version(what)
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import verify as stage

        found = stage.verify(open_project(config, home), model, version, data=data)
        answer.document = found.to_json()
        for note in found.notes:
            answer.say(f"  note: {note}")
        if found.intact:
            answer.say(f"{model}@{version}: {found.files} files are what the ledger says")
        else:
            for each in found.altered:
                answer.say(f"  {each}")
            told = f"{model}@{version} has been changed: {'; '.join(found.altered)}"
            answer.refuse(told, code=FALSE, kind="Altered")


def _told(answer: Answer, done: "Completeness") -> None:
    answered = done.fields - len(done.missing)
    answer.say(
        f"Annex IV: {answered} of {done.fields} clauses answered ({done.share:.1%}), "
        f"{done.automatic} from records alone ({done.automatic_share:.1%})"
    )
    if done.missing:
        answer.say(f"missing: {', '.join(done.missing)}; annex_iv.json says what to do")
