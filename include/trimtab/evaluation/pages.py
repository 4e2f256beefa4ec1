"""Render the templates: one self-contained page, everything escaped, written in one step."""

import functools
import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from trimtab.evaluation import story, words


@functools.cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("trimtab.evaluation", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "number": words.number,
        "signed": words.signed,
        "metric": words.metric,
        "rule": words.rule,
        "outcome": story.outcome,
        "cell": words.cell,
        "day": words.day,
        "percent": words.percent,
        "size": words.size,
        "md": words.markdown,
    }
    return templates


def render(template: str, **values: Any) -> str:
    """Fill a template; a name that is not there is an error."""
    return _templates().get_template(template).render(**values)


def write(file: Path, text: str) -> None:
    """Write aside, then rename: a reader never sees half a page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(file)
