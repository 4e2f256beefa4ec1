"""``trimtab features list|show|get|materialize``: feature views, and what is known of an entity."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, open_project

if TYPE_CHECKING:
    from trimtab.environment import Environment
    from trimtab.types import FeatureAnswer

features = typer.Typer(help="Feature views, offline and online.", no_args_is_help=True)
View = Annotated[str, typer.Argument(help="Name of the feature view.")]


@features.command("list")
def list_(
    config: Config = None, home: Home = None, json: Json = False, debug: Debug = False
) -> None:
    """List the views: their dataset, entity, columns, who uses them, and what is online."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.cli.table import show_rows

        env = open_project(config, home)
        answer.document = {"views": [_line(env, name) for name in env.project.views]}
        show_rows(answer, "Feature views", answer.document["views"])
        if not env.project.views:
            answer.say("there is no feature view yet; write one as features/<name>.yaml")


@features.command()
def show(
    view: View,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show one view: its definition, the type and origin of each column, its materializations."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.cli.table import show_rows

        env = open_project(config, home)
        spec = env.project.view(view)
        told = env.ledger.events("materialization", view)[-5:]
        answer.document = {
            **_line(env, view),
            "owner": spec.owner,
            "description": spec.description,
            "definition": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
            "column_types": _columns(env, view),
            "materializations": [{"at": e.at.isoformat(), **e.payload} for e in reversed(told)],
        }
        answer.say(f"{view}: {spec.description or 'no description'} ({spec.owner})")
        facts = {k: v for k, v in answer.document["definition"].items() if k in _FACTS}
        show_rows(answer, "Definition", [facts])
        show_rows(answer, "Columns", answer.document["column_types"])
        rows = [
            {name: event[name] for name in ("at", "version", "rows", "incremental", "place")}
            for event in answer.document["materializations"]
        ]
        show_rows(answer, "Put online", rows)


@features.command()
def get(
    view: View,
    key: Annotated[
        list[str],
        typer.Option(
            "--key", help="COLUMN=VALUE of the entity; a column that comes again begins the next."
        ),
    ],
    at: Annotated[
        str | None, typer.Option("--at", help="Moment, UTC unless it has a zone [default: now].")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask the dataset's table, as a training does.")
    ] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell what is known of an entity at a moment."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import online as stage

        env = open_project(config, home)
        keys = stage.entity(env, view).read(_keys(key))
        moment = _moment(at) or env.clock.now()
        ask = stage.get_offline if offline else stage.get
        found = ask(env, view, keys, at=moment)
        answer.document = {
            "view": view,
            "at": moment.isoformat(),
            "source": "table" if offline else "online",
            "entities": [one.to_json(exclude={"view"}) for one in found],
        }
        for one in found:
            _say(answer, one)


@features.command()
def materialize(
    views: Annotated[list[str], typer.Argument(help="Names of the feature views.")],
    version: Annotated[
        int | None, typer.Option("--version", help="Dataset version [default: the newest].")
    ] = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Put the newest row of each entity online."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import materialize as stage

        env = open_project(config, home)
        for view in views:
            env.project.view(view)  # all names before the first work
        answer.document = {"materializations": []}
        for view in views:
            made = stage.materialize(env, view, version=version)
            answer.document["materializations"].append(made.to_json())
            how = "the news" if made.incremental else "all"
            answer.say(
                f"{view}: {how} of {made.dataset} version {made.version} online, "
                f"{made.rows} rows, in {made.place}"
            )


_FACTS = ("from", "entity", "time", "known", "delay", "max_age", "online", "tags")


def _line(env: "Environment", name: str) -> dict[str, Any]:
    from trimtab.config.columns import view_columns

    spec = env.project.views[name]
    newest = env.ledger.latest("dataset_version", spec.from_)
    online = env.ledger.latest("materialization", name)
    users = (m.model for m in env.project.models.values() for u in m.data.views if u.view == name)
    return {
        "view": name,
        "from": spec.from_,
        "entity": list(spec.entity),
        "columns": list(view_columns(spec, env.project.dataset(spec.from_))),
        "used_by": sorted(set(users)),
        "version": newest.payload["version"] if newest else None,
        "online": online.payload["version"] if spec.online and online else spec.online,
    }


def _columns(env: "Environment", name: str) -> list[dict[str, Any]]:
    from trimtab.config.columns import view_columns

    spec = env.project.view(name)
    columns = view_columns(spec, env.project.dataset(spec.from_))
    return [
        {
            "column": column,
            "type": said.type,
            "unit": said.unit,
            "from": (derived.sql or derived.function) if derived else spec.from_,
        }
        for column, said in columns.items()
        for derived in (spec.derive.get(column),)
    ]


def _keys(told: Iterable[str]) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = [{}]
    for text in told:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} is not COLUMN=VALUE", param_hint="--key")
        if name in keys[-1]:
            keys.append({})
        keys[-1][name] = value
    return keys


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "write it like 2013-04-01T12:00"
        raise typer.BadParameter(f"{text!r} is no time; {hint}", param_hint="--at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _say(answer: Answer, found: "FeatureAnswer") -> None:
    from trimtab.cli.table import show_rows

    key = ", ".join(f"{name} {value}" for name, value in found.key.items())
    if found.values is None:
        answer.say(f"{key}: {found.reason}")
        return
    title = f"{key}: {found.time:%Y-%m-%d %H:%M:%S} UTC, known {found.known:%Y-%m-%d %H:%M:%S}"
    rows = [{"column": name, "value": value} for name, value in found.values.items()]
    show_rows(answer, f"{title}, dataset version {found.version}", rows)
