"""``trimtab lineage``: from a version to its files, from a file to everything that used it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, open_project

if TYPE_CHECKING:
    from rich.tree import Tree

    from trimtab.types import Lineage


def lineage(
    what: Annotated[
        str,
        typer.Argument(
            help="DATASET, DATASET@VERSION, MODEL, MODEL@VERSION, a file's name or hash."
        ),
    ],
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show where something came from and what was made of it."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import lineage as stage

        told = stage.lineage(open_project(config, home), what)
        answer.document = told.to_json()
        show_tree(answer, told)


def show_tree(answer: Answer, *roots: "Lineage") -> None:
    """Print what is told, and below it what it led to or came from."""
    from rich.tree import Tree

    for root in roots:
        answer.say(_grown(Tree(_label(root)), root))


def _grown(tree: "Tree", node: "Lineage") -> "Tree":
    for child in node.children:
        _grown(tree.add(_label(child)), child)
    return tree


def _label(node: "Lineage") -> str:
    from rich.markup import escape

    facts = ", ".join(f"{k} {_short(k, v)}" for k, v in node.facts.items() if v not in ("", None))
    return escape(f"{node.kind} {node.name}" + (f" ({facts})" if facts else ""))


def _short(name: str, value: Any) -> str:
    return str(value)[:12] if name in ("sha256", "file") else str(value)
