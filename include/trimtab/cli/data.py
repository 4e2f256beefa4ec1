"""``trimtab data log|show|diff|revert``: the versions of a dataset."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import By, Config, Debug, Home, Json, open_dataset, os_user

if TYPE_CHECKING:
    from trimtab.environment import Environment
    from trimtab.ledger import Event
    from trimtab.types import DatasetVersion

data = typer.Typer(help="The versions of a dataset.", no_args_is_help=True)
Dataset = Annotated[str, typer.Argument(help="Name of the dataset.")]


@data.command()
def log(
    dataset: Dataset,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Newest versions to show.")] = 50,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List the versions: who, when, which file, rows accepted, quarantined and in total."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.cli.table import show_rows

        env = open_dataset(config, home, dataset)
        events = env.ledger.events("dataset_version", dataset)
        newest = sorted(events, key=lambda event: event.payload["version"])[-limit:]
        lost = {v for e in env.ledger.events("retention", dataset) for v in e.payload["versions"]}
        rows = [{**_line(env, e), "kept": e.payload["version"] not in lost} for e in newest]
        answer.document = {
            "dataset": dataset,
            "versions": rows,
            "schema_changes": [e.payload for e in env.ledger.events("schema_change", dataset)],
        }
        shown = [_short(row) for row in answer.document["versions"]]
        show_rows(answer, f"Versions of {dataset}", shown)
        if not shown:
            answer.say(f"{dataset}: no file was published yet")
        for change in answer.document["schema_changes"]:
            told = [*change["added"], *change["changed"]]
            answer.say(
                f"columns {', '.join(told)} {'added' if change['added'] else 'widened'} before "
                f"{change['name']} by {change['policy']}"
            )


@data.command()
def show(
    dataset: Dataset,
    version: Annotated[int | None, typer.Argument(help="Version [default: the newest].")] = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show one version: its columns, rows, partitions, files and hashes, and who used it."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.ledger import datasets

        env = open_dataset(config, home, dataset)
        answer.document = _shown(env, datasets.at(env.ledger, dataset, version))
        _say_version(answer, answer.document)


@data.command()
def diff(
    dataset: Dataset,
    before: Annotated[int, typer.Argument(help="The older version.")],
    after: Annotated[int, typer.Argument(help="The newer version.")],
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare two versions: rows by key, columns, and statistics side by side."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.data import difference
        from trimtab.data.table import opened
        from trimtab.ledger import datasets

        env = open_dataset(config, home, dataset)
        spec = env.project.dataset(dataset)
        old, new = (
            opened(env.table(dataset), datasets.at(env.ledger, dataset, number).version)
            for number in (before, after)
        )
        one, two = difference.statistics(old), difference.statistics(new)
        answer.document = {
            "dataset": dataset,
            "before": before,
            "after": after,
            "rows": difference.between(spec, old, new),
            "columns": difference.columns_between(old, new),
            "statistics": {
                name: {"before": one.get(name), "after": two.get(name)} for name in {**one, **two}
            },
        }
        _say_difference(answer, answer.document)


@data.command()
def revert(
    dataset: Dataset,
    version: Annotated[int, typer.Argument(help="Version whose content comes back.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")],
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a new version with the content of an old one."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import revert as stage

        env = open_dataset(config, home, dataset)
        who = by or os_user()
        made = stage.revert(env, dataset, version, reason=reason, actor=who)
        answer.document = made.to_json()
        answer.say(
            f"{dataset}: version {made.version} has the content of version {version} again: "
            f"{made.total_rows} rows"
        )
        answer.say(
            "Files whose rows left stay known and do not come back by themselves; to have them "
            "back, revert to a version that has them, or deliver corrected bytes."
        )


def _line(env: "Environment", event: "Event") -> dict[str, Any]:
    from trimtab.ledger import datasets

    payload = event.payload
    return {
        "version": payload["version"],
        "at": event.at.isoformat(),
        "by": event.actor,
        "operation": payload.get("operation", "append"),
        "file": payload["name"],
        "sha256": payload["sha256"],
        "partitions": payload["partitions"],
        "accepted": payload["rows"],
        "added": payload.get("rows_added", payload["rows"]),
        "updated": payload.get("rows_updated", 0),
        "removed": payload.get("rows_removed", 0),
        "quarantined": datasets.set_aside(env.ledger, event.subject, event.key),
        "total": payload["total_rows"],
        "replaces": payload.get("replaces", []),
        "reason": payload.get("reason", ""),
        "content": payload.get("content"),
    }


def _short(row: dict[str, Any]) -> dict[str, Any]:
    names = ("version", "at", "by", "operation", "file", "added", "updated", "removed", "total")
    short = {name: row[name] for name in names}
    return {
        **short,
        "at": row["at"][:16].replace("T", " "),
        "quarantined": sum(row["quarantined"].values()),
        "kept": "yes" if row["kept"] else "removed",
    }


def _shown(env: "Environment", record: "DatasetVersion") -> dict[str, Any]:
    from trimtab.data import difference, versions
    from trimtab.data.table import opened
    from trimtab.stages import lineage

    table = opened(env.table(record.dataset), record.version)
    names = {e.key: e.payload["name"] for e in env.ledger.events("file", record.dataset)}
    return {
        **record.to_json(),
        "content": record.content or str(versions.measured(table)),
        "columns": difference.columns(table),
        "partition_rows": difference.partitions_in(table),
        "files": [
            {"name": names.get(sha), "sha256": sha, "rows": rows}
            for sha, rows in difference.files_in(table).items()
        ],
        "parquet": [
            {"name": file.name, "bytes": file.size, "rows": file.rows}
            for file in table.files.values()
        ],
        "statistics": difference.statistics(table),
        "used_by": [u.to_json() for u in lineage.used_by(env, record.dataset, record.version)],
    }


def _say_version(answer: Answer, shown: dict[str, Any]) -> None:
    from trimtab.cli.table import show_rows

    answer.say(
        f"{shown['dataset']} version {shown['version']}: {shown['total_rows']} rows, made by "
        f"{shown['operation']} of {shown['name']} ({shown['actor']})"
    )
    answer.say(f"content {shown['content']}")
    columns = [
        {"column": name, "type": kind, **shown["statistics"][name]}
        for name, kind in shown["columns"].items()
    ]
    show_rows(answer, "Columns", columns)
    parts = [{"partition": k, "rows": v} for k, v in shown["partition_rows"].items()]
    show_rows(answer, "Partitions", parts)
    show_rows(answer, "Files", shown["files"])
    show_rows(answer, "Used by", [{"kind": u["kind"], "name": u["name"]} for u in shown["used_by"]])


def _say_difference(answer: Answer, found: dict[str, Any]) -> None:
    from trimtab.cli.table import show_rows

    counts = ", ".join(f"{count} {word}" for word, count in found["rows"].items())
    answer.say(f"{found['dataset']} {found['before']} -> {found['after']}: rows {counts}")
    for word, columns in found["columns"].items():
        if columns:
            answer.say(f"columns {word}: {', '.join(columns)}")
    rows = [
        {
            "column": name,
            "statistic": what,
            "before": (sides["before"] or {}).get(what),
            "after": value,
        }
        for name, sides in found["statistics"].items()
        for what, value in (sides["after"] or sides["before"]).items()
        if sides["after"] is None or (sides["before"] or {}).get(what) != value
    ]
    show_rows(answer, "Statistics that differ", rows)
