"""``trimtab monitor calibrate``: what the alarm settings mean for a model's own data."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, open_project

if TYPE_CHECKING:
    from datetime import timedelta

    from trimtab.watch import Calibration, Visible


def calibrate(
    model: Annotated[str, typer.Argument(help="Name of a model.")],
    rows: Annotated[
        int | None, typer.Option(min=1, help="Rows of a window [default: as scored so far].")
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From one window to the next, such as 1d or 6h."),
    ] = None,
    windows: Annotated[int, typer.Option(min=1, help="How many are simulated.")] = 1000,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say how many false alarms to expect, and the smallest change a window would show."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages.calibrate import calibration

        pace = _duration(every) if every else None
        env = open_project(config, home)
        found = calibration(env, model, rows=rows, every=pace, windows=windows)
        answer.document = found.to_json()
        _tell(answer, found)


def _duration(text: str) -> "timedelta":
    from trimtab.config.spec import parse_duration

    try:
        found: timedelta = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--every") from None
    return found


def _tell(answer: Answer, found: "Calibration") -> None:
    from trimtab.cli.table import show_rows

    often = f", one every {found.every:.3g} days" if found.every else ""
    answer.say(f"{found.model} version {found.version}: windows of {found.rows:,} rows{often}")
    answer.say(
        f"{found.windows:,} windows of its own reference, nothing changed: "
        f"{found.moved:,} moved, {found.alarms:,} alarmed"
    )
    if found.false_alarms is not None:
        answer.say(
            f"false alarms: {found.false_alarms:.2g} expected, {found.budget} allowed", style="bold"
        )
    others = found.shared - len(found.signals)
    if others > 0:
        answer.say(
            f"simulated: {', '.join(found.signals)}; {others} more signals share the budget with "
            "them and are held to their part"
        )
    title = "smallest change that four windows of five would show"
    show_rows(answer, title, [_row(each) for each in found.visible])
    for note in found.notes:
        answer.say(f"note: {note}")


def _row(seen: "Visible") -> dict[str, Any]:
    smallest = seen.smallest
    if smallest is None:
        size = "none is"
    elif seen.unit == "share of the rows":
        size = f"{smallest:.1%} of the rows"
    else:
        size = f"{smallest:.2g} {seen.unit}"
    return {
        "signal": seen.signal,
        "of": seen.name,
        "what": seen.what,
        "from": size,
        "note": seen.note,
    }
