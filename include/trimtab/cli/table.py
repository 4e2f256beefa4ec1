"""Rows of a document as a table for people."""

from collections.abc import Sequence
from typing import Any

from trimtab.cli.answer import Answer


def show_rows(answer: Answer, title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print one table; nothing when there are no rows."""
    from rich import box
    from rich.table import Table

    if not rows:
        return
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in rows[0]:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    answer.say(table)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.4g}"
        case list():
            return ", ".join(_cell(item) for item in value) or "-"
        case dict():
            return ", ".join(f"{key} {_cell(item)}" for key, item in value.items()) or "-"
    return str(value)
