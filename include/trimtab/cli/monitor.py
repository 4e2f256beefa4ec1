"""``trimtab monitor``: what monitoring has seen of a model, or what two files have apart."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trimtab.cli import calibrate, windows
from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, config_folder, open_project

_DEFAULT = "show"


class _Group(TyperGroup):
    """``trimtab monitor MODEL`` stands for ``trimtab monitor show MODEL``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *self.get_help_option_names(ctx)}:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    subcommand_metavar="MODEL | COMMAND [ARGS]...",
    help="Show what monitoring has seen of MODEL; or judge two files: --reference A --current B.",
)
app.command("calibrate")(calibrate.calibrate)


@app.command(_DEFAULT)
def show(
    model: Annotated[
        str | None, typer.Argument(help="[default: none; the files say what they hold]")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", help="CSV or Parquet file of how it should be.")
    ] = None,
    current: Annotated[
        Path | None, typer.Option("--current", help="CSV or Parquet file to judge by it.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="HTML page to write of the two files.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Windows from this year, month, day or moment on."),
    ] = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what monitoring has seen of MODEL; two files are judged without the ledger."""
    with answering(as_json=json, debug=debug) as answer:
        if reference is None and current is None:
            if model is None:
                raise typer.BadParameter("name a MODEL, or two files: --reference A --current B")
            windows.show(answer, open_project(config, home), model, since)
        elif reference is None or current is None:
            raise typer.BadParameter("two files are compared: --reference A and --current B")
        else:
            _files(answer, model, reference, current, out, config)


def _files(
    answer: Answer,
    model: str | None,
    reference: Path,
    current: Path,
    out: Path | None,
    config: Path | None,
) -> None:
    from trimtab.cli.table import show_rows
    from trimtab.config import load_project
    from trimtab.stages import compare

    project = load_project(config_folder(config)) if model else None
    judged = compare.files(reference, current, model=model, project=project)
    if out:
        compare.write_page(judged, out)
    answer.document = judged.to_json()
    findings = judged.observation.findings
    whole = [f for f in findings if f.signal == "quality" and f.status == "ok"]
    told = sorted((f for f in findings if f not in whole), key=lambda f: f.status != "moved")
    title = f"{current.name} against {reference.name}"
    show_rows(answer, title, [compare_line(finding) for finding in told])
    if whole:
        answer.say(f"{len(whole)} checks of quality found nothing.")
    for name, why in judged.left_out.items():
        answer.say(f"not compared: {name} ({why})")
    answer.say(f"{judged.observation.summary}.", style="bold")
    if out:
        answer.say(f"Page: {out}")


def compare_line(finding: Any) -> dict[str, Any]:
    """One finding as a line of a table."""
    return {
        "signal": finding.signal,
        "column": finding.column,
        "statistic": finding.statistic,
        "verdict": finding.status.replace("_", " "),
        "value": finding.value,
        "expected": finding.expected,
        "limit": finding.threshold,
        "chance": finding.p_value,
        "what changed": finding.note,
    }
