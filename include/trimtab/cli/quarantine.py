"""``trimtab quarantine``: what was set aside, why, and the way back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import By, Config, Debug, Home, Json, Reason, open_dataset, os_user

if TYPE_CHECKING:
    import polars as pl

    from trimtab.ledger import Event
    from trimtab.types import Release

app = typer.Typer(help="What was set aside, why, and the way back.", no_args_is_help=True)
File = Annotated[str | None, typer.Option("--file", help="Name of a file, or its hash's start.")]
Published = Annotated[str, typer.Argument(help="Name of a published file, or its hash's start.")]
Why = Annotated[str | None, typer.Option("--reason", help="Only what was set aside for this.")]


@app.command("list")
def list_(
    dataset: str,
    every: Annotated[bool, typer.Option("--all", help="Also what is settled.")] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List refused files and rows set aside, by file and reason."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.cli.table import show_rows
        from trimtab.stages import advice, quarantine

        env = open_dataset(config, home, dataset)
        advised = advice.standing(env, dataset)
        found = quarantine.summary(quarantine.rows(env, dataset))
        files = quarantine.files(env, dataset)
        wanted = [row for row in files if every or row["status"] == quarantine.OPEN]
        rows = [row for row in found if every or row["status"] == quarantine.OPEN]
        told = {"dataset": dataset, "files": wanted, "rows": rows, "left_out": advised}
        answer.document = told
        show_rows(answer, "Refused files", [_short(row) for row in wanted])
        show_rows(answer, "Rows set aside", [_short(row) for row in rows])
        show_rows(answer, "Published, left out of trainings", [_short(row) for row in advised])
        if not wanted and not rows and not advised:
            answer.say(f"{dataset}: nothing waits in quarantine.")


@app.command()
def show(
    dataset: str,
    file: File = None,
    reason: Why = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows to print.")] = 20,
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV of all of them, to correct and release.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also what is settled.")] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show rows as they were delivered: text, position, file, reason and column."""
    with answering(as_json=json, debug=debug) as answer:
        import polars as pl

        from trimtab.data import handed
        from trimtab.stages import quarantine

        env = open_dataset(config, home, dataset)
        found = quarantine.rows(env, dataset, file=file, reason=reason)
        if not every:
            found = found.filter(pl.col(quarantine.STATUS) == quarantine.OPEN)
        if out is not None:
            handed.write(found.collect(), env.project.dataset(dataset), out)
        count = found.select(pl.len()).collect(engine="streaming").item()
        columns = list(env.project.dataset(dataset).columns)
        answer.document = {
            "dataset": dataset,
            "rows": count,
            "shown": _documents(found.head(limit).collect(), columns),
            "out": str(out) if out else None,
        }
        _say_rows(answer, count, answer.document["shown"], out)


@app.command()
def release(
    dataset: str,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    reason: Annotated[
        str, typer.Option("--reason", help="What was corrected, and why; it is kept.")
    ],
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Hand back corrected rows (a CSV of 'show --out'); they are judged like any file."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import release as stage

        env = open_dataset(config, home, dataset)
        who = by or os_user()
        done = stage.release(env, dataset, file, actor=who, reason=reason)
        answer.document = done.to_json()
        _say_release(answer, done)


@app.command()
def advise(
    dataset: str,
    file: Published,
    reason: Reason,
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Keep a published file's rows out of every training."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import advice as stage

        env = open_dataset(config, home, dataset)
        marked = stage.advise(env, dataset, file, reason=reason, actor=by or os_user())
        _say_mark(answer, marked, "is left out of trainings")


@app.command()
def dismiss(
    dataset: str,
    file: Published,
    reason: Reason,
    repaired: Annotated[
        bool, typer.Option("--repaired", help="It was wrong; the same again is a fault again.")
    ] = False,
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say that a published file is right after all: trainings take it again."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import advice as stage

        env = open_dataset(config, home, dataset)
        marked = stage.dismiss(
            env, dataset, file, reason=reason, actor=by or os_user(), repaired=repaired
        )
        _say_mark(answer, marked, "is taken by trainings")


def _say_mark(answer: Answer, marked: "Event", what: str) -> None:
    sha256, reason = marked.payload["sha256"], marked.payload["reason"]
    answer.document = {"dataset": marked.subject, **marked.payload, "by": marked.actor}
    answer.say(f"{marked.subject}: {sha256[:12]} {what} ({marked.actor}): {reason}")


def _say_release(answer: Answer, done: "Release") -> None:
    rows = sum(len(positions) for positions in done.rows.values())
    answer.say(f"{done.dataset}: {rows} row(s) released by {done.actor}: {done.reason}")
    for each in done.intakes:
        if each.published:
            again = f", {each.quarantined} set aside again" if each.quarantined else ""
            answer.say(f"  {each.name}: {each.accepted} row(s), version {each.version}{again}")
        else:
            told = f"{each.name} is refused, its rows stay in quarantine: {each.reason}"
            answer.refuse(f"{told}: {each.detail}", kind="refused")


def _say_rows(answer: Answer, count: int, shown: list[dict[str, Any]], out: Path | None) -> None:
    for row in shown:
        where = f" in {row['column']}" if row["column"] else ""
        answer.say(f"{row['file']} row {row['row']}: {row['reason']}{where}", style="bold")
        answer.say(f"  {row['text']}")
    if count > len(shown):
        answer.say(f"{count - len(shown)} more; --limit shows more of them, --out writes all.")
    if out:
        answer.say(f"{count} row(s) written to {out}; correct them, then 'quarantine release'.")
    if not count:
        answer.say("No such rows.")


def _documents(found: "pl.DataFrame", columns: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "file": row["_name"],
            "sha256": row["_file"],
            "row": row["_row"],
            "reason": row["_reason"],
            "column": row["_column"],
            "status": row["_status"],
            "at": row["_at"],
            "text": row["_line"] or {name: row.get(name) for name in columns},
        }
        for row in found.iter_rows(named=True)
    ]


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "sha256": row["sha256"][:12]}
