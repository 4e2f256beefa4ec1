"""``trimtab explain``: what features are worth to a version, or why one row got its score."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, maybe_version, open_project

if TYPE_CHECKING:
    from rich.text import Text

    from trimtab.environment import Environment
    from trimtab.types import Explanation, Importance

_WIDTH = 28  # characters of the longest bar


def explain(
    model: Annotated[str, typer.Argument(help="MODEL, or MODEL@VERSION.")],
    id_: Annotated[
        list[str] | None,
        typer.Option(
            "--id", help="KEY=VALUE of the row to explain, once for each key column; or VALUE."
        ),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option("--version", help="[default: the one that scored the row, or the champion]"),
    ] = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what every feature is worth and costs; with --id, why a row got its score."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import explain as stage

        env = open_project(config, home)
        name, number = _named(model, version)
        if id_:
            key = _key(env, name, id_)
            found = stage.explain(env, name, key, version=number)
            answer.document = found.to_json()
            _show_row(answer, found)
        else:
            candidate, worth = stage.overview(env, name, number)
            answer.document = {"version": candidate.version, **worth.to_json()}
            _show_all(answer, candidate.version, worth)


def _named(text: str, version: int | None) -> tuple[str, int | None]:
    model, number = maybe_version(text)
    if number and version and version != number:
        raise typer.BadParameter(f"{text} and --version {version}: name one version")
    return model, number or version


def _key(env: "Environment", model: str, texts: Sequence[str]) -> dict[str, str]:
    """Return key column to text; the one value of a single-column key may stand alone."""
    spec = env.project.model(model)
    columns = env.project.dataset(spec.scored_on).key
    if len(texts) == 1 == len(columns) and "=" not in texts[0]:
        return {columns[0]: texts[0]}
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def _show_row(answer: Answer, found: "Explanation") -> None:
    from rich import box
    from rich.table import Table

    key = ", ".join(f"{name} = {value}" for name, value in found.key.items())
    data = ", ".join(f"{name} {number}" for name, number in sorted(found.versions.items()))
    answer.say(f"{found.model} version {found.version}, {key}", style="bold")
    answer.say(f"data versions {data}; {_scored(found)}")
    answer.say(_predicted(found))
    table = Table(box=box.SIMPLE_HEAD)
    for title in ("feature", "value"):
        table.add_column(title, overflow="fold")
    table.add_column(f"adds ({found.scale})", justify="right")
    table.add_column("")
    longest = max(map(abs, found.contributions.values()), default=0.0) or 1.0
    table.add_row("base", "no information", f"{found.base:.4g}", "")
    for name, value in found.contributions.items():
        bar = _bar(value / longest, "green" if value > 0 else "red")
        shown = "missing" if found.features[name] is None else _shown(found.features[name])
        table.add_row(name, shown, f"{value:+.4g}", bar)
    table.add_row("score", "the sum", f"{found.score:.4g}", "", style="bold")
    answer.say(table)
    answer.say(f"By {found.method}.")


def _scored(found: "Explanation") -> str:
    if found.scored is None:
        return "this version has not scored the row"
    name = f" as {found.prediction_id}" if found.prediction_id else ""
    by = f"by champion generation {found.generation}{name}"
    return f"scored {found.scored:%Y-%m-%d %H:%M} UTC {by}"


def _predicted(found: "Explanation") -> str:
    if found.explains is not None:
        text = f"predicts {found.explains} with probability {found.probability:.4g}"
    elif found.probability is not None:
        text = f"predicts {found.probability:.4g}, the probability of the positive class"
    else:
        text = f"predicts {found.prediction:.6g}"
    if found.recorded is not None and not _equal(found.recorded, found.prediction):
        text += f"; it was {_shown(found.recorded)} when scored: joined data has changed since"
    return text


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    return bool(one == other)


def _show_all(answer: Answer, version: int, worth: "Importance") -> None:
    from rich import box
    from rich.table import Table

    title = f"{worth.model} version {version}: loss of {worth.metric} when a feature is shuffled"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("feature", overflow="fold")
    table.add_column("")
    for name in ("mean", "spread", "SHAP", "missing", "seconds", "bytes"):
        table.add_column(name, justify="right")
    table.add_column("")
    longest = max((abs(c.permutation) for c in worth.columns), default=0.0) or 1.0
    for column in worth.columns:
        bar = _bar(column.permutation / longest, "bright_black" if column.useless else "blue")
        numbers = (column.permutation, column.spread, column.shap)
        cost = column.cost.to_json() if column.cost else {}
        table.add_row(
            column.column,
            bar,
            *map(_shown, numbers),
            *_costs(cost),
            "useless" if column.useless else "",
        )
    answer.say(table)
    answer.say(f"{worth.repeats} repeats on {worth.rows:,} validation rows.")
    shap = f"on {worth.shap_rows:,} rows, {worth.shap_scale}, by {worth.shap_method}"
    answer.say(f"SHAP: {shap if worth.shap_rows else 'none: ' + worth.shap_method}.")


def _costs(cost: Mapping[str, Any]) -> tuple[str, str, str]:
    if not cost:
        return "-", "-", "-"
    missing = cost["null_rate"]
    share = "-" if missing is None else f"{missing:.1%}"
    return share, f"{cost['seconds']:.3g}", f"{cost['bytes']:,}"


def _bar(share: float, colour: str) -> "Text":
    from rich.text import Text

    eighths = round(abs(share) * _WIDTH * 8) if share == share else 0
    whole, rest = divmod(min(eighths, _WIDTH * 8), 8)
    return Text("█" * whole + ("", *"▏▎▍▌▋▊▉")[rest], style=colour)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
