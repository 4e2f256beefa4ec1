"""``trimtab retention``: remove what no kept version of a dataset needs."""

from typing import Annotated

import typer

from trimtab.cli.answer import answering
from trimtab.cli.options import By, Config, Debug, Home, Json, open_project, os_user


def retention(
    datasets: Annotated[list[str] | None, typer.Argument(help="Datasets [default: all].")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Remove the files; without it they are only listed.")
    ] = False,
    keep: Annotated[str, typer.Option("--keep", help="Younger versions stay.")] = "30d",
    newest: Annotated[int, typer.Option("--newest", min=1, help="So many versions stay.")] = 5,
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List (or remove) files that no kept version needs; versions models were trained on stay."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.adapters import delta
        from trimtab.cli.table import show_rows
        from trimtab.config.spec import parse_duration
        from trimtab.stages import retention as stage

        env = open_project(config, home)
        try:
            age = parse_duration(keep)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--keep") from None
        names = [env.project.dataset(name).dataset for name in datasets or env.project.datasets]
        found = [
            stage.retention(env, name, keep=age, newest=newest, apply=apply, actor=by or os_user())
            for name in names
            if delta.exists(env.table(name))
        ]
        answer.document = {"applied": apply, "datasets": [each.to_json() for each in found]}
        rows = [
            {
                "dataset": each.dataset,
                "files": len(each.files),
                "bytes": each.bytes,
                "versions": [str(v) for v in each.versions],
                "kept": [str(v) for v in each.kept],
            }
            for each in found
        ]
        show_rows(answer, "Removed" if apply else "Could be removed", rows)
        for each in found:
            for file in each.files:
                answer.say(f"  {file}")
        if not apply and any(each.files for each in found):
            answer.say("Nothing was removed; add --apply to do it.")
